//! One open RocksDB database of this schema, and the records in it.

use super::{Settings, StoreError, keys, record, settings::options};
use crate::{crypto::Hash, seams::Disk, types::Block};
use borsh::BorshDeserialize;
use rocksdb::{
    ColumnFamily, ColumnFamilyDescriptor, DB, DBRecoveryMode, Direction, IteratorMode, Options, ReadOptions,
    WaitForCompactOptions, WriteBatch,
};
use std::path::Path;

/// An open database. All that is read of it has the checksum that was written for its key.
pub struct Db {
    pub(super) rocks: DB,
    /// Kept for the statistics that belong to it.
    pub(super) options: Options,
    pub(super) access: Access,
}

/// A key and its value.
pub type Entry = (Box<[u8]>, Vec<u8>);

/// What an open database is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everything.
    Write,
    /// Reading, beside or after somebody who writes. Nothing on the disk is changed.
    Read,
    /// Reading what can still be read of a damaged one: what the log has behind the first damage is left out.
    Salvage,
}

impl Db {
    /// Opens the database at `path`. With [`Access::Write`] it is made when it is missing, and so are its families.
    pub fn open(disk: &Disk, path: &Path, settings: Settings, access: Access) -> Result<Self, StoreError> {
        let mut options = options(&disk.env, settings);
        if access == Access::Salvage {
            options.set_wal_recovery_mode(DBRecoveryMode::SkipAnyCorruptedRecord);
        }
        let families = || keys::FAMILIES.map(|name| ColumnFamilyDescriptor::new(name, options.clone()));
        let opened = match access {
            Access::Write => DB::open_cf_descriptors(&options, path, families()),
            Access::Read | Access::Salvage => DB::open_cf_descriptors_read_only(&options, path, families(), false),
        };
        let rocks = opened.map_err(|error| {
            // RocksDB's lock has no code of its own in its C interface.
            let in_use = error.kind() == rocksdb::ErrorKind::IOError && error.as_ref().contains("lock");
            if in_use { StoreError::InUse { path: path.display().to_string() } } else { error.into() }
        })?;
        let db = Self { rocks, options, access };
        if access == Access::Write {
            db.settle()?;
        }
        Ok(db)
    }

    /// Waits until RocksDB's own threads have nothing left to do. A new table is what makes it compact, so there is
    /// something only after a flush and after opening, and nothing of the node's runs beside it.
    pub fn settle(&self) -> Result<(), StoreError> {
        Ok(self.rocks.wait_for_compact(&WaitForCompactOptions::default())?)
    }

    pub fn family(&self, name: &'static str) -> &ColumnFamily {
        self.rocks.cf_handle(name).expect("every family was opened")
    }

    /// The value of a key.
    pub fn get(&self, family: &'static str, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let stored = self.rocks.get_cf(self.family(family), key)?;
        stored.map(|stored| record::unseal(family, key, stored)).transpose()
    }

    /// The value of a key, decoded.
    pub fn find<T: BorshDeserialize>(&self, family: &'static str, key: &[u8]) -> Result<Option<T>, StoreError> {
        self.get(family, key)?.map(|value| decode(family, key, &value)).transpose()
    }

    /// The value of a key that must be there.
    pub fn need<T: BorshDeserialize>(&self, family: &'static str, key: &[u8]) -> Result<T, StoreError> {
        self.find(family, key)?.ok_or_else(|| damaged(family, key, "it is missing"))
    }

    /// The first record of a family from `from` on and below `end`.
    pub fn first(&self, family: &'static str, from: &[u8], end: Vec<u8>) -> Result<Option<Entry>, StoreError> {
        let mut options = ReadOptions::default();
        options.set_iterate_upper_bound(end);
        let mode = IteratorMode::From(from, Direction::Forward);
        let Some(entry) = self.rocks.iterator_cf_opt(self.family(family), options, mode).next() else {
            return Ok(None);
        };
        let (key, stored) = entry?;
        let value = record::unseal(family, &key, stored.into_vec())?;
        Ok(Some((key, value)))
    }

    /// Adds a record to a batch.
    pub fn put(&self, batch: &mut WriteBatch, family: &'static str, key: &[u8], value: Vec<u8>) {
        batch.put_cf(self.family(family), key, record::seal(family, key, value));
    }

    /// The schema that the database was written with; none for one that was never finished. Its record has the same form
    /// in every schema.
    pub fn schema(&self) -> Result<Option<u32>, StoreError> {
        let Some(bytes) = self.rocks.get_cf(self.family(keys::META), keys::SCHEMA)? else { return Ok(None) };
        let schema = bytes.as_slice().try_into().map(u32::from_le_bytes);
        schema.map(Some).map_err(|_| damaged(keys::META, keys::SCHEMA, "it has another form"))
    }

    /// A block and the work of the chain up to it. It is the one that its key says.
    pub fn stored(&self, hash: &Hash) -> Result<Option<(crate::types::Work, Block)>, StoreError> {
        let found: Option<(crate::types::Work, Block)> = self.find(keys::BLOCKS, &hash.0)?;
        if let Some((_, block)) = &found
            && block.hash() != *hash
        {
            return Err(damaged(keys::BLOCKS, &hash.0, &format!("the block there is {}", block.hash().short())));
        }
        Ok(found)
    }
}

pub(super) fn decode<T: BorshDeserialize>(family: &'static str, key: &[u8], value: &[u8]) -> Result<T, StoreError> {
    borsh::from_slice(value).map_err(|cause| damaged(family, key, &cause.to_string()))
}

pub(super) fn damaged(family: &'static str, key: &[u8], cause: &str) -> StoreError {
    StoreError::Damaged { family, key: keys::shown(family, key), cause: cause.to_owned() }
}
