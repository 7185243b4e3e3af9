//! RocksDB's background jobs: how many a disk has, and which lane of the trace a thread writes to.

use crate::trace::Subsystem;
use std::{
    cell::Cell,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

/// Flushes, which RocksDB gives high priority.
const FLUSH: Subsystem = Subsystem::new("disk-flush");
/// Compactions and everything else.
const COMPACTION: Subsystem = Subsystem::new("disk-compaction");
/// `Env::Priority::HIGH`.
const PRIORITY_HIGH: i32 = 2;

thread_local! {
    static LANE: Cell<Option<Subsystem>> = const { Cell::new(None) };
}

/// The lane of the job that runs on this thread; none outside of a job.
pub(super) fn lane() -> Option<Subsystem> {
    LANE.get()
}

/// A job of RocksDB's `priority` starts on this thread.
pub(super) fn begin(priority: i32) {
    LANE.set(Some(if priority == PRIORITY_HIGH { FLUSH } else { COMPACTION }));
}

/// The job on this thread is over.
pub(super) fn end() {
    LANE.set(None);
}

/// How many jobs of a disk are queued or running.
#[derive(Default)]
pub(super) struct Jobs {
    open: Mutex<u64>,
    changed: Condvar,
}

impl Jobs {
    pub(super) fn add(&self) {
        *self.lock() += 1;
    }

    pub(super) fn remove(&self) {
        *self.lock() -= 1;
        self.changed.notify_all();
    }

    pub(super) fn wait(&self) {
        let mut open = self.lock();
        while *open > 0 {
            open = self.changed.wait(open).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
