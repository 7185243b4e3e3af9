//! Faults that strike single operations: which, on what kind of file, when, and with what effect.
//!
//! The table is pure: it counts what it is shown and answers. Two threads of RocksDB that do the same operation on the
//! same kind of file at once are counted in the order in which they come, which the seed does not decide. So a fault
//! on the nth of something ([`When::Nth`]) is a function of the seed only if one lane does it: the log's operations
//! are all the host's, a table's may be a flush's and a compaction's. And a fault on reads is one only under a database
//! that opens its tables in one thread (`max_file_opening_threads` of 1): each hit is an event of the trace.

use super::kind::FileKind;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// The most by which one fault slows one operation down: after so long Linux gives a request up, so that a disk which is
/// slower fails instead.
pub const SLOW_MAX: Duration = Duration::from_secs(30);

/// What a fault strikes. Looking names up is struck by none: a system has them in memory.
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
    /// Removing a name, or a directory with all that is in it; a directory is of the kind [`FileKind::Other`].
    Remove,
    /// Each of those above, and what has no name here: reopening, linking, making directories, locking.
    Any,
    /// The same without reading.
    Change,
}

impl Operation {
    /// As the trace calls it; the last two are none of its words.
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
            Self::Any => "any",
            Self::Change => "change",
        }
    }

    fn covers(self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Change => name != Self::Read.name(),
            one => one.name() == name,
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
    /// It takes this much longer, [`SLOW_MAX`] at most. A synchronous call cannot move virtual time, so the disk adds
    /// it up, and who ran the work lets it pass afterwards: see [`Disk::take_latency`](super::Disk::take_latency).
    Slow(Duration),
    /// An append is reported done, and its bytes lie elsewhere in the file: at an offset drawn from the seed, over bytes
    /// that were there, at once and durably where those were durable. Where they belong are zeros, which are synced like
    /// any bytes. What the file was too short for is lost. Strikes no other operation.
    Misdirected,
    /// A sync, of a file or of a directory, is reported done and makes nothing durable: all stays pending until a sync
    /// after the fault was removed. No program survives that with a power cut, so it is for planted runs, which show
    /// that a checker sees the loss. Strikes no other operation.
    LyingSync,
}

impl Effect {
    /// As the trace calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Eio => "eio",
            Self::FailedSync => "failed-sync",
            Self::Slow(_) => "slow",
            Self::Misdirected => "misdirected",
            Self::LyingSync => "lying-sync",
        }
    }

    fn fits(self, name: &str) -> bool {
        match self {
            Self::Misdirected => name == Operation::Append.name(),
            Self::LyingSync => [Operation::Sync, Operation::SyncDir].iter().any(|sync| sync.name() == name),
            Self::Eio | Self::FailedSync | Self::Slow(_) => true,
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

    /// Whether one of them slows operations down.
    pub(super) fn slow_down(&self) -> bool {
        self.set.values().any(|counted| matches!(counted.fault.effect, Effect::Slow(_)))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    /// Counts an operation on files of these kinds. If several faults strike, slow-downs add up and come first; of the
    /// others the one set first has its effect. All count their hit.
    pub(super) fn strike(&mut self, operation: &str, kinds: &[FileKind]) -> Vec<Effect> {
        let (mut effects, mut other) = (Vec::new(), None);
        for Counted { fault, seen, hits } in self.set.values_mut() {
            let meant = fault.operation.covers(operation) && fault.effect.fits(operation);
            if !meant || !kinds.iter().any(|kind| fault.files.contains(kind)) {
                continue;
            }
            *seen += 1;
            if fault.when == When::Always || fault.when == When::Nth(*seen) {
                *hits += 1;
                match fault.effect {
                    Effect::Slow(_) => effects.push(fault.effect),
                    effect => other = other.or(Some(effect)),
                }
            }
        }
        effects.extend(other);
        effects
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
        assert_eq!(faults.strike("sync", &[FileKind::Wal]), []);
        assert_eq!(faults.strike("append", &[FileKind::Wal]), []);
        assert_eq!(faults.strike("sync", &[FileKind::Sst]), []);
        assert_eq!(faults.strike("sync", &[FileKind::Other, FileKind::Wal]), [Effect::Eio]);
        assert_eq!(faults.strike("sync", &[FileKind::Wal]), []);
        assert_eq!((faults.hits(handle), faults.remove(handle)), (1, 1));
        assert!(faults.is_empty());
    }

    #[test]
    fn slow_downs_add_up_and_of_the_others_the_first_has_its_effect() {
        let mut faults = Faults::default();
        let (eio, lie) = (fault(When::Always), Fault { effect: Effect::LyingSync, ..fault(When::Always) });
        let slow = |seconds| Fault { effect: Effect::Slow(Duration::from_secs(seconds)), ..fault(When::Always) };
        let handles = [eio, slow(1), lie, slow(2)].map(|fault| faults.add(fault));
        let [one, two] = [1, 2].map(|seconds| Effect::Slow(Duration::from_secs(seconds)));
        assert_eq!(faults.strike("sync", &[FileKind::Wal]), [one, two, Effect::Eio]);
        assert_eq!(handles.map(|handle| faults.hits(handle)), [1; 4]);
    }

    #[test]
    fn any_means_each_operation_that_the_effect_can_strike() {
        let struck = |operation, effect| {
            let mut faults = Faults::default();
            faults.add(Fault { operation, effect, ..fault(When::Always) });
            let names = ["read", "create", "append", "sync", "sync-dir", "lock"];
            names.map(|name| faults.strike(name, &[FileKind::Wal]).len())
        };
        assert_eq!(struck(Operation::Any, Effect::Eio), [1, 1, 1, 1, 1, 1]);
        assert_eq!(struck(Operation::Change, Effect::Eio), [0, 1, 1, 1, 1, 1]);
        assert_eq!(struck(Operation::Any, Effect::Misdirected), [0, 0, 1, 0, 0, 0]);
        assert_eq!(struck(Operation::Any, Effect::LyingSync), [0, 0, 0, 1, 1, 0]);
        assert_eq!(struck(Operation::Append, Effect::LyingSync), [0; 6]);
    }
}
