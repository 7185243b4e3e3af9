//! Opening a store: new, ours, or refused.

use super::{
    Settings, Store, StoreError, Trouble,
    db::{Access, Db, damaged},
    folders, keys, logs,
    settings::options,
    store::Loaded,
};
use crate::{
    chain::CommitBlock,
    crypto::Hash,
    ledger,
    seams::Disk,
    types::{Consensus, Genesis, Height, Work},
};
use rocksdb::{DB, Options, WriteBatch};
use std::{path::Path, sync::Arc};

/// The schema that this release writes. Schema 1 had no checksums of values.
pub const SCHEMA_VERSION: u32 = 2;

impl Store {
    /// Opens the chain of `genesis` at `path`; makes it when there is nothing. When the disk is too full to open it for
    /// writing, it is open for reading only.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was overwritten.
    pub fn open(disk: &Disk, path: &Path, genesis: Genesis, settings: Settings) -> Result<Self, StoreError> {
        genesis.validate()?;
        folders::settle(&*disk.files, path)?;
        let store = Self::of(disk.clone(), path.to_owned(), genesis, settings, None);
        *store.slot() = Some(store.open_again()?);
        Ok(store)
    }

    /// The database, as [`Store::open`] opens it.
    pub(super) fn open_again(&self) -> Result<Db, StoreError> {
        self.recognise()?;
        let opened = Db::open(&self.disk, &self.path, self.settings, Access::Write);
        let opened = opened.and_then(|db| self.check_or_initialise(&db).map(|()| db));
        match opened {
            Err(error) if error.trouble() == Some(Trouble::Full) => {
                let db = Db::open(&self.disk, &self.path, self.settings, Access::Read).map_err(|_| error)?;
                self.check_identity(&db)?;
                Ok(db)
            }
            other => other,
        }
    }

    /// Refuses a database of another program, and one that has lost the file that says what it is made of: RocksDB would
    /// make a new one in its place.
    pub(super) fn recognise(&self) -> Result<(), StoreError> {
        let options = options(&self.disk.env, self.settings);
        let place = || self.path.display().to_string();
        if self.disk.files.entry(&self.path.join("CURRENT")).is_err() {
            return self.refuse_remains();
        }
        logs::look(&*self.disk.files, &self.path)?.demand_readable()?;
        let found = DB::list_cf(&options, &self.path).map_err(|error| match error.kind() {
            // CURRENT names a file that is not there.
            rocksdb::ErrorKind::NotFound => StoreError::Corrupt(error.into_string()),
            _ if is_absent(&error) => StoreError::Corrupt(error.into_string()),
            _ => error.into(),
        })?;
        if let Some(other) = found.iter().find(|name| *name != "default" && !keys::FAMILIES.contains(&name.as_str())) {
            return Err(StoreError::Foreign { path: place(), found: format!("a database with {other:?}") });
        }
        if found.len() < keys::FAMILIES.len() && !is_unfinished(&options, &self.path, &found)? {
            return Err(StoreError::Foreign { path: place(), found: "a database without a chain".into() });
        }
        Ok(())
    }

    /// Without CURRENT there is no database, or one whose first start was cut off: that has no tables and no log yet.
    fn refuse_remains(&self) -> Result<(), StoreError> {
        let entries = match self.disk.files.list(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(StoreError::file(&self.path)(error)),
        };
        let is_data = |name: &str| name.ends_with(".sst") || name.ends_with(".log");
        match entries.iter().find(|entry| is_data(&entry.name) && entry.len > 0) {
            None => Ok(()),
            Some(entry) => Err(StoreError::Corrupt(format!("CURRENT is missing, and {} is there", entry.name))),
        }
    }

    fn check_or_initialise(&self, db: &Db) -> Result<(), StoreError> {
        match db.schema()? {
            None => self.initialise(db, None),
            Some(_) => self.check_identity(db),
        }
    }

    /// Refuses another schema and another chain.
    pub(super) fn check_identity(&self, db: &Db) -> Result<(), StoreError> {
        match db.schema()? {
            None => return Err(damaged(keys::META, keys::SCHEMA, "it is missing")),
            Some(SCHEMA_VERSION) => {}
            Some(found) if found > SCHEMA_VERSION => {
                return Err(StoreError::NewerSchema { found, known: SCHEMA_VERSION });
            }
            Some(found) => return Err(StoreError::OlderSchema { found, known: SCHEMA_VERSION }),
        }
        self.is_genesis(db.need(keys::META, keys::GENESIS)?)
    }

    /// Refuses another chain's document.
    pub(super) fn is_genesis(&self, found: Genesis) -> Result<(), StoreError> {
        if found.chain_id != self.genesis.chain_id {
            return Err(StoreError::OtherChain { expected: self.genesis.chain_id.clone(), found: found.chain_id });
        }
        if found != self.genesis {
            return Err(StoreError::OtherGenesis(found.chain_id));
        }
        Ok(())
    }

    /// Writes the genesis block, its state, and who this database belongs to, in one batch.
    pub(super) fn initialise(&self, db: &Db, rebuild: Option<Vec<u8>>) -> Result<(), StoreError> {
        let executed = ledger::execute_genesis(&self.genesis)?;
        let block = Arc::new(self.genesis.block(executed.state_root));
        let hash = block.hash();
        let first = CommitBlock { hash, block, work: Work(0), update: executed.update };
        let mut batch = WriteBatch::default();
        batch.put_cf(db.family(keys::META), keys::SCHEMA, SCHEMA_VERSION.to_le_bytes());
        db.put(&mut batch, keys::META, keys::GENESIS, crate::encode(&self.genesis));
        if let Some(rebuild) = rebuild {
            db.put(&mut batch, keys::META, keys::REBUILD, rebuild);
        }
        if self.genesis.params.consensus == Consensus::Pos {
            db.put(&mut batch, keys::META, keys::UNSURE, Vec::new());
        }
        db.put_block(&mut batch, &first);
        db.write(batch, hash).map(drop)
    }

    /// What the genesis block of this store is.
    ///
    /// # Errors
    /// When the record is damaged or the storage fails.
    pub fn genesis_hash(&self) -> Result<Hash, StoreError> {
        self.canonical(Height(0))?.ok_or_else(|| damaged(keys::CANONICAL, &keys::height(Height(0)), "it is missing"))
    }

    /// What a core starts from, after the start-up check.
    ///
    /// # Errors
    /// When something is damaged or the storage fails.
    pub fn load(&self) -> Result<Loaded, StoreError> {
        let genesis = self.genesis_hash()?;
        let headers = self.with(Db::recent_headers)?;
        self.check(&headers).inspect_err(|error| self.note(error))?;
        Ok(Loaded { genesis, headers })
    }
}

/// Whether RocksDB says that a file is not there. For most of those its C interface knows no code, only a text.
pub(super) fn is_absent(error: &rocksdb::Error) -> bool {
    ["No such file", "no such file", "does not exist"].iter().any(|text| error.as_ref().contains(text))
}

/// Whether an earlier start was cut off before it had made all column families: then there is no schema record yet.
fn is_unfinished(options: &Options, path: &Path, families: &[String]) -> Result<bool, StoreError> {
    let db = DB::open_cf_for_read_only(options, path, families, false)?;
    match db.cf_handle(keys::META) {
        None => Ok(db.iterator(rocksdb::IteratorMode::Start).next().is_none()),
        Some(meta) => Ok(db.get_cf(meta, keys::SCHEMA)?.is_none()),
    }
}
