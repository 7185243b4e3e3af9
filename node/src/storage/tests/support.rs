//! A chain on a store in a temporary directory, and hands on its files.

use crate::{
    chain::{Commit, CommitBlock, Route},
    crypto::{Address, Keypair},
    ledger::{self, Overlay},
    native::seams::disk,
    seams::Disk,
    storage::{Settings, Store, StoreError, keys},
    types::{
        Amount, Block, Body, ChainParams, Difficulty, Genesis, Header, Height, Nonce, Payload, Seal, Timestamp,
        Transaction,
    },
};
use rocksdb::{DB, IteratorMode, Options};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::TempDir;

/// Difficulty of every block here; nobody has searched for their seals.
const DIFFICULTY: u64 = 4;

/// Every record of a database as it is stored, by family and key.
pub type Records = BTreeMap<(String, Vec<u8>), Vec<u8>>;

/// A place for a database, gone when the test ends.
pub struct Place {
    pub dir: TempDir,
    pub disk: Disk,
}

pub fn rich() -> Keypair {
    Keypair::from_secret([1; 32])
}

pub fn genesis() -> Genesis {
    Genesis {
        chain_id: "test".parse().expect("a chain's name"),
        timestamp: Timestamp(1),
        params: ChainParams::default(),
        accounts: [(rich().address(), Amount(1_000_000))].into(),
        validators: Default::default(),
        operators: Default::default(),
    }
}

impl Place {
    pub fn new() -> Self {
        let disk = disk().expect("the default environment");
        Self { dir: tempfile::tempdir().expect("a temporary folder"), disk }
    }

    /// A place with a chain of this height, all of it in tables.
    pub fn with_chain(height: u64) -> Self {
        let place = Self::new();
        let store = place.open().expect("a new store");
        grow(&store, height);
        store.flush().expect("the disk works");
        place
    }

    pub fn db(&self) -> PathBuf {
        self.dir.path().join("db")
    }

    pub fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn open(&self) -> Result<Store, StoreError> {
        self.open_on(&self.disk)
    }

    pub fn open_on(&self, disk: &Disk) -> Result<Store, StoreError> {
        Store::open(disk, &self.db(), genesis(), Settings::default())
    }

    pub fn rebuild_on(&self, disk: &Disk) -> Result<Store, StoreError> {
        Store::rebuild(disk, &self.db(), genesis(), Settings::default())
    }

    /// What a start does: opens and loads.
    pub fn start(&self) -> Result<Store, StoreError> {
        let store = self.open()?;
        store.load().map_err(|error| store.judged(error))?;
        Ok(store)
    }

    /// Names in the directory of the database and of those beside it.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.dir.path()).expect("it is there");
        let mut names: Vec<_> =
            entries.map(|entry| entry.expect("it is there").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// The files of the database with this ending, by name.
    pub fn files(&self, ending: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.db()).expect("it is there");
        let mut paths: Vec<_> = entries.map(|entry| entry.expect("it is there").path()).collect();
        paths.retain(|path| path.to_string_lossy().ends_with(ending));
        paths.sort();
        paths
    }

    /// Changes the stored bytes of records; `None` removes.
    pub fn edit(&self, edits: impl IntoIterator<Item = (&'static str, Vec<u8>, Option<Vec<u8>>)>) {
        let db = raw(&self.db());
        for (family, key, value) in edits {
            let family = db.cf_handle(family).expect("it has all families");
            match value {
                Some(value) => db.put_cf(family, key, value),
                None => db.delete_cf(family, key),
            }
            .expect("the disk works");
        }
    }
}

fn raw(path: &Path) -> DB {
    DB::open_cf(&Options::default(), path, keys::FAMILIES).expect("it is a database")
}

pub fn records(path: &Path) -> Records {
    let db = DB::open_cf_for_read_only(&Options::default(), path, keys::FAMILIES, false).expect("it is a database");
    let mut all = Records::new();
    for family in keys::FAMILIES {
        for entry in db.iterator_cf(db.cf_handle(family).expect("it has all families"), IteratorMode::Start) {
            let (key, value) = entry.expect("it can be read");
            all.insert((family.to_owned(), key.into_vec()), value.into_vec());
        }
    }
    all
}

/// Adds blocks up to `height`, each with a transfer.
pub fn grow(store: &Store, height: u64) {
    while store.head().expect("it can be read").height.0 < height {
        add(store);
    }
}

fn add(store: &Store) {
    let head = store.head().expect("it can be read");
    let height = head.height.next();
    let transactions = vec![transfer(head.height.0)];
    let overlay = Overlay::new(store, head.height);
    let proposer = Address([7; 20]);
    let (genesis, parent, time) = (genesis(), head.hash, Timestamp(1 + height.0));
    let (chain, params) = (&genesis.chain_id, &genesis.params);
    let place = ledger::Place { chain, params, height, parent, time, proposer };
    let executed = ledger::execute(&overlay, place, &transactions).expect("it is valid");
    let mut header = Header {
        height,
        parent: head.hash,
        transactions_root: crate::crypto::Hash::default(),
        state_root: executed.state_root,
        timestamp: time,
        proposer,
        seal: Seal::Pow { difficulty: Difficulty(DIFFICULTY), nonce: 0 },
    };
    header.transactions_root = Block { header: header.clone(), transactions: transactions.clone() }.transactions_root();
    let block = Arc::new(Block { header, transactions });
    let (hash, work) = (block.hash(), head.work.plus(Difficulty(DIFFICULTY)));
    let commit = CommitBlock { hash, block: block.clone(), work, update: executed.update };
    let route = Route { fork: head.height, blocks: vec![(hash, block, work)] };
    store.commit(&Commit { route, blocks: vec![commit] }).expect("the disk works");
}

fn transfer(nonce: u64) -> Transaction {
    let to = Address([nonce as u8 % 5 + 10; 20]);
    Body {
        chain_id: genesis().chain_id,
        sender: rich().public(),
        nonce: Nonce(nonce),
        fee: Amount(1),
        valid_until: Height(1_000_000),
        payload: Payload::Transfer { to, amount: Amount(2) },
    }
    .sign(&rich())
}

/// Flips bits of a byte of a file.
pub fn flip(path: &Path, at: usize, bits: u8) {
    let mut bytes = fs::read(path).expect("it is there");
    bytes[at] ^= bits;
    fs::write(path, bytes).expect("it is ours");
}

/// Where in a file these bytes are.
pub fn find(path: &Path, bytes: &[u8]) -> Option<usize> {
    let file = fs::read(path).expect("it is there");
    file.windows(bytes.len()).position(|window| window == bytes)
}

/// Copies a directory with its files.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("it is ours");
    for entry in fs::read_dir(from).expect("it is there") {
        let entry = entry.expect("it is there");
        fs::copy(entry.path(), to.join(entry.file_name())).expect("there is room");
    }
}
