//! Files that fail at one call, as in a failure, or from one call on, as in a crash.

use crate::{
    native::files::SystemFiles,
    seams::{Appender, Disk, Entry, Files, Space},
};
use std::{
    io,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

/// Calls that nothing here makes as many of.
const CALLS_MAX: u64 = 1000;

/// What happens at the chosen call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// That one fails.
    Failure,
    /// It and all after it fail, so that nothing can be tidied up.
    Crash,
}

/// The system's files, cut.
struct CutFiles {
    calls: AtomicU64,
    at: u64,
    cut: Cut,
}

impl CutFiles {
    fn call<T>(&self, f: impl FnOnce(&SystemFiles) -> io::Result<T>) -> io::Result<T> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let fails = match self.cut {
            Cut::Failure => call == self.at,
            Cut::Crash => call >= self.at,
        };
        if fails { Err(io::Error::other("cut")) } else { f(&SystemFiles) }
    }
}

impl Files for CutFiles {
    fn space(&self, path: &Path) -> io::Result<Space> {
        self.call(|files| files.space(path))
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        self.call(|files| files.list(dir))
    }
    fn entry(&self, path: &Path) -> io::Result<Entry> {
        self.call(|files| files.entry(path))
    }
    fn read(&self, path: &Path, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        self.call(|files| files.read(path, offset, len))
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn Appender>> {
        self.call(|files| files.create(path))
    }
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.call(|files| files.create_dir(path))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call(|files| files.rename(from, to))
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.call(|files| files.remove(path))
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.call(|files| files.sync_dir(dir))
    }
}

/// Does `work` once for each call of its files and each way to cut it there, and once uncut. What it is given is a disk, and
/// what it gives is whether it succeeded; `after` sees what is left, with the name of the cut.
pub fn at_every_call<P>(prepare: impl Fn() -> P, work: impl Fn(&P, &Disk) -> bool, after: impl Fn(P, &str, bool)) {
    for cut in [Cut::Failure, Cut::Crash] {
        let mut failures = 0;
        for at in 0.. {
            assert!(at < CALLS_MAX, "it never ends");
            let place = prepare();
            let files = std::sync::Arc::new(CutFiles { calls: 0.into(), at, cut });
            let disk = Disk { env: rocksdb::Env::new().expect("the default environment"), files: files.clone() };
            let is_done = work(&place, &disk);
            let is_cut = files.calls.load(Ordering::Relaxed) > at;
            assert!(is_cut || is_done, "{cut:?} at {at}: it failed without a reason");
            failures += u64::from(!is_done);
            after(place, &format!("{cut:?} at call {at}"), is_done);
            if !is_cut {
                break;
            }
        }
        assert!(failures > 0, "nothing was cut");
    }
}
