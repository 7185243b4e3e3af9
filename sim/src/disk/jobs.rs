//! RocksDB's background jobs: how many a disk has, what they draw, and which lane of the trace they write to.

use crate::{
    entropy,
    interpose::{self, Seat},
    trace::Subsystem,
};
use rand_chacha::rand_core::Rng;
use std::{
    cell::Cell,
    collections::BTreeMap,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Flushes, which RocksDB gives high priority.
const FLUSH: Subsystem = Subsystem::new("disk-flush");
/// Compactions and everything else.
const COMPACTION: Subsystem = Subsystem::new("disk-compaction");
/// `Env::Priority::HIGH`.
const PRIORITY_HIGH: i32 = 2;

thread_local! {
    static JOB: Cell<Option<(Subsystem, Duration)>> = const { Cell::new(None) };
}

/// The lane of the job that runs on this thread; none outside of a job.
pub(super) fn lane() -> Option<Subsystem> {
    JOB.get().map(|(lane, _)| lane)
}

/// The virtual time at which the job that runs on this thread was queued. It sees no other: the host may go on, and
/// its clock with it, while the job ends.
pub(super) fn time() -> Option<Duration> {
    JOB.get().map(|(_, queued)| queued)
}

/// The job on this thread is over.
pub(super) fn end() {
    interpose::swap(None);
    JOB.set(None);
}

/// The jobs of a disk.
pub(super) struct Jobs {
    seed: u64,
    owner: String,
    counts: Mutex<Counts>,
    changed: Condvar,
}

#[derive(Default)]
struct Counts {
    /// Queued or running.
    open: u64,
    /// Begun so far, by lane.
    begun: BTreeMap<Subsystem, u64>,
}

impl Jobs {
    pub(super) fn new(seed: u64, owner: &str) -> Self {
        Self { seed, owner: owner.to_owned(), counts: Mutex::default(), changed: Condvar::new() }
    }

    pub(super) fn add(&self) {
        self.lock().open += 1;
    }

    pub(super) fn remove(&self) {
        self.lock().open -= 1;
        self.changed.notify_all();
    }

    pub(super) fn wait(&self) {
        let mut counts = self.lock();
        while counts.open > 0 {
            counts = self.changed.wait(counts).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A job of RocksDB's `priority` starts on this thread. What it draws is a function of the seed and of its number
    /// in its lane. Returns a seed for RocksDB's own generator.
    pub(super) fn begin(&self, priority: i32, queued: Duration) -> u32 {
        let lane = if priority == PRIORITY_HIGH { FLUSH } else { COMPACTION };
        let number = {
            let mut counts = self.lock();
            let begun = counts.begun.entry(lane).or_default();
            *begun += 1;
            *begun
        };
        let mut rng = entropy::stream(self.seed, lane.name(), &format!("{}/{number}", self.owner));
        let seed = rng.next_u32();
        interpose::swap(Some(Seat { rng: Box::new(rng), clock: None, host: None }));
        JOB.set(Some((lane, queued)));
        seed
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
