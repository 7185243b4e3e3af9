//! How the database is kept.

use rocksdb::{
    BlockBasedOptions, Cache, DBCompressionType, DBRecoveryMode, Env, LogLevel, Options, statistics::StatsLevel,
};

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

/// RocksDB's options for a database on `env`.
pub(super) fn options(env: &Env, settings: Settings) -> Options {
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
    // A log that ends in the middle of a record was being written when power failed: that record was never synced. Damage
    // before the end is of records that were, and RocksDB's default would leave out all that follows without a word.
    options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
    options.set_write_buffer_size(WRITE_BUFFER_BYTES);
    // One job at a time, and none while the node goes on: see the module's documentation.
    options.set_max_background_jobs(1);
    // Tables that cannot be read are met in one order.
    options.set_max_file_opening_threads(1);
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
    options.enable_statistics();
    options.set_statistics_level(StatsLevel::ExceptHistogramOrTimers);
    options.set_keep_log_file_num(1);
    options.set_log_level(LogLevel::Warn);
    options
}
