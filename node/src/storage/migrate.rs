//! Schemas of older releases: forward only, one step for each version, into a copy.
//!
//! A migration writes a whole new database beside the old one, counts what is in it, makes the check that a start makes,
//! and only then puts it in the old one's place, which is kept beside it. Whatever goes wrong before that leaves the old
//! one as it was, and the release that wrote it can still run on it.
//!
//! A later schema is one more [`Step`]: what becomes of a record of the one before.

use super::{
    Audit, Progress, SCHEMA_VERSION, Settings, Store, StoreError,
    db::{Access, Db},
    folders::{self, Reason},
    keys, record,
};
use crate::{
    seams::{Disk, Space},
    types::Genesis,
};
use rocksdb::{IteratorMode, ReadOptions, WriteBatch, WriteOptions};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Bytes of one batch.
const BATCH_BYTES_MAX: usize = 1 << 20;
/// Bytes between two flushes: what the copy holds in memory, as it is written without a log.
const FLUSH_BYTES: u64 = 64 << 20;
/// Bytes between two words about progress.
const STEP_BYTES: u64 = 4 << 20;
/// While RocksDB merges tables, it has the old ones and the new ones.
const SPACE_FACTOR: u64 = 2;
/// Space for what does not grow with the chain: manifest, options, filters of small tables.
const SPACE_BYTES: u64 = 16 << 20;

/// From one schema to the next.
pub struct Step {
    /// The schema that it begins with; it ends with the next one.
    from: u32,
    /// What it does, for people.
    what: &'static str,
    /// What becomes of the stored bytes of a record.
    convert: fn(&'static str, &[u8], Vec<u8>) -> Vec<u8>,
}

/// Every step, the oldest first.
const STEPS: [Step; 1] = [Step { from: 1, what: "gives each value a checksum", convert: record::seal }];

/// What a migration will do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The schema that is there.
    pub from: u32,
    /// The schema that there will be.
    pub to: u32,
    /// What each step on the way does.
    pub steps: Vec<&'static str>,
    /// Records to copy.
    pub records: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
    /// Bytes of disk that the copy may take for a while.
    pub needed_bytes: u64,
    /// The space of the disk.
    pub disk: Space,
    /// The directory beside it in which the old database will be kept.
    pub kept: String,
}

/// A database of an older schema, open.
pub struct Migration {
    /// The store at the place of the old one. Closed: its schema is not the one that stores read.
    store: Store,
    old: Db,
    from: u32,
}

impl Migration {
    /// Opens the database at `path` to see what a migration would do: nothing is changed. None when its schema is this
    /// release's.
    ///
    /// # Errors
    /// [`StoreError::NewerSchema`], [`StoreError::UnknownSchema`], [`StoreError::OtherChain`], [`StoreError::Absent`], or when it cannot be read.
    pub fn look(disk: &Disk, path: &Path, genesis: Genesis, settings: Settings) -> Result<Option<Self>, StoreError> {
        Self::open(Store::of(disk.clone(), path.to_owned(), genesis, settings, None), Access::Read)
    }

    /// As [`Migration::look`], for [`Migration::run`]. Nobody else may have it open, and no other process can open it
    /// meanwhile.
    ///
    /// # Errors
    /// As [`Migration::look`], and [`StoreError::InUse`].
    pub fn begin(disk: &Disk, path: &Path, genesis: Genesis, settings: Settings) -> Result<Option<Self>, StoreError> {
        folders::settle(&*disk.files, path)?;
        Self::open(Store::of(disk.clone(), path.to_owned(), genesis, settings, None), Access::Write)
    }

    fn open(store: Store, access: Access) -> Result<Option<Self>, StoreError> {
        // Looked at first: opened for writing, an unfinished database would be finished.
        let old = store.open_beside()?;
        let from = old.schema()?.unwrap_or_default();
        if from == SCHEMA_VERSION {
            return Ok(None);
        }
        if from > SCHEMA_VERSION {
            return Err(StoreError::NewerSchema { found: from, known: SCHEMA_VERSION });
        }
        if steps(from).next().is_none_or(|step| step.from != from) {
            return Err(StoreError::UnknownSchema { found: from });
        }
        let old = match access {
            Access::Write => {
                drop(old);
                Db::open(&store.disk, &store.path, store.settings, Access::Write)?
            }
            Access::Read | Access::Salvage => old,
        };
        let migration = Self { store, old, from };
        migration.is_of_this_chain()?;
        Ok(Some(migration))
    }

    /// Holds the genesis document against the configured one, before anything is copied.
    fn is_of_this_chain(&self) -> Result<(), StoreError> {
        let family = self.old.family(keys::META);
        let stored = self.old.rocks.get_cf(family, keys::GENESIS)?;
        let missing = || super::db::damaged(keys::META, keys::GENESIS, "it is missing");
        let stored = convert(self.from, keys::META, keys::GENESIS, stored.ok_or_else(missing)?);
        let found = record::unseal(keys::META, keys::GENESIS, stored)?;
        self.store.is_genesis(super::db::decode(keys::META, keys::GENESIS, &found)?)
    }

    /// Reads everything once: what there is to copy, and that all of it can be read.
    ///
    /// # Errors
    /// When it is damaged or the storage fails, and [`StoreError::TooManyKept`].
    pub fn plan(&self, tell: &mut dyn FnMut(Progress)) -> Result<Plan, StoreError> {
        let of = self.old.statistic("rocksdb.estimate-num-keys");
        let (mut records, mut bytes, mut told) = (0, 0, 0);
        for family in keys::FAMILIES {
            self.each(family, |key, stored| {
                records += 1;
                bytes += (key.len() + convert(self.from, family, key, stored).len()) as u64;
                if bytes >= told + STEP_BYTES {
                    told = bytes;
                    tell(Progress { part: "reading", done: records, of });
                }
                Ok(())
            })?;
        }
        let Store { disk, path, .. } = &self.store;
        let kept = folders::next_kept(&*disk.files, path, Reason::Migrated)?.unwrap_or_default();
        Ok(Plan {
            from: self.from,
            to: SCHEMA_VERSION,
            steps: steps(self.from).map(|step| step.what).collect(),
            records,
            bytes,
            needed_bytes: bytes.saturating_mul(SPACE_FACTOR).saturating_add(SPACE_BYTES),
            disk: self.store.space()?,
            kept: kept.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        })
    }

    /// Makes the new database and puts it in the place of the old one. Gives where that is kept.
    ///
    /// # Errors
    /// [`StoreError::NoRoom`], and whatever the storage fails at. Then the old one is in its place as it was, or
    /// [`Store::open`] finishes what was begun.
    pub fn run(self, plan: &Plan, tell: &mut dyn FnMut(Progress)) -> Result<PathBuf, StoreError> {
        let space = self.store.space()?;
        if space.free < plan.needed_bytes {
            return Err(StoreError::NoRoom { needed: plan.needed_bytes, free: space.free });
        }
        let (disk, path) = (self.store.disk.clone(), self.store.path.clone());
        let made = self.make(plan, tell);
        // It must be closed before it is moved.
        drop(self);
        let kept = made.and_then(|()| folders::replace(&*disk.files, &path, Reason::Migrated));
        let kept = kept.inspect_err(|_| folders::abandon(&*disk.files, &path))?;
        Ok(kept.unwrap_or_default())
    }

    fn make(&self, plan: &Plan, tell: &mut dyn FnMut(Progress)) -> Result<(), StoreError> {
        let Store { disk, path, genesis, settings, .. } = &self.store;
        let staging = folders::staging(&*disk.files, path)?;
        let new = Db::open(disk, &staging, *settings, Access::Write)?;
        self.copy(&new, plan.records, tell)?;
        let mut audit = Audit::of(new);
        while !audit.read(STEP_BYTES)? {
            tell(Progress { part: "checking", done: audit.report().records, of: plan.records });
        }
        let mut batch = WriteBatch::default();
        batch.put_cf(audit.db().family(keys::META), keys::SCHEMA, SCHEMA_VERSION.to_le_bytes());
        // The schema's own record comes last: a copy without it is none.
        let (expected, found) = (plan.records, audit.report().records + 1);
        if expected != found {
            return Err(StoreError::CopyDiffers { expected, found });
        }
        audit.db().write_synced(batch)?;
        audit.db().flush()?;
        drop(audit);
        let new = Db::open(disk, &staging, *settings, Access::Read)?;
        let new = Store::of(disk.clone(), staging, genesis.clone(), *settings, Some(new));
        new.with(|db| new.check_identity(db))?;
        new.load().map(drop).map_err(|error| new.judged(error))
    }

    /// Everything but the schema's record, in tables.
    fn copy(&self, new: &Db, of: u64, tell: &mut dyn FnMut(Progress)) -> Result<(), StoreError> {
        let mut options = WriteOptions::default();
        options.disable_wal(true);
        let mut batch = WriteBatch::default();
        let (mut records, mut unflushed) = (0, 0);
        for family in keys::FAMILIES {
            self.each(family, |key, stored| {
                if (family, key) == (keys::META, keys::SCHEMA) {
                    return Ok(());
                }
                batch.put_cf(new.family(family), key, convert(self.from, family, key, stored));
                records += 1;
                if batch.size_in_bytes() >= BATCH_BYTES_MAX {
                    unflushed += batch.size_in_bytes() as u64;
                    new.rocks.write_opt(std::mem::take(&mut batch), &options)?;
                    tell(Progress { part: "copying", done: records, of });
                }
                if unflushed >= FLUSH_BYTES {
                    unflushed = 0;
                    new.flush()?;
                }
                Ok(())
            })?;
        }
        new.rocks.write_opt(batch, &options)?;
        new.flush()
    }

    fn each(
        &self,
        family: &'static str,
        mut f: impl FnMut(&[u8], Vec<u8>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut options = ReadOptions::default();
        options.fill_cache(false);
        for entry in self.old.rocks.iterator_cf_opt(self.old.family(family), options, IteratorMode::Start) {
            let (key, stored) = entry?;
            f(&key, stored.into_vec())?;
        }
        Ok(())
    }
}

/// The steps from a schema to this release's.
fn steps(from: u32) -> impl Iterator<Item = &'static Step> {
    STEPS.iter().filter(move |step| step.from >= from)
}

/// The record of this release's schema that becomes of one of `from`. The schema's own has the same form in every one.
fn convert(from: u32, family: &'static str, key: &[u8], stored: Vec<u8>) -> Vec<u8> {
    match (family, key) {
        (keys::META, keys::SCHEMA) => stored,
        _ => steps(from).fold(stored, |stored, step| (step.convert)(family, key, stored)),
    }
}
