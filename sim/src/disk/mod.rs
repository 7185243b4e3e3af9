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
//! Faults ([`Disk::inject`], [`Disk::set_quota`], [`Disk::set_torn_writes`], and damage at rest) are in `damage` and
//! `fault`; those that strike an operation are decided in `Disk::admit`. A disk without them traces nothing more.

mod damage;
mod fault;
mod ffi;
mod inode;
mod jobs;
mod kind;
mod model;
#[cfg(test)]
mod reference;

pub use fault::{Effect, Fault, FaultHandle, Operation, When};
pub(crate) use ffi::seed_rocksdb_thread;
pub use kind::FileKind;
pub use model::DiskError;

use crate::{
    clock::HostClock,
    host_id::HostId,
    interpose,
    trace::{Fields, Subsystem, Trace},
};
use fault::Faults;
use jobs::Jobs;
use model::{Handle, Model, Open, Stat, normal};
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
    /// By how much faults slowed operations down.
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
    faults: Faults,
    torn_writes: bool,
    power_cuts: u64,
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

    /// Whether a change may happen, and its entry in the trace.
    fn admit(&self, state: &mut State, change: &Change<'_>) -> Result<(), DiskError> {
        state.stats.operations += 1;
        if state.fenced {
            return Err(DiskError::Gone);
        }
        self.strike(state, change)?;
        self.note(change);
        Ok(())
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

    fn open(&self, path: &str, how: Open) -> Result<Handle, DiskError> {
        let (path, now) = (normal(path), self.now());
        let state = &mut *self.lock();
        match how {
            Open::Read if state.fenced => return Err(DiskError::Gone),
            Open::Read => {}
            Open::Create => self.admit(state, &Change::new("create", &path))?,
            Open::Append => self.admit(state, &Change::new("reopen", &path))?,
        }
        state.model.open(&path, how, now)
    }

    fn close(&self, handle: Handle) {
        self.lock().model.close(handle);
    }

    /// Copies bytes from `offset` on into `out`; returns how many there were.
    fn read_at(&self, handle: Handle, offset: u64, out: &mut [u8]) -> Result<usize, DiskError> {
        let state = &mut *self.lock();
        if state.fenced {
            return Err(DiskError::Gone);
        }
        if !state.faults.is_empty() {
            let path = state.model.path(handle)?.to_owned();
            self.strike(state, &Change { offset, len: out.len() as u64, ..Change::new("read", &path) })?;
        }
        let bytes = state.model.file(handle)?.bytes();
        let rest = bytes.get(offset as usize..).unwrap_or_default();
        let count = rest.len().min(out.len());
        out[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn append(&self, handle: Handle, data: &[u8]) -> Result<(), DiskError> {
        let now = self.now();
        let state = &mut *self.lock();
        let path = state.model.path(handle)?.to_owned();
        let offset = state.model.file(handle)?.bytes().len() as u64;
        let (data, fitted) = damage::fit(&state.model, data);
        self.admit(state, &Change { offset, len: data.len() as u64, data, ..Change::new("append", &path) })?;
        state.model.file_mut(handle)?.append(data, now);
        state.stats.appended += data.len() as u64;
        self.fitted(fitted, &path)
    }

    fn truncate(&self, handle: Handle, len: u64) -> Result<(), DiskError> {
        let now = self.now();
        let state = &mut *self.lock();
        let path = state.model.path(handle)?.to_owned();
        let growth = len.saturating_sub(state.model.file(handle)?.bytes().len() as u64);
        self.admit(state, &Change { offset: len, ..Change::new("truncate", &path) })?;
        self.fitted(state.model.free().is_none_or(|free| growth <= free), &path)?;
        state.model.file_mut(handle)?.truncate(len, now);
        Ok(())
    }

    fn sync(&self, handle: Handle) -> Result<(), DiskError> {
        let state = &mut *self.lock();
        let path = state.model.path(handle)?.to_owned();
        let len = state.model.file(handle)?.bytes().len() as u64;
        let admitted = self.admit(state, &Change { len, ..Change::new("sync", &path) });
        if admitted == Err(DiskError::SyncFailed) {
            state.model.file_mut(handle)?.fail_sync();
        }
        admitted?;
        state.stats.syncs += 1;
        state.stats.synced += state.model.file_mut(handle)?.sync();
        Ok(())
    }

    fn handle_len(&self, handle: Handle) -> Result<u64, DiskError> {
        Ok(self.lock().model.file(handle)?.bytes().len() as u64)
    }

    /// A change of names: traced under `name`, with the second path, if any, as data.
    fn change_names(
        &self,
        name: &'static str,
        path: &str,
        second: &str,
        change: impl FnOnce(&mut Model, &str, &str, Duration) -> Result<(), DiskError>,
    ) -> Result<(), DiskError> {
        let (path, second, now) = (normal(path), normal(second), self.now());
        let state = &mut *self.lock();
        self.admit(state, &Change { data: second.as_bytes(), ..Change::new(name, &path) })?;
        change(&mut state.model, &path, &second, now)
    }

    /// A question about names.
    fn ask<T>(&self, path: &str, f: impl FnOnce(&Model, &str) -> Result<T, DiskError>) -> Result<T, DiskError> {
        let state = self.lock();
        if state.fenced {
            return Err(DiskError::Gone);
        }
        f(&state.model, &normal(path))
    }

    fn stat(&self, path: &str) -> Result<Stat, DiskError> {
        self.ask(path, Model::stat)
    }
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Disk").field("host", &self.0.host).field("stats", &self.stats()).finish_non_exhaustive()
    }
}
