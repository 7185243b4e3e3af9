//! Faults of disks: setting them, ending them, and what they met.

use crate::{
    cluster::{BACKUPS, DATABASE},
    disk::{Disk, DiskError, Effect, Fault, FaultHandle, FileKind, Operation, When},
};
use assay_node::{StorageState, StorageStatus};
use assay_scenarios::{DiskDeed, FileKind as Kind, Files, Operations};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// A byte of a file that was damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotten {
    /// The file.
    pub path: String,
    /// The byte's place in it.
    pub offset: u64,
}

/// What is on, and what rotted.
#[derive(Default)]
pub(super) struct DiskFaults {
    on: BTreeMap<(usize, usize), Vec<FaultHandle>>,
    pub rotten: Vec<(usize, Duration, Vec<Rotten>)>,
}

impl DiskFaults {
    /// Fault number `n` begins on a node's disk.
    pub fn begin(&mut self, n: usize, node: usize, disk: &Disk, deed: &DiskDeed) {
        let inject = |operations: &[Operation], files: &Files, when: When, effect: Effect| {
            let fault = |operation: &Operation| Fault { operation: *operation, files: kinds(files), when, effect };
            operations.iter().map(|operation| disk.inject(fault(operation))).collect()
        };
        let nth = |nth: &Option<u64>| nth.map_or(When::Always, When::Nth);
        let handles = match deed {
            DiskDeed::Full { leave } => {
                let used = disk.space().map_or(0, |space| space.total.saturating_sub(space.free));
                disk.set_quota(Some(used.saturating_add(leave.0)));
                Vec::new()
            }
            DiskDeed::Error { operations, files, nth: number } => {
                inject(set(*operations), files, nth(number), Effect::Eio)
            }
            DiskDeed::FsyncFails { files, nth: number } => {
                inject(&[Operation::Sync], files, nth(number), Effect::FailedSync)
            }
            DiskDeed::Slow { by, operations, files } => {
                inject(set(*operations), files, When::Always, Effect::Slow(*by))
            }
            DiskDeed::MisdirectedWrite { files, nth } => {
                inject(&[Operation::Append], files, When::Nth(*nth), Effect::Misdirected)
            }
            DiskDeed::FsyncLies { files } => {
                inject(&[Operation::Sync, Operation::SyncDir], files, When::Always, Effect::LyingSync)
            }
        };
        self.on.insert((n, node), handles);
    }

    /// It ends. Returns what it met: operations struck, or 1 if the node has told that it has no space.
    pub fn end(&mut self, n: usize, node: usize, disk: &Disk, storage: Option<StorageStatus>) -> u64 {
        let handles = self.on.remove(&(n, node)).unwrap_or_default();
        if handles.is_empty() {
            disk.set_quota(None);
            return u64::from(storage.is_some_and(|storage| storage.state == StorageState::Full));
        }
        handles.into_iter().map(|handle| disk.remove_fault(handle)).sum()
    }
}

/// Flips bits for fault number `n`. Fewer than wanted where there are no such files.
pub(super) fn rot(n: usize, bits: u32, files: &Files, disk: &Disk) -> Vec<Rotten> {
    let kinds = kinds(files);
    let dir = if kinds == [FileKind::Backup].into() { BACKUPS } else { DATABASE };
    let hit: Result<Vec<(String, u64)>, DiskError> = disk.rot(dir, &kinds, u64::from(bits), &format!("fault {n}"));
    hit.unwrap_or_default().into_iter().map(|(path, offset)| Rotten { path, offset }).collect()
}

/// What rotted, in words.
pub(super) fn told(rotten: &[Rotten]) -> String {
    let files: BTreeSet<_> = rotten.iter().map(|rotten| rotten.path.as_str()).collect();
    match rotten.len() {
        0 => "there is no such file: nothing was done".to_owned(),
        1 => format!("a bit flips in {}", rotten[0].path),
        count => format!("{count} bits flip in {}", files.into_iter().collect::<Vec<_>>().join(" ")),
    }
}

fn set(operations: Operations) -> &'static [Operation] {
    use Operation as O;
    match operations {
        Operations::Read => &[O::Read],
        Operations::Write => &[O::Create, O::Append, O::Truncate, O::Rename, O::Remove],
        Operations::Sync => &[O::Sync, O::SyncDir],
        Operations::All => &[O::Any],
    }
}

fn kinds(files: &Files) -> BTreeSet<FileKind> {
    let kind = |kind: &Kind| match kind {
        Kind::Wal => FileKind::Wal,
        Kind::Sst => FileKind::Sst,
        Kind::Manifest => FileKind::Manifest,
        Kind::Current => FileKind::Current,
        Kind::Backup => FileKind::Backup,
    };
    match files {
        Files::All => FileKind::ALL.into(),
        Files::Kinds(kinds) => kinds.iter().map(kind).collect(),
    }
}
