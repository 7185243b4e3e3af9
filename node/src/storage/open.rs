//! Opening a store: new, ours, or refused.

use super::{Store, StoreError, keys};
use crate::{
    chain::CommitBlock,
    crypto::Hash,
    ledger,
    types::{Genesis, Work},
};
use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamilyDescriptor, DB, DBCompressionType, Env, LogLevel, Options,
    statistics::StatsLevel,
};
use std::{path::Path, sync::Arc};

/// The schema that this release writes.
pub const SCHEMA_VERSION: u32 = 1;

/// RocksDB's own write buffer. Above [`Settings::flush_bytes`] at its largest, so that RocksDB never flushes on its own.
const WRITE_BUFFER_BYTES: usize = 256 * 1024 * 1024;

/// How the database is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Block cache, in MiB; 1 to 65536.
    pub cache_size_mb: usize,
    /// Compression of tables.
    pub compression: Compression,
    /// Bytes committed between two flushes; 64 KiB to 64 MiB.
    pub flush_bytes: u64,
}

/// Compression of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// None.
    None,
    /// LZ4.
    Lz4,
}

impl Default for Settings {
    fn default() -> Self {
        Self { cache_size_mb: 64, compression: Compression::Lz4, flush_bytes: 4 * 1024 * 1024 }
    }
}

impl Store {
    /// Opens the chain of `genesis` at `path` on the disk of `env`; makes it when there is nothing.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was written.
    pub fn open(env: &Env, path: &Path, genesis: Genesis, settings: Settings) -> Result<Self, StoreError> {
        genesis.validate()?;
        let place = path.display().to_string();
        let options = options(env, settings);
        let found = match DB::list_cf(&options, path) {
            Ok(families) => Some(families),
            // There is no database yet, or one whose first CURRENT was never written: RocksDB makes it anew.
            Err(error) if is_absent(&error) => None,
            Err(error) => return Err(error.into()),
        };
        if let Some(found) = &found
            && let Some(other) =
                found.iter().find(|name| *name != "default" && !keys::FAMILIES.contains(&name.as_str()))
        {
            return Err(StoreError::Foreign { path: place, found: format!("a database with {other:?}") });
        }
        if found.as_ref().is_some_and(|found| found.len() < keys::FAMILIES.len()) && !is_unfinished(&options, path)? {
            return Err(StoreError::Foreign { path: place, found: "a database without a chain".into() });
        }
        let families = keys::FAMILIES.map(|name| ColumnFamilyDescriptor::new(name, options.clone()));
        let db = DB::open_cf_descriptors(&options, path, families).map_err(|error| {
            let in_use = error.to_string().contains("lock");
            if in_use { StoreError::InUse { path: place.clone() } } else { error.into() }
        })?;
        let store = Self { db, genesis, unflushed: 0.into(), options, settings };
        store.settle()?;
        store.check_or_initialise(&place)?;
        Ok(store)
    }

    fn check_or_initialise(&self, place: &str) -> Result<(), StoreError> {
        let meta = self.family(keys::META);
        let Some(schema) = self.db.get_cf(meta, keys::SCHEMA)? else {
            return self.initialise();
        };
        let schema = schema.as_slice().try_into().map(u32::from_le_bytes).map_err(|_| StoreError::Foreign {
            path: place.to_owned(),
            found: "a schema record of another shape".into(),
        })?;
        if schema > SCHEMA_VERSION {
            return Err(StoreError::NewerSchema { found: schema, known: SCHEMA_VERSION });
        }
        let found: Genesis = self.decode(keys::META, keys::GENESIS, self.db.get_cf(meta, keys::GENESIS)?)?;
        if found.chain_id != self.genesis.chain_id {
            return Err(StoreError::OtherChain { expected: self.genesis.chain_id.clone(), found: found.chain_id });
        }
        if found != self.genesis {
            return Err(StoreError::OtherGenesis(found.chain_id));
        }
        Ok(())
    }

    /// Writes the genesis block, its state, and who this store belongs to, in one batch.
    fn initialise(&self) -> Result<(), StoreError> {
        let executed = ledger::execute_genesis(&self.genesis)?;
        let block = Arc::new(self.genesis.block(executed.state_root));
        let hash = block.hash();
        let first = CommitBlock { hash, block, work: Work(0), update: executed.update };
        let mut batch = rocksdb::WriteBatch::default();
        batch.put_cf(self.family(keys::META), keys::SCHEMA, SCHEMA_VERSION.to_le_bytes());
        batch.put_cf(self.family(keys::META), keys::GENESIS, crate::encode(&self.genesis));
        self.put_block(&mut batch, &first);
        self.write(batch, hash)
    }

    /// What the genesis block of this store is.
    ///
    /// # Errors
    /// When the record is damaged or the storage fails.
    pub fn genesis_hash(&self) -> Result<Hash, StoreError> {
        self.canonical(crate::types::Height(0))?.ok_or_else(|| StoreError::Damaged {
            family: keys::CANONICAL,
            key: "0".into(),
            cause: "it is missing".into(),
        })
    }

    /// The document that this store was opened for.
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    pub(super) fn family(&self, name: &'static str) -> &rocksdb::ColumnFamily {
        self.db.cf_handle(name).expect("every family was opened")
    }
}

fn is_absent(error: &rocksdb::Error) -> bool {
    let text = error.to_string();
    text.contains("No such file")
        || text.contains("not found")
        || text.contains("NotFound")
        || text.contains("does not exist")
}

/// Whether an earlier start was cut off before it had made all column families: then there is no schema record yet.
fn is_unfinished(options: &Options, path: &Path) -> Result<bool, StoreError> {
    let families = DB::list_cf(options, path)?;
    if !families.iter().any(|name| name == keys::META) {
        let db = DB::open_cf_for_read_only(options, path, &families, false)?;
        return Ok(db.iterator(rocksdb::IteratorMode::Start).next().is_none());
    }
    let db = DB::open_cf_for_read_only(options, path, &families, false)?;
    let meta = db.cf_handle(keys::META).expect("it is in the list");
    Ok(db.get_cf(meta, keys::SCHEMA)?.is_none())
}

fn options(env: &Env, settings: Settings) -> Options {
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(&Cache::new_lru_cache(settings.cache_size_mb * 1024 * 1024));
    table.set_bloom_filter(10.0, false);
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_env(env);
    options.set_block_based_table_factory(&table);
    options.set_compression_type(match settings.compression {
        Compression::None => DBCompressionType::None,
        Compression::Lz4 => DBCompressionType::Lz4,
    });
    options.set_paranoid_checks(true);
    options.set_write_buffer_size(WRITE_BUFFER_BYTES);
    // One job at a time, and none while the node goes on: see the module's documentation.
    options.set_max_background_jobs(1);
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
    options.enable_statistics();
    options.set_statistics_level(StatsLevel::ExceptHistogramOrTimers);
    options.set_keep_log_file_num(1);
    options.set_log_level(LogLevel::Warn);
    options
}
