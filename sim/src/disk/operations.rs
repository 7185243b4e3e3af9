//! What RocksDB does to a [`Disk`], through `ffi`.

use super::{
    Change, Disk, DiskError, Effect,
    model::{Handle, Model, Open, Stat, normal},
    strike::fit,
};
use std::time::Duration;

impl Disk {
    pub(super) fn open(&self, path: &str, how: Open) -> Result<Handle, DiskError> {
        let (path, now) = (normal(path), self.now());
        let state = &mut *self.lock();
        match how {
            Open::Read if state.fenced => return Err(DiskError::Gone),
            Open::Read => {}
            Open::Create | Open::New => drop(self.admit(state, &Change::new("create", &path))?),
            Open::Append => drop(self.admit(state, &Change::new("reopen", &path))?),
        }
        state.model.open(&path, how, now)
    }

    pub(super) fn close(&self, handle: Handle) {
        self.lock().model.close(handle);
    }

    /// Copies bytes from `offset` on into `out`; returns how many there were.
    pub(super) fn read_into(&self, handle: Handle, offset: u64, out: &mut [u8]) -> Result<usize, DiskError> {
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

    pub(super) fn append(&self, handle: Handle, data: &[u8]) -> Result<(), DiskError> {
        let now = self.now();
        let state = &mut *self.lock();
        let path = state.model.path(handle)?.to_owned();
        let offset = state.model.file(handle)?.bytes().len() as u64;
        let (data, fitted) = fit(&state.model, data);
        let change = Change { offset, len: data.len() as u64, data, ..Change::new("append", &path) };
        if self.admit(state, &change)? == Some(Effect::Misdirected) {
            let at = self.wrong_place(state, &path, offset, data.len() as u64);
            let len = state.model.file_mut(handle)?.misdirect(data, at, now);
            self.note(&Change { offset: at, len, ..Change::new("misdirected-to", &path) });
        } else {
            state.model.file_mut(handle)?.append(data, now);
        }
        state.stats.appended += data.len() as u64;
        self.fitted(fitted, &path)
    }

    pub(super) fn truncate(&self, handle: Handle, len: u64) -> Result<(), DiskError> {
        let now = self.now();
        let state = &mut *self.lock();
        let path = state.model.path(handle)?.to_owned();
        let growth = len.saturating_sub(state.model.file(handle)?.bytes().len() as u64);
        self.admit(state, &Change { offset: len, ..Change::new("truncate", &path) })?;
        self.fitted(state.model.free().is_none_or(|free| growth <= free), &path)?;
        state.model.file_mut(handle)?.truncate(len, now);
        Ok(())
    }

    pub(super) fn sync(&self, handle: Handle) -> Result<(), DiskError> {
        let state = &mut *self.lock();
        let path = state.model.path(handle)?.to_owned();
        let len = state.model.file(handle)?.bytes().len() as u64;
        let admitted = self.admit(state, &Change { len, ..Change::new("sync", &path) });
        if admitted == Err(DiskError::SyncFailed) {
            state.model.file_mut(handle)?.fail_sync();
        }
        let effect = admitted?;
        state.stats.syncs += 1;
        if effect != Some(Effect::LyingSync) {
            state.stats.synced += state.model.file_mut(handle)?.sync();
        }
        Ok(())
    }

    pub(super) fn handle_len(&self, handle: Handle) -> Result<u64, DiskError> {
        Ok(self.lock().model.file(handle)?.bytes().len() as u64)
    }

    /// A change of names: traced under `name`, with the second path, if any, as data.
    pub(super) fn change_names(
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

    /// Gives a lock back. No failing disk can keep it: locks are the kernel's, and closing the file is enough to lose one.
    pub(super) fn unlock(&self, path: &str) -> Result<(), DiskError> {
        let path = normal(path);
        let state = &mut *self.lock();
        state.stats.operations += 1;
        if state.fenced {
            return Err(DiskError::Gone);
        }
        self.note(&Change::new("unlock", &path));
        state.model.unlock(&path)
    }

    /// A question about names.
    pub(super) fn ask<T>(
        &self,
        path: &str,
        f: impl FnOnce(&Model, &str) -> Result<T, DiskError>,
    ) -> Result<T, DiskError> {
        let state = self.lock();
        if state.fenced {
            return Err(DiskError::Gone);
        }
        f(&state.model, &normal(path))
    }

    pub(super) fn stat(&self, path: &str) -> Result<Stat, DiskError> {
        self.ask(path, Model::stat)
    }
}
