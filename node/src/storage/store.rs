//! The store: a database that can be closed and opened again under its readers.

use super::{
    Settings, StoreError, Trouble,
    db::{Access, Db},
    folders,
    read::{Located, StoredHead},
};
use crate::{
    crypto::Hash,
    seams::{Disk, Space},
    types::{Block, Genesis, Header, Height, Work},
};
use jmt::{
    KeyHash, OwnedValue, Version,
    storage::{LeafNode, Node, NodeKey, TreeReader},
};
use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, atomic::AtomicU64},
};

/// The chain's store. Reads may come from any task; commits come from the chain's task alone. A read sees whole commits.
pub struct Store {
    pub(super) disk: Disk,
    pub(super) path: PathBuf,
    pub(super) genesis: Genesis,
    pub(super) settings: Settings,
    /// None while it is closed.
    slot: RwLock<Option<Db>>,
    /// The worst failure since it was last asked for, and what it said.
    trouble: Mutex<Option<(Trouble, String)>>,
    /// Bytes committed since the memtables were last flushed.
    pub(super) unflushed: AtomicU64,
}

/// What a core starts from.
#[derive(Debug)]
pub struct Loaded {
    /// The genesis block.
    pub genesis: Hash,
    /// The last [`crate::chain::TREE_WINDOW`] headers of the chain, the lowest first, with the work up to each.
    pub headers: Vec<(Hash, Header, Work)>,
}

impl Store {
    pub(super) fn of(disk: Disk, path: PathBuf, genesis: Genesis, settings: Settings, db: Option<Db>) -> Self {
        let (slot, trouble) = (RwLock::new(db), Mutex::default());
        Self { disk, path, genesis, settings, slot, trouble, unflushed: 0.into() }
    }

    fn read(&self) -> RwLockReadGuard<'_, Option<Db>> {
        self.slot.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn slot(&self) -> RwLockWriteGuard<'_, Option<Db>> {
        self.slot.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the open database. A failure is noted.
    pub(super) fn with<T>(&self, f: impl FnOnce(&Db) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let slot = self.read();
        let result = slot.as_ref().ok_or(StoreError::Closed).and_then(f);
        drop(slot);
        result.inspect_err(|error| self.note(error))
    }

    /// As [`Store::with`], and nobody reads meanwhile.
    pub(super) fn with_alone<T>(&self, f: impl FnOnce(&Db) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let slot = self.slot();
        let result = match slot.as_ref() {
            None => Err(StoreError::Closed),
            Some(db) if db.access != Access::Write => Err(StoreError::ReadOnly),
            Some(db) => f(db),
        };
        drop(slot);
        result.inspect_err(|error| self.note(error))
    }

    /// Keeps a failure of the disk for [`Store::take_trouble`].
    pub(super) fn note(&self, error: &StoreError) {
        let Some(trouble) = error.trouble() else { return };
        let mut kept = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.as_ref().is_none_or(|(worst, _)| *worst < trouble) {
            *kept = Some((trouble, error.to_string()));
        }
    }

    /// The worst failure of the disk that anybody met since the last call, and its text.
    pub fn take_trouble(&self) -> Option<(Trouble, String)> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether a failure of the disk was met that nobody has taken yet.
    pub fn has_trouble(&self) -> bool {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// An error of reading the state is only a text: what the store noted on the way says what it asks for.
    pub(crate) fn judged(&self, error: StoreError) -> StoreError {
        match (error, self.take_trouble()) {
            (StoreError::State(_), Some((Trouble::Damaged, cause))) => StoreError::Corrupt(cause),
            (error, _) => error,
        }
    }

    /// Closes the database. Reads fail with [`StoreError::Closed`] until it is opened again.
    pub fn close(&self) {
        drop(self.slot().take());
    }

    /// Closes the database and opens it again, from what is durable. On a full disk it can still be read afterwards.
    ///
    /// # Errors
    /// When it cannot be opened; then it is closed.
    pub fn reopen(&self) -> Result<(), StoreError> {
        let mut slot = self.slot();
        drop(slot.take());
        self.unflushed.store(0, std::sync::atomic::Ordering::Relaxed);
        *slot = Some(self.open_again()?);
        Ok(())
    }

    /// Whether the database is open, and for writing.
    pub fn is_open(&self) -> bool {
        self.read().as_ref().is_some_and(|db| db.access == Access::Write)
    }

    /// The space of the file system that it is on.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn space(&self) -> Result<Space, StoreError> {
        self.disk.files.space(&self.path).map_err(StoreError::file(&self.path))
    }

    /// How many directories were set aside beside it: damaged, migrated or replaced ones.
    ///
    /// # Errors
    /// When their directory cannot be read.
    pub fn kept(&self) -> Result<usize, StoreError> {
        folders::kept(&*self.disk.files, &self.path)
    }

    /// Its directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The disk that it is on.
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// The document that this store was opened for.
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// The head.
    ///
    /// # Errors
    /// When the record is damaged, the storage fails, or the store is closed; so for every method here.
    pub fn head(&self) -> Result<StoredHead, StoreError> {
        self.with(Db::head)
    }

    /// The canonical block's identifier at a height.
    ///
    /// # Errors
    /// See [`Store::head`].
    pub fn canonical(&self, height: Height) -> Result<Option<Hash>, StoreError> {
        self.with(|db| db.canonical(height))
    }

    /// A canonical block.
    ///
    /// # Errors
    /// See [`Store::head`].
    pub fn block(&self, hash: &Hash) -> Result<Option<Block>, StoreError> {
        Ok(self.with(|db| db.stored(hash))?.map(|(_, block)| block))
    }

    /// The canonical block at a height.
    ///
    /// # Errors
    /// See [`Store::head`].
    pub fn block_at(&self, height: Height) -> Result<Option<Block>, StoreError> {
        self.with(|db| db.block_at(height))
    }

    /// Where a transaction is included, when it is.
    ///
    /// # Errors
    /// See [`Store::head`].
    pub fn locate(&self, transaction: &Hash) -> Result<Option<Located>, StoreError> {
        self.with(|db| db.locate(transaction))
    }

    /// Canonical blocks above the first hash of `locator` that is canonical, within the limits of an answer.
    ///
    /// # Errors
    /// See [`Store::head`].
    pub fn range(&self, locator: &[Hash], count: u32) -> Result<Vec<Block>, StoreError> {
        self.with(|db| db.range(locator, count))
    }

    /// A number that RocksDB keeps of itself, summed over the column families; 0 when it does not know it.
    pub fn statistic(&self, property: &str) -> u64 {
        self.read().as_ref().map_or(0, |db| db.statistic(property))
    }

    /// Bytes in the block cache; 0 when the store is closed.
    pub fn cache_bytes(&self) -> u64 {
        self.read().as_ref().map_or(0, |db| db.cache_bytes())
    }

    /// How many blocks of tables were found in the cache since the store was opened, and how many were not.
    pub fn cache_hits_and_misses(&self) -> (u64, u64) {
        self.read().as_ref().map_or((0, 0), Db::cache_hits_and_misses)
    }
}

/// The state tree's view of the store.
impl TreeReader for Store {
    fn get_node_option(&self, key: &NodeKey) -> anyhow::Result<Option<Node>> {
        Ok(self.with(|db| db.node(key))?)
    }

    fn get_value_option(&self, max_version: Version, key: KeyHash) -> anyhow::Result<Option<OwnedValue>> {
        Ok(self.with(|db| db.value(max_version, key))?)
    }

    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        anyhow::bail!("restoring a tree from leaves is not supported")
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("path", &self.path).field("is_open", &self.is_open()).finish_non_exhaustive()
    }
}
