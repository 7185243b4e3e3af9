//! The start-up check: whether the recent chain is what it says it is. Fast, and made at every start.

use super::{Store, StoreError, keys};
use crate::{
    crypto::Hash,
    ledger,
    types::{Header, Work},
};

impl Store {
    /// Checks that each of `headers`, the recent chain with the lowest first, hashes to its own key and stands on the one
    /// before, that work adds up, and that the stored state has the root which the head commits to. RocksDB checks the
    /// checksum of every block that this reads.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with the first record that is wrong, or when the storage fails.
    pub fn check(&self, headers: &[(Hash, Header, Work)]) -> Result<(), StoreError> {
        let damaged =
            |hash: &Hash, cause: String| StoreError::Damaged { family: keys::BLOCKS, key: hash.to_string(), cause };
        for (hash, header, _) in headers {
            let found = header.hash();
            if found != *hash {
                return Err(damaged(hash, format!("the block there is {}", found.short())));
            }
        }
        for pair in headers.windows(2) {
            let [(below, _, work_below), (hash, header, work)] = pair else { continue };
            if header.parent != *below || work <= work_below {
                return Err(damaged(
                    hash,
                    format!("it does not stand on {} at height {}", below.short(), header.height),
                ));
            }
        }
        let Some((hash, head, _)) = headers.last() else { return Ok(()) };
        let root = ledger::state_root(self, head.height).map_err(|error| match self.has_trouble() {
            true => StoreError::State(error),
            // Everything could be read, so a part of the tree is missing.
            false => damaged(hash, error.to_string()),
        })?;
        if root != head.state_root {
            let (root, expected) = (root.short(), head.state_root.short());
            return Err(damaged(
                hash,
                format!("the state stored for it has root {root}, and it commits to {expected}"),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        native::seams::disk,
        storage::{Settings, db::Db},
        types::{Amount, ChainParams, Genesis, Height, Timestamp},
    };

    fn genesis() -> Genesis {
        Genesis {
            chain_id: "test".parse().expect("a chain's name"),
            timestamp: Timestamp(1),
            params: ChainParams::default(),
            accounts: [(crate::crypto::Keypair::from_secret([1; 32]).address(), Amount(5))].into(),
            validators: Default::default(),
            operators: Default::default(),
        }
    }

    fn open(dir: &tempfile::TempDir) -> Store {
        let disk = disk().expect("the default environment");
        Store::open(&disk, dir.path(), genesis(), Settings::default()).expect("a new store")
    }

    #[test]
    fn a_sound_chain_passes() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let store = open(&dir);
        store.check(&store.with(Db::recent_headers).expect("it can be read")).expect("nothing is wrong");
    }

    #[test]
    fn each_kind_of_damage_is_found() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let store = open(&dir);
        let (hash, header, work) = store.with(Db::recent_headers).expect("it can be read").remove(0);
        let refusal = |headers: &[(Hash, Header, Work)]| {
            let text = store.check(headers).expect_err("it is damaged").to_string();
            text.split_once("is damaged: ").expect("every message says so").1.to_owned()
        };
        let other = Header { height: Height(9), ..header.clone() };
        assert_eq!(refusal(&[(hash, other.clone(), work)]), format!("the block there is {}", other.hash().short()));
        let stray = (other.hash(), other, Work(7));
        let expected = format!("it does not stand on {} at height 9", hash.short());
        assert_eq!(refusal(&[(hash, header.clone(), work), stray]), expected);
        let wrong_root = Header { state_root: Hash([3; 32]), ..header };
        let found = refusal(&[(wrong_root.hash(), wrong_root, work)]);
        assert!(found.ends_with("it commits to 03030303"), "{found}");
    }
}
