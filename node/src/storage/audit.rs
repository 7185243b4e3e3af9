//! Reading everything: the whole of what is on the disk, past all caches, a part at a time.
//!
//! Damage that nobody reads stays hidden until it is needed, perhaps when the last other copy is gone. An [`Audit`] opens
//! the database a second time, for reading only and with no cache that holds anything yet, and goes through every record of
//! every family: RocksDB checks the checksums of its blocks, and each value is held against its own.

use super::{
    Settings, Store, StoreError,
    db::{Access, Db},
    keys, record,
};
use rocksdb::{Direction, IteratorMode, ReadOptions};

/// The cache of an audit: the least there can be, since every block is read once.
const CACHE_SIZE_MB: usize = 1;

/// What an audit has read so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct AuditReport {
    /// Records.
    pub records: u64,
    /// Bytes of keys and values.
    pub bytes: u64,
}

/// A reading of a whole store, as it was when the audit began.
pub struct Audit {
    db: Db,
    /// The family that is being read, and the key after which it goes on.
    family: usize,
    after: Option<Vec<u8>>,
    report: AuditReport,
}

impl Audit {
    /// Begins to read what is stored now. Commits go on meanwhile.
    ///
    /// # Errors
    /// When the database cannot be opened a second time, or is damaged where that is seen at once.
    pub fn begin(store: &Store) -> Result<Self, StoreError> {
        let settings = Settings { cache_size_mb: CACHE_SIZE_MB, ..store.settings };
        let db = Db::open(&store.disk, &store.path, settings, Access::Read).inspect_err(|error| store.note(error))?;
        Ok(Self::of(db))
    }

    /// A reading of what `db` holds.
    pub(super) fn of(db: Db) -> Self {
        Self { db, family: 0, after: None, report: AuditReport::default() }
    }

    /// The database that is read.
    pub(super) fn db(&self) -> &Db {
        &self.db
    }

    /// Reads on, about `bytes` more. True when everything has been read.
    ///
    /// # Errors
    /// The first damage, or when the storage fails. `store` notes it. A step after that goes on behind it: with the next
    /// record, or with the next family where RocksDB cannot read on in this one.
    pub fn step(&mut self, store: &Store, bytes: u64) -> Result<bool, StoreError> {
        self.read(bytes).inspect_err(|error| store.note(error))
    }

    /// What was read so far.
    pub fn report(&self) -> AuditReport {
        self.report
    }

    pub(super) fn read(&mut self, bytes: u64) -> Result<bool, StoreError> {
        let until = self.report.bytes.saturating_add(bytes);
        while let Some(family) = keys::FAMILIES.get(self.family).copied() {
            let mut options = ReadOptions::default();
            options.fill_cache(false);
            let from = self.after.take();
            let mode = match &from {
                Some(key) => IteratorMode::From(key, Direction::Forward),
                None => IteratorMode::Start,
            };
            for entry in self.db.rocks.iterator_cf_opt(self.db.family(family), options, mode) {
                let (key, stored) = match entry {
                    Ok(entry) => entry,
                    Err(error) => {
                        self.family += 1;
                        return Err(error.into());
                    }
                };
                if from.as_deref() == Some(&*key) {
                    continue;
                }
                self.report.records += 1;
                self.report.bytes += (key.len() + stored.len()) as u64;
                if (family, &*key) != (keys::META, keys::SCHEMA)
                    && let Err(error) = record::unseal(family, &key, stored.into_vec())
                {
                    self.after = Some(key.into_vec());
                    return Err(error);
                }
                if self.report.bytes >= until {
                    self.after = Some(key.into_vec());
                    return Ok(false);
                }
            }
            self.family += 1;
        }
        Ok(true)
    }
}
