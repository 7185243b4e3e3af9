//! A damaged store: set aside whole, and built anew of what can still be read of it and of what peers have.
//!
//! The new database says in its record `rebuild` what it is to become, so a rebuild that is cut off goes on at the next
//! start. It is over when the new chain has as much work as the old one had: only then may it be served.

use super::{
    Store, StoreError, Trouble,
    db::{Access, Db},
    folders::{self, KEPT_MAX, Reason, Settled},
    keys,
    logs::{self, LogState},
    open::is_absent,
    read::StoredHead,
};
use crate::{
    crypto::Hash,
    seams::Disk,
    types::{Block, Genesis, Height, Work},
};
use rocksdb::WriteBatch;
use std::{io, path::Path};

/// What a database is rebuilt from, and what it has to reach.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Rebuild {
    /// The head that the damaged one had; none when that could not be read any more.
    pub target: Option<StoredHead>,
    /// Names of the directories, beside this one, that hold damaged ones: the last first, and after it those that it was
    /// being rebuilt from itself. At most [`KEPT_MAX`].
    pub kept: Vec<String>,
}

type Record = (Option<(Height, Hash, Work)>, Vec<String>);

impl Rebuild {
    fn encode(&self) -> Vec<u8> {
        let target = self.target.map(|StoredHead { height, hash, work }| (height, hash, work));
        crate::encode(&(target, self.kept.clone()))
    }

    fn of((target, kept): Record) -> Self {
        Self { target: target.map(|(height, hash, work)| StoredHead { height, hash, work }), kept }
    }
}

/// Damaged databases, open for what can still be read of them.
pub struct Salvage(Vec<Db>);

impl Salvage {
    /// The canonical block at a height, if one of them has it and it is what its identifier says.
    pub fn block_at(&self, height: Height) -> Option<Block> {
        // Why one cannot be read is known: the database is damaged.
        self.0.iter().find_map(|db| db.block_at(height).ok().flatten())
    }
}

impl Store {
    /// Sets the database at `path` aside, whatever state it is in, and makes a new one there that is to be rebuilt. It must
    /// not be open.
    ///
    /// # Errors
    /// [`StoreError`]; then the damaged one is still in its place, or [`Store::open`] finishes what was begun.
    pub fn rebuild(disk: &Disk, path: &Path, genesis: Genesis, settings: super::Settings) -> Result<Self, StoreError> {
        let store = Self::of(disk.clone(), path.to_owned(), genesis, settings, None);
        store.replace_damaged(store.what_it_was()?)?;
        *store.slot() = Some(store.open_again()?);
        Ok(store)
    }

    /// As [`Store::rebuild`], of a store that may be open. Its readers see the new one when this returns. `was` is the
    /// rebuild that it was in, or its head and no directories.
    ///
    /// # Errors
    /// As [`Store::rebuild`]; then it is closed.
    pub fn rebuild_in_place(&self, was: Rebuild) -> Result<(), StoreError> {
        let mut slot = self.slot();
        drop(slot.take());
        self.unflushed.store(0, std::sync::atomic::Ordering::Relaxed);
        self.replace_damaged(was)?;
        *slot = Some(self.open_again()?);
        Ok(())
    }

    fn replace_damaged(&self, was: Rebuild) -> Result<(), StoreError> {
        let files = &*self.disk.files;
        if folders::settle(files, &self.path)? == Settled::Finished {
            // An earlier try failed between its two renames: its new one knows what it is to become.
            return Ok(());
        }
        // An earlier try that failed after them made a database that knows of one more directory.
        let made = self.what_it_was().map(|made| made.kept).unwrap_or_default();
        let mut kept = if made.is_empty() { was.kept } else { made };
        if let Some(path) = folders::next_kept(files, &self.path, Reason::Damaged)? {
            kept.insert(0, path.file_name().unwrap_or_default().to_string_lossy().into_owned());
        }
        kept.truncate(KEPT_MAX);
        let staging = folders::staging(files, &self.path)?;
        let made = Db::open(&self.disk, &staging, self.settings, Access::Write)?;
        self.initialise(&made, Some(Rebuild { target: was.target, kept }.encode()))?;
        drop(made);
        folders::replace(files, &self.path, Reason::Damaged).map(drop)
    }

    /// What can be read of a damaged database about itself: the rebuild that it was in, or its head. A failure to read is
    /// no reason to forget that: only damage is.
    fn what_it_was(&self) -> Result<Rebuild, StoreError> {
        let unknown = Rebuild { target: None, kept: Vec::new() };
        let Some(db) = self.open_kept(&self.path)? else { return Ok(unknown) };
        if let Some(Some(record)) = unless_damaged(db.find::<Record>(keys::META, keys::REBUILD))? {
            // What was being rebuilt still has to reach what the first one had, known or not.
            return Ok(Rebuild::of(record));
        }
        match logs::look(&*self.disk.files, &self.path)? {
            LogState::Readable => Ok(Rebuild { target: unless_damaged(db.head())?, ..unknown }),
            // Behind the damaged place there may have been a later head.
            LogState::Shortened(_) | LogState::Endless(_) => Ok(unknown),
        }
    }

    /// A damaged database, if enough of it is left to open it.
    fn open_kept(&self, path: &Path) -> Result<Option<Db>, StoreError> {
        let current = path.join("CURRENT");
        match self.disk.files.entry(&current) {
            Ok(_) => {}
            // RocksDB would make the directory.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::file(&current)(error)),
        }
        if let LogState::Endless(_) = logs::look(&*self.disk.files, path)? {
            return Ok(None);
        }
        match Db::open(&self.disk, path, self.settings, Access::Salvage) {
            Err(StoreError::Rocks(error)) if is_absent(&error) => Ok(None),
            opened => unless_damaged(opened),
        }
    }

    /// What this database is rebuilt from, while it is not whole yet.
    ///
    /// # Errors
    /// See [`Store::head`].
    pub fn rebuilding(&self) -> Result<Option<Rebuild>, StoreError> {
        self.with(|db| Ok(db.find::<Record>(keys::META, keys::REBUILD)?.map(Rebuild::of)))
    }

    /// The rebuilt database is whole.
    ///
    /// # Errors
    /// When the storage fails; then it counts as being rebuilt still.
    pub fn rebuilt(&self) -> Result<(), StoreError> {
        self.with_alone(|db| {
            let mut batch = WriteBatch::default();
            batch.delete_cf(db.family(keys::META), keys::REBUILD);
            db.write_synced(batch)
        })
    }

    /// The damaged databases that this one is rebuilt from, if enough of one is left to open it.
    pub fn salvage(&self, rebuild: &Rebuild) -> Option<Salvage> {
        // One that cannot be read now is read at the next start.
        let open = |name: &String| self.open_kept(&self.path.with_file_name(name)).ok().flatten();
        let found: Vec<_> = rebuild.kept.iter().filter_map(open).collect();
        if found.is_empty() { None } else { Some(Salvage(found)) }
    }
}

/// What was read, or none when it is damaged.
fn unless_damaged<T>(read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match read {
        Err(error) if error.trouble() == Some(Trouble::Damaged) => Ok(None),
        other => other.map(Some),
    }
}
