//! What a fault does to a disk, to which of its operations and to which files.

use crate::ByteSize;
use std::{fmt, time::Duration};

/// How a disk misbehaves while a fault lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiskDeed {
    /// There is room for so many more bytes, and no more.
    Full {
        /// The room that is left when it begins.
        leave: ByteSize,
    },
    /// Operations fail with an I/O error and change nothing.
    Error {
        /// Which operations.
        operations: Operations,
        /// On which files.
        files: Files,
        /// Only this one of them on each target, from 1; `None` for each of them.
        nth: Option<u64>,
    },
    /// Syncs fail. What was pending is not durable, and no later sync writes it.
    FsyncFails {
        /// Of which files.
        files: Files,
        /// Only this one on each target, from 1; `None` for each of them.
        nth: Option<u64>,
    },
    /// Operations take longer.
    Slow {
        /// By this much each.
        by: Duration,
        /// Which operations.
        operations: Operations,
        /// On which files.
        files: Files,
    },
    /// A write is reported done and lands elsewhere in its file.
    MisdirectedWrite {
        /// To which files.
        files: Files,
        /// Which write on each target, from 1.
        nth: u64,
    },
    /// Syncs are reported done and make nothing durable. Only in a planted scenario.
    FsyncLies {
        /// Of which files.
        files: Files,
    },
}

impl DiskDeed {
    /// The key of the file that names it.
    pub fn kind(&self) -> &'static str {
        match self {
            DiskDeed::Full { .. } => "disk_full",
            DiskDeed::Error { .. } => "disk_error",
            DiskDeed::FsyncFails { .. } => "fsync_fails",
            DiskDeed::Slow { .. } => "disk_slow",
            DiskDeed::MisdirectedWrite { .. } => "misdirected_write",
            DiskDeed::FsyncLies { .. } => "fsync_lies",
        }
    }

    /// Whether a node may have to stop taking writes while it lasts, and must take them again when it is over.
    pub fn stops_writes(&self) -> bool {
        matches!(self, DiskDeed::Full { .. } | DiskDeed::Error { .. } | DiskDeed::FsyncFails { .. })
    }
}

/// What is done and to what, in one line: `sync 3 of wal fails`.
impl fmt::Display for DiskDeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let which = |nth: &Option<u64>, what: &str| match nth {
            Some(nth) => format!("{what} {nth}"),
            None => format!("each {what}"),
        };
        match self {
            DiskDeed::Full { leave } => write!(f, "{leave} left"),
            DiskDeed::Error { operations, files, nth } => {
                write!(f, "{} of {files} fails", which(nth, operations.noun()))
            }
            DiskDeed::FsyncFails { files, nth } => {
                write!(f, "{} of {files} fails and loses what was pending", which(nth, "sync"))
            }
            DiskDeed::Slow { by, operations, files } => {
                write!(f, "each {} of {files} takes {} longer", operations.noun(), crate::format_duration(*by))
            }
            DiskDeed::MisdirectedWrite { files, nth } => write!(f, "write {nth} of {files} lands elsewhere"),
            DiskDeed::FsyncLies { files } => write!(f, "each sync of {files} is reported and not done"),
        }
    }
}

/// Which operations of a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operations {
    /// Reading bytes.
    Read,
    /// Changing bytes, lengths or names.
    Write,
    /// Making bytes or names durable.
    Sync,
    /// Each of these.
    All,
}

impl Operations {
    /// Each with its word.
    pub const WORDS: [(&'static str, Operations); 4] = [
        ("read", Operations::Read),
        ("write", Operations::Write),
        ("sync", Operations::Sync),
        ("all", Operations::All),
    ];

    /// One of them.
    fn noun(self) -> &'static str {
        match self {
            Operations::Read => "read",
            Operations::Write => "write",
            Operations::Sync => "sync",
            Operations::All => "operation",
        }
    }
}

/// Which files of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Files {
    /// Any, also those that are of no kind.
    All,
    /// Those of these kinds: at least one, ascending, each once.
    Kinds(Vec<FileKind>),
}

/// The kinds joined by spaces, or `any file`.
impl fmt::Display for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Files::All => f.write_str("any file"),
            Files::Kinds(kinds) => f.write_str(&kinds.iter().map(|kind| kind.word()).collect::<Vec<_>>().join(" ")),
        }
    }
}

/// A part of a node's database, or its backups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// The write-ahead log.
    Wal,
    /// A table.
    Sst,
    /// The list of tables.
    Manifest,
    /// The pointer to the list of tables in use.
    Current,
    /// Any file of a backup.
    Backup,
}

impl FileKind {
    /// Each with its word.
    pub const WORDS: [(&'static str, FileKind); 5] = [
        ("wal", FileKind::Wal),
        ("sst", FileKind::Sst),
        ("manifest", FileKind::Manifest),
        ("current", FileKind::Current),
        ("backup", FileKind::Backup),
    ];

    /// As a file of scenarios calls it.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }
}
