//! Faults that strike single operations: which, on what kind of file, when, and with what effect.
//!
//! The table is pure: it counts what it is shown and answers. Two threads of RocksDB that do the same operation on the
//! same kind of file at once are counted in the order in which they come, which the seed does not decide. So a fault
//! on the nth of something ([`When::Nth`]) is a function of the seed only if one lane does it: the log's operations
//! are all the host's, a table's may be a flush's and a compaction's.

use super::kind::FileKind;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// What a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Reading bytes.
    Read,
    /// Making a file, or emptying it.
    Create,
    /// Adding bytes.
    Append,
    /// Cutting a file.
    Truncate,
    /// Making a file's bytes durable.
    Sync,
    /// Making a directory's names durable; the directory is of the kind [`FileKind::Other`].
    SyncDir,
    /// Renaming; the old name or the new one may be of the kind.
    Rename,
    /// Removing a name.
    Remove,
}

impl Operation {
    /// As the trace calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Create => "create",
            Self::Append => "append",
            Self::Truncate => "truncate",
            Self::Sync => "sync",
            Self::SyncDir => "sync-dir",
            Self::Rename => "rename",
            Self::Remove => "remove",
        }
    }
}

/// Which of the operations that match are struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Only this one; the first since the fault was set is 1.
    Nth(u64),
    /// Each.
    Always,
}

/// What happens to an operation that is struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It fails with an I/O error and changes nothing. A sync that fails so may be tried again.
    Eio,
    /// A sync fails, and what was pending counts as clean from then on: readers see it, no later sync writes it, a
    /// power cut loses it. So does Linux. On other operations it is [`Effect::Eio`].
    FailedSync,
    /// It takes this much longer by RocksDB's own clock; [`DiskStats::slowed`](super::DiskStats::slowed) adds it up.
    /// The host's virtual time does not move, as a synchronous call cannot move it.
    Slow(Duration),
}

impl Effect {
    /// As the trace calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Eio => "eio",
            Self::FailedSync => "failed-sync",
            Self::Slow(_) => "slow",
        }
    }
}

/// A fault of a disk, set with [`Disk::inject`](super::Disk::inject).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What it strikes.
    pub operation: Operation,
    /// The kinds of file that it strikes; none at all if empty.
    pub files: BTreeSet<FileKind>,
    /// Which of the matching operations.
    pub when: When,
    /// What happens to them.
    pub effect: Effect,
}

/// A fault that was set; used to ask for its hits and to end it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FaultHandle(u64);

/// The faults of a disk.
#[derive(Default)]
pub(super) struct Faults {
    set: BTreeMap<FaultHandle, Counted>,
    next: u64,
}

struct Counted {
    fault: Fault,
    seen: u64,
    hits: u64,
}

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) -> FaultHandle {
        let handle = FaultHandle(self.next);
        self.next += 1;
        self.set.insert(handle, Counted { fault, seen: 0, hits: 0 });
        handle
    }

    pub(super) fn remove(&mut self, handle: FaultHandle) -> u64 {
        self.set.remove(&handle).map_or(0, |counted| counted.hits)
    }

    pub(super) fn hits(&self, handle: FaultHandle) -> u64 {
        self.set.get(&handle).map_or(0, |counted| counted.hits)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    /// Counts an operation on files of these kinds. If several faults strike, the one set first has its effect; all
    /// count their hit.
    pub(super) fn strike(&mut self, operation: &str, kinds: &[FileKind]) -> Option<Effect> {
        let mut effect = None;
        for counted in self.set.values_mut() {
            let fault = &counted.fault;
            if fault.operation.name() != operation || !kinds.iter().any(|kind| fault.files.contains(kind)) {
                continue;
            }
            counted.seen += 1;
            if fault.when == When::Always || fault.when == When::Nth(counted.seen) {
                counted.hits += 1;
                effect = effect.or(Some(fault.effect));
            }
        }
        effect
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(when: When) -> Fault {
        Fault { operation: Operation::Sync, files: [FileKind::Wal].into(), when, effect: Effect::Eio }
    }

    #[test]
    fn the_nth_is_counted_among_those_that_match() {
        let mut faults = Faults::default();
        let handle = faults.add(fault(When::Nth(2)));
        assert_eq!(faults.strike("sync", &[FileKind::Wal]), None);
        assert_eq!(faults.strike("append", &[FileKind::Wal]), None);
        assert_eq!(faults.strike("sync", &[FileKind::Sst]), None);
        assert_eq!(faults.strike("sync", &[FileKind::Other, FileKind::Wal]), Some(Effect::Eio));
        assert_eq!(faults.strike("sync", &[FileKind::Wal]), None);
        assert_eq!((faults.hits(handle), faults.remove(handle)), (1, 1));
        assert!(faults.is_empty());
    }

    #[test]
    fn the_fault_set_first_has_its_effect_and_all_count() {
        let mut faults = Faults::default();
        let slow = faults.add(Fault { effect: Effect::Slow(Duration::from_secs(1)), ..fault(When::Always) });
        let eio = faults.add(fault(When::Always));
        assert_eq!(faults.strike("sync", &[FileKind::Wal]), Some(Effect::Slow(Duration::from_secs(1))));
        assert_eq!((faults.hits(slow), faults.hits(eio)), (1, 1));
    }
}
