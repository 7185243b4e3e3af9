//! Setting the faults of a [`Disk`], and how they strike.

use super::{
    Change, Disk, DiskError, State,
    fault::{Effect, Fault, FaultHandle, SLOW_MAX},
    kind::FileKind,
    model::Model,
};
use crate::entropy::{self, Stream};
use std::time::Duration;

impl Disk {
    /// Bounds the bytes of all files; none lifts the bound. An append beyond it writes what fits and fails with
    /// [`DiskError::NoSpace`], which RocksDB gets as such. Removing and cutting files frees space at once; a removed
    /// file that is open counts on.
    pub fn set_quota(&self, quota: Option<u64>) {
        let state = &mut *self.lock();
        self.note(&Change { offset: quota.unwrap_or(u64::MAX), ..Change::new("set-quota", "") });
        state.model.set_quota(quota);
    }

    /// Bytes that may still be written; none without a quota.
    pub fn free_bytes(&self) -> Option<u64> {
        self.lock().model.free()
    }

    /// Sets a fault. It strikes until [`Disk::remove_fault`], across kills and power cuts.
    ///
    /// # Panics
    /// If it slows down by more than [`SLOW_MAX`].
    pub fn inject(&self, fault: Fault) -> FaultHandle {
        assert!(!matches!(fault.effect, Effect::Slow(by) if by > SLOW_MAX), "slower than {SLOW_MAX:?}: {fault:?}");
        let state = &mut *self.lock();
        let text = format!("{fault:?}");
        self.note(&Change { data: text.as_bytes(), ..Change::new("inject", "") });
        state.faults.add(fault)
    }

    /// How many operations a fault has struck; 0 if it was removed.
    pub fn fault_hits(&self, handle: FaultHandle) -> u64 {
        self.lock().faults.hits(handle)
    }

    /// Ends a fault; returns how many operations it struck, 0 if it had ended before.
    pub fn remove_fault(&self, handle: FaultHandle) -> u64 {
        let state = &mut *self.lock();
        let hits = state.faults.remove(handle);
        self.note(&Change { offset: hits, ..Change::new("remove-fault", "") });
        hits
    }

    /// Whether a power cut leaves, of each file's unsynced appends, a prefix of a length drawn from the seed (it may
    /// be nothing and it may be all). Off, they are lost.
    pub fn set_torn_writes(&self, torn: bool) {
        let state = &mut *self.lock();
        self.note(&Change { offset: torn.into(), ..Change::new("torn-writes", "") });
        state.torn_writes = torn;
    }

    /// By how much faults have slowed operations down since this was asked last, those of RocksDB's background jobs
    /// among them: it waits for the jobs, in real time, so that it is a function of the seed. Whoever runs work on the
    /// disk asks afterwards, and lets that much virtual time pass before the work counts as done, or less where the disk
    /// is in order before ([`Disk::is_slow`]). The end of the process ends the debt.
    pub fn take_latency(&self) -> Duration {
        self.wait_for_jobs();
        std::mem::take(&mut self.lock().latency)
    }

    /// Whether a fault that slows operations down is set.
    pub fn is_slow(&self) -> bool {
        self.lock().faults.slow_down()
    }

    /// What the faults do to a change or a read: they fail it, or give an effect that is the caller's to have. Only a
    /// hit is traced.
    pub(super) fn strike(&self, state: &mut State, change: &Change<'_>) -> Result<Option<Effect>, DiskError> {
        if state.faults.is_empty() {
            return Ok(None);
        }
        // The second name of a rename is its data.
        let second = if change.name == "rename" { std::str::from_utf8(change.data).ok() } else { None };
        let first = FileKind::of(change.path);
        let kinds = [first, second.map_or(first, FileKind::of)];
        let mut silent = None;
        for effect in state.faults.strike(change.name, &kinds) {
            self.note(&Change { data: change.name.as_bytes(), name: effect.name(), ..*change });
            match effect {
                Effect::Slow(by) => {
                    state.stats.slowed += by;
                    state.latency += by;
                }
                Effect::FailedSync if change.name == "sync" => return Err(DiskError::SyncFailed),
                Effect::FailedSync | Effect::Eio => return Err(DiskError::Io),
                Effect::Misdirected | Effect::LyingSync => silent = Some(effect),
            }
        }
        Ok(silent)
    }

    /// Where a misdirected append to `path` lands, of which `len` bytes fit into the `end` that the file had.
    pub(super) fn wrong_place(&self, state: &mut State, path: &str, end: u64, len: u64) -> u64 {
        let mut rng = self.next_stream(state, "misdirected-write", path);
        entropy::below(&mut rng, end.saturating_sub(len) + 1)
    }

    /// A stream for `purpose` of `path`, each time a new one. It depends on no other path, thus not on which of
    /// RocksDB's threads comes first.
    pub(super) fn next_stream(&self, state: &mut State, purpose: &'static str, path: &str) -> Stream {
        let number = state.draws.entry((purpose, path.to_owned())).or_default();
        *number += 1;
        entropy::stream(self.0.seed, purpose, &format!("{}{path}/{number}", self.0.host))
    }

    /// The end of a write of which not all may have fitted.
    pub(super) fn fitted(&self, fitted: bool, path: &str) -> Result<(), DiskError> {
        if fitted {
            return Ok(());
        }
        self.note(&Change::new("no-space", path));
        Err(DiskError::NoSpace)
    }

    /// Tears the pending writes, if a power cut is to do so. Each length is drawn from a stream of the path and the
    /// number of the cut, so that it depends on no other file.
    pub(super) fn tear(&self, state: &mut State) {
        state.power_cuts += 1;
        if !state.torn_writes {
            return;
        }
        let cut = state.power_cuts;
        let keep = |path: &str, pending: u64| {
            let owner = format!("{}{path}/{cut}", self.0.host);
            entropy::below(&mut entropy::stream(self.0.seed, "torn-write", &owner), pending + 1)
        };
        let torn = |path: &str, offset, len| self.note(&Change { offset, len, ..Change::new("torn", path) });
        state.model.tear(keep, torn);
    }
}

/// The part of an append that fits, and whether that is all of it.
pub(super) fn fit<'a>(model: &Model, data: &'a [u8]) -> (&'a [u8], bool) {
    let room = model.free().map_or(data.len(), |free| data.len().min(free.try_into().unwrap_or(usize::MAX)));
    (&data[..room], room == data.len())
}
