//! The simulated disk: one for each host, and a RocksDB `Env` that works on it.
//!
//! ```text
//!   RocksDB ── C++ FileSystem (cpp/file_system.cc) ── ffi ── Disk ── Model (pure)
//!                                                             └── trace, the host's clock
//! ```
//!
//! A disk outlives its host's process. A *kill* closes every handle and keeps what was written; a *power cut* also
//! drops what was not synced. In both cases the disk is fenced first, so that destructors which run afterwards, as no
//! destructor would in reality, write nothing. Every change is an event of the trace. Reads are not: they change
//! nothing, and RocksDB opens its tables from several threads.
//!
//! Changes made by RocksDB's background jobs go into lanes of their own (`disk-flush`, `disk-compaction`), because
//! such a job and the host may work at the same time. [`Disk::wait_for_jobs`] is called after each of the host's
//! turns, so that no job outlives the turn that queued it.
//!
//! | module | is |
//! |---|---|
//! | `operations` | what RocksDB does, by handle and by name |
//! | `files` | what the host's own program does beside it, by path |
//! | `fault`, `strike` | faults that strike operations ([`Disk::inject`], [`Disk::set_quota`], [`Disk::set_torn_writes`]) |
//! | `damage` | damage to what lies there ([`Disk::rot`], [`Disk::wipe`] and others) |
//! | `model`, `inode` | names and bytes, cached and durable |
//!
//! What strikes an operation is decided in `Disk::admit`. A disk without faults traces nothing more. Faults begin and end
//! when the harness says so, at any virtual time; a slow disk owes its time to whoever runs the work
//! ([`Disk::take_latency`]).

mod damage;
mod error;
mod fault;
mod ffi;
mod files;
mod inode;
mod jobs;
mod kind;
mod model;
mod operations;
#[cfg(test)]
mod reference;
mod strike;
#[cfg(test)]
mod tests;

pub use damage::ROT_BITS_MAX;
pub use error::DiskError;
pub use fault::{Effect, Fault, FaultHandle, Operation, SLOW_MAX, When};
pub(crate) use ffi::seed_rocksdb_thread;
pub use files::{DiskEntry, DiskFile, DiskSpace};
pub use kind::FileKind;

use crate::{
    clock::HostClock,
    host_id::HostId,
    interpose,
    trace::{Fields, Subsystem, Trace},
};
use fault::Faults;
use jobs::Jobs;
use model::{Model, normal};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// What a disk has done so far. All counts start with the world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskStats {
    /// Changes of any kind, refused ones too.
    pub operations: u64,
    /// Bytes appended.
    pub appended: u64,
    /// Syncs of a file's bytes.
    pub syncs: u64,
    /// Bytes that those syncs made durable.
    pub synced: u64,
    /// By how much faults slowed operations down, whether that time was let pass or not.
    pub slowed: Duration,
}

/// One host's disk; clones share it.
#[derive(Clone)]
pub struct Disk(Arc<Shared>);

struct Shared {
    seed: u64,
    state: Mutex<State>,
    jobs: Jobs,
    host: HostId,
    clock: Arc<HostClock>,
    trace: Trace,
    /// By how much RocksDB's sleeps have moved its view of the clock, in nanoseconds.
    slept_ns: AtomicU64,
}

#[derive(Default)]
struct State {
    model: Model,
    stats: DiskStats,
    fenced: bool,
    /// From a boot to the kill or power cut.
    in_use: bool,
    faults: Faults,
    /// By how much faults slowed operations down since it was taken last.
    latency: Duration,
    torn_writes: bool,
    power_cuts: u64,
    /// How many streams were drawn from so far, by purpose and path.
    draws: BTreeMap<(&'static str, String), u64>,
}

/// A change, as the trace and the faults see it.
struct Change<'a> {
    name: &'static str,
    path: &'a str,
    offset: u64,
    len: u64,
    data: &'a [u8],
}

impl<'a> Change<'a> {
    fn new(name: &'static str, path: &'a str) -> Self {
        Self { name, path, offset: 0, len: 0, data: &[] }
    }
}

impl Disk {
    pub(crate) fn new(seed: u64, host: HostId, clock: Arc<HostClock>, trace: Trace) -> Self {
        let jobs = Jobs::new(seed, &host.to_string());
        let (state, slept_ns) = (Mutex::default(), AtomicU64::new(0));
        Self(Arc::new(Shared { seed, state, jobs, host, clock, trace, slept_ns }))
    }

    /// A RocksDB environment on this disk, with this host's clock. Set it on the `Options` of any database; several
    /// may share the disk.
    pub fn env(&self) -> rocksdb::Env {
        ffi::new_env(self)
    }

    /// All files that a reader sees, with their lengths in bytes.
    pub fn files(&self) -> BTreeMap<String, u64> {
        self.lock().model.files()
    }

    /// The bytes of a file as a reader sees them; none if there is no such file.
    pub fn read(&self, path: &str) -> Option<Vec<u8>> {
        self.lock().model.bytes(&normal(path)).map(<[u8]>::to_vec)
    }

    /// What the disk has done so far.
    pub fn stats(&self) -> DiskStats {
        self.lock().stats
    }

    /// Waits, in real time, until RocksDB's background jobs on this disk are done.
    pub fn wait_for_jobs(&self) {
        self.0.jobs.wait();
    }

    /// A process begins to use it, until [`Disk::recover`].
    pub(crate) fn attach(&self) {
        self.lock().in_use = true;
    }

    /// From here on every operation fails, until [`Disk::recover`].
    pub(crate) fn fence(&self) {
        self.lock().fenced = true;
    }

    /// Works again after a kill (`power_cut` false) or a power cut.
    pub(crate) fn recover(&self, power_cut: bool) {
        let mut state = self.lock();
        match power_cut {
            true => {
                self.tear(&mut state);
                state.model.power_cut();
            }
            false => state.model.close_all(),
        }
        state.fenced = false;
        state.in_use = false;
        state.latency = Duration::ZERO;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        match interpose::current_host() {
            Some(host) if host == self.0.host => interpose::refreshed_clock().map_or(Duration::ZERO, |c| c.now()),
            _ => jobs::time().unwrap_or_else(|| self.0.clock.now()),
        }
    }

    /// The clock as this host's RocksDB sees it: wall and monotonic time, moved by its own sleeps.
    fn rocksdb_time(&self) -> (Duration, Duration) {
        let (now, slept) = (self.now(), Duration::from_nanos(self.0.slept_ns.load(Ordering::Relaxed)));
        (self.0.clock.wall_at(now) + slept, HostClock::monotonic_at(now) + slept)
    }

    /// Whether a change may happen, and its entry in the trace. An effect that comes back was promised to the caller of
    /// the operation as its success.
    fn admit(&self, state: &mut State, change: &Change<'_>) -> Result<Option<Effect>, DiskError> {
        state.stats.operations += 1;
        if state.fenced {
            return Err(DiskError::Gone);
        }
        let effect = self.strike(state, change)?;
        self.note(change);
        Ok(effect)
    }

    fn note(&self, change: &Change<'_>) {
        let Change { name, path, offset, len, data } = *change;
        let fields = |fields: &mut Fields<'_>| {
            fields.bytes(name.as_bytes()).bytes(path.as_bytes()).number(offset).number(len).bytes(data);
        };
        let text = || match data.is_empty() {
            true => format!("{name} {path} {offset} {len}"),
            false => format!("{name} {path} {offset} {len} {}", hex::encode(&Sha256::digest(data)[..8])),
        };
        self.0.trace.event(self.0.host, self.lane(), self.now(), fields, text);
    }

    fn lane(&self) -> Subsystem {
        jobs::lane().unwrap_or(Subsystem::DISK)
    }
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Disk").field("host", &self.0.host).field("stats", &self.stats()).finish_non_exhaustive()
    }
}
