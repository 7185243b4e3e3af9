//! Setting the faults of a [`Disk`], damage to what it holds, and how a fault strikes.

use super::{
    Change, Disk, State,
    fault::{Effect, Fault, FaultHandle},
    kind::FileKind,
    model::{DiskError, Model, normal},
};
use crate::entropy;
use std::sync::atomic::Ordering;

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
    pub fn inject(&self, fault: Fault) -> FaultHandle {
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
        self.lock().torn_writes = torn;
    }

    /// Flips a bit (0 to 7) of a file at rest: readers see it, and a power cut does not undo it. What RocksDB has in
    /// its caches stays whole.
    ///
    /// # Errors
    /// [`DiskError::NotFound`] without such a file, [`DiskError::BeyondEnd`] without such a byte or bit.
    pub fn flip_bit(&self, path: &str, offset: u64, bit: u32) -> Result<(), DiskError> {
        let (state, path) = (&mut *self.lock(), normal(path));
        if !state.model.named_mut(&path)?.flip(offset, bit) {
            return Err(DiskError::BeyondEnd);
        }
        self.note(&Change { offset, len: u64::from(bit), ..Change::new("flip-bit", &path) });
        Ok(())
    }

    /// Cuts the last `bytes` off a file at rest, durable or not.
    ///
    /// # Errors
    /// [`DiskError::NotFound`] without such a file, [`DiskError::BeyondEnd`] if it is shorter.
    pub fn truncate_tail(&self, path: &str, bytes: u64) -> Result<(), DiskError> {
        let (state, path) = (&mut *self.lock(), normal(path));
        let inode = state.model.named_mut(&path)?;
        let len = (inode.bytes().len() as u64).checked_sub(bytes).ok_or(DiskError::BeyondEnd)?;
        inode.lose_tail(len);
        self.note(&Change { offset: len, len: bytes, ..Change::new("truncate-tail", &path) });
        Ok(())
    }

    /// What the faults do to a change or a read. Only a hit is traced.
    pub(super) fn strike(&self, state: &mut State, change: &Change<'_>) -> Result<(), DiskError> {
        if state.faults.is_empty() {
            return Ok(());
        }
        // The second name of a rename is its data.
        let second = if change.name == "rename" { std::str::from_utf8(change.data).ok() } else { None };
        let first = FileKind::of(change.path);
        let kinds = [first, second.map_or(first, FileKind::of)];
        let Some(effect) = state.faults.strike(change.name, &kinds) else { return Ok(()) };
        self.note(&Change { data: change.name.as_bytes(), name: effect.name(), ..*change });
        match effect {
            Effect::Slow(by) => {
                state.stats.slowed += by;
                self.0.slept_ns.fetch_add(by.as_nanos() as u64, Ordering::Relaxed);
                Ok(())
            }
            Effect::FailedSync if change.name == "sync" => Err(DiskError::SyncFailed),
            Effect::FailedSync | Effect::Eio => Err(DiskError::Io),
        }
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
