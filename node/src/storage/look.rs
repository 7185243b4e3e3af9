//! Looking at a database, which a node may have open at the same time: nothing on the disk is changed.

use super::{
    Settings, Store, StoreError,
    db::{Access, Db},
    folders::{self, Kept},
    keys,
    open::is_absent,
    read::StoredHead,
};
use crate::{
    seams::{Disk, Space},
    types::{ChainId, Genesis},
};
use rocksdb::properties;
use serde::Serialize;
use std::{collections::BTreeMap, path::Path};

/// A node that runs may remove a table between RocksDB's reading of which there are and its opening of them. That this
/// happens so often one after the other is no coincidence any more.
const OPEN_TRIES_MAX: u32 = 5;

/// What is known of a store without reading all of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Its schema.
    pub schema: u32,
    /// Its chain.
    pub chain: ChainId,
    /// Its head.
    pub head: StoredHead,
    /// Its families, in the order of `keys::FAMILIES`.
    pub families: Vec<FamilyStats>,
    /// Bytes of logs that are not in tables yet.
    pub log_bytes: u64,
    /// Bytes of everything in its directory.
    pub total_bytes: u64,
    /// The space of its disk.
    pub disk: Space,
    /// Directories beside it.
    pub kept: Vec<Kept>,
}

/// A column family.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FamilyStats {
    /// Its name.
    pub name: &'static str,
    /// Records, as RocksDB estimates them.
    pub records_estimate: u64,
    /// Bytes of its tables.
    pub table_bytes: u64,
    /// Tables, by level.
    pub tables: BTreeMap<i32, u64>,
}

impl Store {
    /// Opens the chain of `genesis` at `path` for reading only, as it is at this moment.
    ///
    /// # Errors
    /// [`StoreError::Absent`] when there is none, else as [`Store::open`].
    pub fn look(disk: &Disk, path: &Path, genesis: Genesis, settings: Settings) -> Result<Self, StoreError> {
        genesis.validate()?;
        let store = Self::of(disk.clone(), path.to_owned(), genesis, settings, None);
        let db = store.open_beside()?;
        store.check_identity(&db)?;
        *store.slot() = Some(db);
        Ok(store)
    }

    /// Opens what is there for reading only, whatever its schema and its chain are.
    pub(super) fn open_beside(&self) -> Result<Db, StoreError> {
        let absent = || StoreError::Absent { path: self.path.display().to_string() };
        self.recognise()?;
        // RocksDB would make the directory.
        if self.disk.files.entry(&self.path.join("CURRENT")).is_err() {
            return Err(absent());
        }
        let mut tries = 1;
        let db = loop {
            match Db::open(&self.disk, &self.path, self.settings, Access::Read) {
                Err(StoreError::Rocks(error)) if is_absent(&error) && tries < OPEN_TRIES_MAX => tries += 1,
                other => break other?,
            }
        };
        if db.schema()?.is_none() { Err(absent()) } else { Ok(db) }
    }

    /// What is known of it without reading all of it.
    ///
    /// # Errors
    /// See [`Store::head`].
    pub fn stats(&self) -> Result<Stats, StoreError> {
        let families = self.families()?;
        let (schema, head) = (self.schema()?, self.head()?);
        let files = &*self.disk.files;
        let entries = files.list(&self.path).map_err(StoreError::file(&self.path))?;
        let log_bytes = entries.iter().filter(|entry| entry.name.ends_with(".log")).map(|entry| entry.len).sum();
        let chain = self.genesis.chain_id.clone();
        let (total_bytes, kept) = (folders::size(files, &self.path)?, list_kept(&self.disk, &self.path)?);
        Ok(Stats { schema, chain, head, families, log_bytes, total_bytes, disk: self.space()?, kept })
    }

    /// Its schema, which is this release's while it is open.
    ///
    /// # Errors
    /// See [`Store::head`].
    pub fn schema(&self) -> Result<u32, StoreError> {
        self.with(|db| Ok(db.schema()?.unwrap_or_default()))
    }

    /// The sizes of its families.
    ///
    /// # Errors
    /// See [`Store::head`].
    pub fn families(&self) -> Result<Vec<FamilyStats>, StoreError> {
        self.with(|db| {
            let tables = db.rocks.live_files()?;
            let family = |name: &'static str| {
                let mut family = FamilyStats { name, ..FamilyStats::default() };
                for table in tables.iter().filter(|table| table.column_family_name == name) {
                    family.table_bytes += table.size as u64;
                    *family.tables.entry(table.level).or_default() += 1;
                }
                let estimate = db.rocks.property_int_value_cf(db.family(name), properties::ESTIMATE_NUM_KEYS)?;
                Ok(FamilyStats { records_estimate: estimate.unwrap_or_default(), ..family })
            };
            keys::FAMILIES.into_iter().map(family).collect()
        })
    }
}

/// The directories beside the database at `path` that were set aside or not finished.
///
/// # Errors
/// The file system's.
pub fn list_kept(disk: &Disk, path: &Path) -> Result<Vec<Kept>, StoreError> {
    folders::list_kept(&*disk.files, path)
}
