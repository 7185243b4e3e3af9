//! The files of a [`Disk`] for the host's own program, beside RocksDB's: by path, and open for adding to them.
//!
//! Every change is traced as RocksDB's are, and faults strike here as there. A file from [`Disk::create_new`] survives a
//! power cut after [`DiskFile::sync`] and [`Disk::sync_dir`] of its directory; a directory is durable when made, renamed
//! or removed. All of this runs on the host's thread. A harness that wants to look without being struck calls
//! [`Disk::files`] and [`Disk::read`].

use super::{
    Change, Disk, DiskError,
    model::{Handle, Open, Stat, normal},
};

/// What a disk without a quota holds, in bytes, as it says itself: more than any run writes.
const CAPACITY: u64 = 1 << 40;

/// How much a disk holds, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskSpace {
    /// Used or not: the quota, or 1 TiB without one.
    pub total: u64,
    /// What may still be written.
    pub free: u64,
}

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DiskEntry {
    /// Its name, without the directory.
    pub name: String,
    /// Whether it is a directory.
    pub is_dir: bool,
    /// Bytes of a file; 0 for a directory.
    pub len: u64,
}

impl DiskEntry {
    fn new(path: &str, stat: Stat) -> Self {
        let (is_dir, len) = match stat {
            Stat::File(len, _) => (false, len),
            Stat::Dir => (true, 0),
        };
        Self { name: path.rsplit('/').next().unwrap_or(path).to_owned(), is_dir, len }
    }
}

/// A file that [`Disk::create_new`] made; closed when dropped.
#[derive(Debug)]
pub struct DiskFile {
    disk: Disk,
    handle: Handle,
}

impl DiskFile {
    /// Adds bytes at the end. On a full disk those that fit are added.
    ///
    /// # Errors
    /// [`DiskError::NoSpace`], [`DiskError::Io`], or [`DiskError::Gone`] after the end of the process that made it.
    pub fn append(&mut self, data: &[u8]) -> Result<(), DiskError> {
        self.disk.append(self.handle, data)
    }

    /// Makes its bytes durable.
    ///
    /// # Errors
    /// [`DiskError::Io`], [`DiskError::SyncFailed`] or [`DiskError::Gone`].
    pub fn sync(&mut self) -> Result<(), DiskError> {
        self.disk.sync(self.handle)
    }
}

impl Drop for DiskFile {
    fn drop(&mut self) {
        self.disk.close(self.handle);
    }
}

/// # Errors
/// All of these fail with [`DiskError::Gone`] while the host is being stopped, and with [`DiskError::Io`] where a fault
/// strikes.
impl Disk {
    /// How much there is and how much is left.
    pub fn space(&self) -> Result<DiskSpace, DiskError> {
        self.ask("", |model, _| {
            let total = model.quota().unwrap_or(CAPACITY);
            Ok(DiskSpace { total, free: total.saturating_sub(model.used()) })
        })
    }

    /// What is in a directory, by name.
    pub fn list(&self, dir: &str) -> Result<Vec<DiskEntry>, DiskError> {
        self.ask(dir, |model, dir| {
            let described = |name: String| {
                let path = format!("{dir}/{name}");
                model.stat(&path).map(|stat| DiskEntry::new(&path, stat))
            };
            model.list(dir)?.into_iter().map(described).collect()
        })
    }

    /// The entry that a path names.
    pub fn entry(&self, path: &str) -> Result<DiskEntry, DiskError> {
        self.ask(path, |model, path| model.stat(path).map(|stat| DiskEntry::new(path, stat)))
    }

    /// Up to `len` bytes of a file from `offset` on; fewer only at its end.
    pub fn read_at(&self, path: &str, offset: u64, len: usize) -> Result<Vec<u8>, DiskError> {
        let (state, path) = (&mut *self.lock(), normal(path));
        if state.fenced {
            return Err(DiskError::Gone);
        }
        self.strike(state, &Change { offset, len: len as u64, ..Change::new("read", &path) })?;
        let bytes = state.model.bytes(&path).ok_or(DiskError::NotFound)?;
        let rest = usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..)).unwrap_or_default();
        Ok(rest[..len.min(rest.len())].to_vec())
    }

    /// Makes a file; [`DiskError::Exists`] if there is something of that name.
    pub fn create_new(&self, path: &str) -> Result<DiskFile, DiskError> {
        let handle = self.open(path, Open::New)?;
        Ok(DiskFile { disk: self.clone(), handle })
    }

    /// Makes a directory and those above it; no error if it is there.
    pub fn create_dir(&self, path: &str) -> Result<(), DiskError> {
        self.change_names("make-dir", path, "", |model, path, _, _| match model.stat(path) {
            Ok(Stat::Dir) => Ok(()),
            _ => model.make_dir(path),
        })
    }

    /// Gives a file or a directory another name; [`DiskError::Exists`] if there is something of that name. A directory
    /// moves with all names below it, the durable ones too, in one step that is durable when made; a file's new name is
    /// durable after [`Disk::sync_dir`].
    pub fn rename(&self, from: &str, to: &str) -> Result<(), DiskError> {
        self.change_names("rename", from, to, |model, from, to, _| match model.stat(to) {
            Ok(_) => Err(DiskError::Exists),
            Err(_) => model.rename(from, to),
        })
    }

    /// Removes a file; or a directory with all that is in it, durably.
    pub fn remove(&self, path: &str) -> Result<(), DiskError> {
        self.change_names("remove", path, "", |model, path, _, _| match model.stat(path)? {
            Stat::File(..) => model.remove(path),
            Stat::Dir => model.remove_tree(path),
        })
    }

    /// Makes the names in a directory durable.
    pub fn sync_dir(&self, dir: &str) -> Result<(), DiskError> {
        let (state, dir) = (&mut *self.lock(), normal(dir));
        match self.admit(state, &Change::new("sync-dir", &dir))? {
            // A lie: it says what an honest sync would say, and does nothing.
            Some(_) => state.model.check_dir(&dir),
            None => state.model.sync_dir(&dir),
        }
    }
}
