//! The chain on RocksDB: one atomic, synced batch for each commit.
//!
//! | column family | key | value |
//! |---|---|---|
//! | `meta` | name | schema version, genesis document, head, what is being rebuilt, the log of the agreement on the next block |
//! | `blocks` | hash | work of the chain up to it, block |
//! | `canonical` | height | hash |
//! | `transactions` | id | height and place |
//! | `nodes` | version, nibble path | node of the state tree |
//! | `values` | key hash, version (descending) | value of the state tree |
//! | `undo` | version | keys whose values that version wrote |
//!
//! Integers in keys are big-endian, so that they sort. Every value but the schema version has a checksum of its own
//! (`record`). To undo a block is to delete its version from the last three.
//!
//! RocksDB flushes only when [`Store::maintain`] asks, at commit boundaries; that is also when it compacts, and the caller
//! waits for both. So the order of disk operations is a function of the commits.
//!
//! **When the disk fails** every error says what it asks for ([`Trouble`]), and the store keeps the worst until the chain
//! task takes it ([`Store::take_trouble`]), whoever met it. That task then waits for space, opens the store again
//! ([`Store::reopen`]), or sets it aside and builds a new one of what can still be read and of what peers have
//! ([`Store::rebuild`]). Nothing here ever deletes data that was in use.

mod audit;
mod ballots;
mod check;
mod checkpoint;
mod commit;
mod compact;
mod db;
mod error;
pub(crate) mod folders;
mod inspect;
mod keys;
mod logs;
mod look;
mod migrate;
mod open;
mod read;
mod rebuild;
mod record;
mod settings;
mod store;
#[cfg(test)]
mod tests;

pub use audit::{Audit, AuditReport};
pub use ballots::Durability;
pub use error::{StoreError, Trouble};
pub use folders::{KEPT_MAX, Kept};
pub use inspect::{FINDINGS_MAX, Finding, Findings, Inspection, Progress};
pub use look::{FamilyStats, Stats, list_kept};
pub use migrate::{Migration, Plan};
pub use open::SCHEMA_VERSION;
pub use read::{Located, StoredHead};
pub use rebuild::{Rebuild, Salvage};
pub use settings::{Compression, Settings};
pub use store::{Loaded, Store};
