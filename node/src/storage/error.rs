//! What can be wrong with a store.

use crate::{
    ledger::ReadError,
    types::{ChainId, GenesisError},
};
use std::io;

/// A store that cannot be opened, read or written. None of these loses data: nothing is overwritten on the way to one.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has it open.
    #[error("the data directory {path} is in use by another process")]
    InUse {
        /// The directory.
        path: String,
    },
    /// There is nothing yet.
    #[error("there is no chain in the data directory {path} yet; 'assay-node run' makes it")]
    Absent {
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
    /// Written by an older release.
    #[error("the data directory has schema {found}, and this release works with {known}; run 'assay-node db migrate'")]
    OlderSchema {
        /// The directory's schema.
        found: u32,
        /// This release's.
        known: u32,
    },
    /// Written by nobody.
    #[error("the data directory has schema {found}, which no release has written; restore a backup of it")]
    UnknownSchema {
        /// The directory's schema.
        found: u32,
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
    /// A value does not decode or has the wrong checksum, or one that must be there is missing.
    #[error("the value of {key} in {family} is damaged: {cause}")]
    Damaged {
        /// Column family.
        family: &'static str,
        /// Key, as text.
        key: String,
        /// What is wrong.
        cause: String,
    },
    /// The database's own files are not what RocksDB wrote.
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    /// The state tree could not be built or read.
    #[error(transparent)]
    State(#[from] ReadError),
    /// The store was closed after a failure and has not been opened again yet.
    #[error("the store is closed after a failure")]
    Closed,
    /// The store was opened on a full disk, for reading only.
    #[error("the store is open for reading only: no space left on device")]
    ReadOnly,
    /// A place for what is kept aside is missing: there are too many already.
    #[error("{count} directories like {path} are kept aside already; look at them, and remove what is not needed")]
    TooManyKept {
        /// The next one's name.
        path: String,
        /// How many there are.
        count: usize,
    },
    /// Less space than a rewrite of the database may take.
    #[error("up to {needed} bytes are needed for a while, and {free} are free; make room on that disk")]
    NoRoom {
        /// Bytes that it may take.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// A copy that has not as many records as what it was made of.
    #[error("{expected} records were copied, and {found} are there; the database is as it was")]
    CopyDiffers {
        /// How many there should be.
        expected: u64,
        /// How many there are.
        found: u64,
    },
    /// RocksDB or the disk below it failed.
    #[error("storage: {0}")]
    Rocks(rocksdb::Error),
    /// A file beside the database failed.
    #[error("{path}: {cause}")]
    File {
        /// Which.
        path: String,
        /// The system's words.
        cause: io::Error,
    },
}

/// What a failure asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// No space is left: wait for some.
    Full,
    /// The disk failed: open the store again, from what is durable.
    Failed,
    /// What is stored is wrong: set it aside and build it anew.
    Damaged,
}

impl StoreError {
    /// What the failure asks for; none when it is no failure of the disk.
    pub fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Damaged { .. } | Self::Corrupt(_) => Some(Trouble::Damaged),
            Self::ReadOnly => Some(Trouble::Full),
            Self::Rocks(error) if is_full(error) => Some(Trouble::Full),
            Self::File { cause, .. } if cause.kind() == io::ErrorKind::StorageFull => Some(Trouble::Full),
            Self::Rocks(_) | Self::File { .. } => Some(Trouble::Failed),
            Self::State(_)
            | Self::Closed
            | Self::InUse { .. }
            | Self::Absent { .. }
            | Self::Foreign { .. }
            | Self::NewerSchema { .. }
            | Self::OlderSchema { .. }
            | Self::UnknownSchema { .. }
            | Self::OtherChain { .. }
            | Self::OtherGenesis(_)
            | Self::Genesis(_)
            | Self::TooManyKept { .. }
            | Self::NoRoom { .. }
            | Self::CopyDiffers { .. } => None,
        }
    }

    /// Makes the error of a file that the system refused.
    pub(crate) fn file(path: &std::path::Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.display().to_string();
        move |cause| Self::File { path, cause }
    }
}

impl From<rocksdb::Error> for StoreError {
    fn from(error: rocksdb::Error) -> Self {
        match error.kind() {
            rocksdb::ErrorKind::Corruption => Self::Corrupt(error.into_string()),
            _ => Self::Rocks(error),
        }
    }
}

/// RocksDB's status has a code of its own for a full disk, which its C interface gives as text only.
fn is_full(error: &rocksdb::Error) -> bool {
    error.as_ref().contains("No space left")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_ask_for_what_helps() {
        let file = |kind: io::ErrorKind| StoreError::file("x".as_ref())(kind.into()).trouble();
        assert_eq!(file(io::ErrorKind::StorageFull), Some(Trouble::Full));
        assert_eq!(file(io::ErrorKind::Other), Some(Trouble::Failed));
        let damaged = StoreError::Damaged { family: "meta", key: "head".into(), cause: "gone".into() };
        assert_eq!(damaged.trouble(), Some(Trouble::Damaged));
        assert_eq!(StoreError::Closed.trouble(), None);
        assert_eq!(StoreError::NewerSchema { found: 9, known: 2 }.trouble(), None);
    }
}
