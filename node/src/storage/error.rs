//! What can be wrong with a store.

use crate::{
    ledger::ReadError,
    types::{ChainId, GenesisError},
};

/// A store that cannot be opened, read or written. None of these loses data: nothing is overwritten on the way to one.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has it open.
    #[error("the data directory {path} is in use by another process")]
    InUse {
        /// The directory.
        path: String,
    },
    /// Not a data directory of this node.
    #[error("the data directory {path} holds something else: {found}; choose another or an empty one")]
    Foreign {
        /// The directory.
        path: String,
        /// What is there.
        found: String,
    },
    /// Written by a newer release.
    #[error("the data directory has schema {found}, and this release knows up to {known}; use a newer release")]
    NewerSchema {
        /// The directory's schema.
        found: u32,
        /// This release's.
        known: u32,
    },
    /// The data of another chain.
    #[error("the data directory is of chain {found:?}, and the configuration is for {expected:?}")]
    OtherChain {
        /// The configured chain.
        expected: ChainId,
        /// The directory's.
        found: ChainId,
    },
    /// The chain has the right name and another genesis document.
    #[error("the data directory is of another {0:?}: its genesis document differs from the configured one")]
    OtherGenesis(ChainId),
    /// The configured genesis document is wrong.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// A value does not decode, or one that must be there is missing.
    #[error("the value of {key} in {family} is damaged: {cause}")]
    Damaged {
        /// Column family.
        family: &'static str,
        /// Key, as text.
        key: String,
        /// What is wrong.
        cause: String,
    },
    /// The state tree could not be built or read.
    #[error(transparent)]
    State(#[from] ReadError),
    /// RocksDB or the disk below it failed.
    #[error("storage: {0}")]
    Rocks(#[from] rocksdb::Error),
}
