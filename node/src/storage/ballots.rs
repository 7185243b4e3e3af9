//! The log of the agreement on the next height, and whether this database knows what its node has signed.
//!
//! It is in `meta`, so that a commit removes the log of its height in the same batch. A database that was made anew, or
//! restored from a backup, may be older than ballots that its node has sent: it is unsure until somebody says otherwise.

use super::{Store, StoreError, db::Db, keys};
use crate::types::{Consensus, Height};
use rocksdb::{Direction, IteratorMode, WriteBatch};

/// The prefix of a height's log.
fn prefix(height: Height) -> Vec<u8> {
    [keys::BALLOT, &keys::height(height)].concat()
}

/// What is written, and how surely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It, and all before it, is on the disk when the call returns: something that it led to is about to be sent.
    Synced,
    /// Soon.
    Soon,
}

impl Store {
    /// Appends to the log of `height`, whose next entry is number `first`.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn log_ballots(
        &self,
        height: Height,
        first: usize,
        entries: &[Vec<u8>],
        durability: Durability,
    ) -> Result<(), StoreError> {
        if entries.is_empty() && durability == Durability::Soon {
            return Ok(());
        }
        self.with_alone(|db| {
            let mut batch = WriteBatch::default();
            for (number, entry) in (first..).zip(entries) {
                let key = [&prefix(height)[..], &(number as u64).to_be_bytes()].concat();
                db.put(&mut batch, keys::META, &key, entry.clone());
            }
            match durability {
                Durability::Synced => db.write_synced(batch),
                Durability::Soon => Ok(db.rocks.write(batch)?),
            }
        })
    }

    /// The log of `height`, in order.
    ///
    /// # Errors
    /// When it is damaged or the storage fails.
    pub fn ballots(&self, height: Height) -> Result<Vec<Vec<u8>>, StoreError> {
        self.with(|db| db.ballot_keys(&prefix(height))?.iter().map(|key| db.need_bytes(keys::META, key)).collect())
    }

    /// Whether its node may have signed what it does not know of.
    ///
    /// # Errors
    /// When the record is damaged or the storage fails.
    pub fn is_unsure(&self) -> Result<bool, StoreError> {
        self.with(|db| Ok(db.get(keys::META, keys::UNSURE)?.is_some()))
    }

    /// Its node has signed nothing that matters any more.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn now_sure(&self) -> Result<(), StoreError> {
        self.with_alone(|db| {
            let mut batch = WriteBatch::default();
            batch.delete_cf(db.family(keys::META), keys::UNSURE);
            db.write_synced(batch)
        })
    }

    /// What this database says of ballots is old.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn now_unsure(&self) -> Result<(), StoreError> {
        if self.genesis.params.consensus != Consensus::Pos {
            return Ok(());
        }
        self.with_alone(|db| {
            let mut batch = WriteBatch::default();
            db.put(&mut batch, keys::META, keys::UNSURE, Vec::new());
            db.remove_ballots(&mut batch)?;
            db.write_synced(batch)
        })
    }
}

impl Db {
    /// Removes the logs of all heights: one of them is being committed, and the others are below it.
    pub fn remove_ballots(&self, batch: &mut WriteBatch) -> Result<(), StoreError> {
        for key in self.ballot_keys(keys::BALLOT)? {
            batch.delete_cf(self.family(keys::META), key);
        }
        Ok(())
    }

    fn ballot_keys(&self, prefix: &[u8]) -> Result<Vec<Box<[u8]>>, StoreError> {
        let mode = IteratorMode::From(prefix, Direction::Forward);
        let mut found = Vec::new();
        for entry in self.rocks.iterator_cf(self.family(keys::META), mode) {
            let (key, _) = entry?;
            if !key.starts_with(prefix) {
                break;
            }
            found.push(key);
        }
        Ok(found)
    }

    fn need_bytes(&self, family: &'static str, key: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.get(family, key)?.ok_or_else(|| super::db::damaged(family, key, "it is missing"))
    }
}
