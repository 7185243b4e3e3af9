//! The chain on RocksDB: one atomic, synced batch for each commit.
//!
//! | column family | key | value |
//! |---|---|---|
//! | `meta` | name | schema version, genesis document, head |
//! | `blocks` | hash | work of the chain up to it, block |
//! | `canonical` | height | hash |
//! | `transactions` | id | height and place |
//! | `nodes` | version, nibble path | node of the state tree |
//! | `values` | key hash, version (descending) | value of the state tree |
//! | `undo` | version | keys whose values that version wrote |
//!
//! Integers in keys are big-endian, so that they sort. To undo a block is to delete its version from the last three.
//!
//! RocksDB flushes only when [`Store::maintain`] asks, at commit boundaries; that is also when it compacts, and the caller
//! waits for both. So the order of disk operations is a function of the commits.

mod check;
mod commit;
mod error;
mod keys;
mod open;
mod read;
mod tree;

pub use error::StoreError;
pub use open::{Compression, SCHEMA_VERSION, Settings};
pub use read::{Located, StoredHead};

use crate::types::Genesis;
use rocksdb::{DB, Options};
use std::sync::atomic::AtomicU64;

/// An open chain database. Reads may come from any task; commits come from the chain's task alone.
pub struct Store {
    db: DB,
    genesis: Genesis,
    /// Bytes committed since the memtables were last flushed.
    unflushed: AtomicU64,
    /// Kept for the statistics that belong to it.
    options: Options,
    settings: Settings,
}
