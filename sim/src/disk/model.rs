//! What a disk holds: the page cache's view, and below it what would survive a power cut.
//!
//! A file's bytes and its name become durable separately, as POSIX says: [`Model::sync`] makes the bytes durable,
//! [`Model::sync_dir`] the names of one directory. A rename is one step to readers and, within one directory, also to
//! a power cut. Directories themselves are durable when made, which is kinder than POSIX: RocksDB does not sync the
//! parent of its own directory. After a power cut a file has the bytes of its last sync, unless it was torn
//! ([`Model::tear`]) before. A quota bounds the bytes that readers see; names cost nothing.
//!
//! This module is pure: it knows no clock, no trace and no RocksDB.

use super::inode::{Inode, Inodes, Number};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Why an operation on the simulated disk failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiskError {
    /// The path, or the directory that would hold it, does not exist.
    #[error("no such file or directory")]
    NotFound,
    /// The path exists already.
    #[error("file exists")]
    Exists,
    /// Another handle holds the lock.
    #[error("locked by another handle")]
    Locked,
    /// A file where a directory is needed.
    #[error("not a directory")]
    NotADirectory,
    /// The directory has entries.
    #[error("directory not empty")]
    NotEmpty,
    /// The host was killed or lost power since the handle was opened, or is down.
    #[error("the host is down")]
    Gone,
    /// The quota is used up. What fitted of an append was written.
    #[error("no space left on device")]
    NoSpace,
    /// A fault struck the operation.
    #[error("input/output error")]
    Io,
    /// A fault struck a sync, and what was pending is lost to later syncs.
    #[error("input/output error: the sync failed for good")]
    SyncFailed,
    /// The file has no such byte or bit.
    #[error("beyond the end of the file")]
    BeyondEnd,
}

/// How to open a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// It must exist.
    Read,
    /// Made if missing, emptied if not.
    Create,
    /// Made if missing, kept if not.
    Append,
}

/// An open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Handle(pub u64);

/// One disk.
#[derive(Default)]
pub struct Model {
    inodes: Inodes,
    names: BTreeMap<String, Number>,
    durable_names: BTreeMap<String, Number>,
    dirs: BTreeSet<String>,
    locks: BTreeSet<String>,
    handles: BTreeMap<Handle, (Number, String)>,
    next_handle: u64,
    quota: Option<u64>,
}

/// What a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stat {
    /// A file with its length in bytes and its time of modification.
    File(u64, Duration),
    /// A directory.
    Dir,
}

/// The path with one slash at its start, none doubled and none at its end; the root is the empty string.
pub fn normal(path: &str) -> String {
    path.split('/').filter(|part| !part.is_empty() && *part != ".").fold(String::new(), |mut out, part| {
        out.push('/');
        out.push_str(part);
        out
    })
}

fn parent(path: &str) -> &str {
    path.rfind('/').map_or("", |slash| &path[..slash])
}

impl Model {
    /// Opens a file. Paths are [`normal`].
    pub fn open(&mut self, path: &str, how: Open, now: Duration) -> Result<Handle, DiskError> {
        let number = match (self.names.get(path), how) {
            (Some(number), Open::Read | Open::Append) => *number,
            (Some(number), Open::Create) => {
                let number = *number;
                self.inodes.get_mut(number).truncate(0, now);
                number
            }
            (None, Open::Read) => return Err(DiskError::NotFound),
            (None, Open::Create | Open::Append) => {
                self.check_parent(path)?;
                if self.is_dir(path) {
                    return Err(DiskError::Exists);
                }
                let number = self.inodes.add(now);
                self.names.insert(path.to_owned(), number);
                number
            }
        };
        self.inodes.hold(number);
        let handle = Handle(self.next_handle);
        self.next_handle += 1;
        self.handles.insert(handle, (number, path.to_owned()));
        Ok(handle)
    }

    /// Closes a handle; one that is gone is ignored.
    pub fn close(&mut self, handle: Handle) {
        if let Some((number, _)) = self.handles.remove(&handle) {
            self.inodes.release(number);
        }
    }

    /// The path under which a handle was opened.
    pub fn path(&self, handle: Handle) -> Result<&str, DiskError> {
        self.handles.get(&handle).map(|(_, path)| path.as_str()).ok_or(DiskError::Gone)
    }

    /// The file behind a handle.
    pub fn file(&self, handle: Handle) -> Result<&Inode, DiskError> {
        self.handles.get(&handle).map(|(number, _)| self.inodes.get(*number)).ok_or(DiskError::Gone)
    }

    /// The same, for changes.
    pub fn file_mut(&mut self, handle: Handle) -> Result<&mut Inode, DiskError> {
        let (number, _) = self.handles.get(&handle).ok_or(DiskError::Gone)?;
        Ok(self.inodes.get_mut(*number))
    }

    /// Makes the names in a directory durable: those that were added and those that were removed.
    pub fn sync_dir(&mut self, dir: &str) -> Result<(), DiskError> {
        self.check_dir(dir)?;
        let inside = |path: &String| parent(path) == dir;
        let old: Vec<_> = children(&self.durable_names, dir).filter(|(p, _)| inside(p)).map(own).collect();
        let new: Vec<_> = children(&self.names, dir).filter(|(p, _)| inside(p)).map(own).collect();
        for (_, number) in &new {
            self.inodes.hold(*number);
        }
        for (path, number) in old {
            self.durable_names.remove(&path);
            self.inodes.release(number);
        }
        self.durable_names.extend(new);
        Ok(())
    }

    /// What `path` names.
    pub fn stat(&self, path: &str) -> Result<Stat, DiskError> {
        match self.names.get(path) {
            Some(number) => {
                let inode = self.inodes.get(*number);
                Ok(Stat::File(inode.bytes().len() as u64, inode.modified()))
            }
            None if self.is_dir(path) => Ok(Stat::Dir),
            None => Err(DiskError::NotFound),
        }
    }

    /// The names in a directory, in order.
    pub fn list(&self, dir: &str) -> Result<Vec<String>, DiskError> {
        self.check_dir(dir)?;
        let files = children(&self.names, dir).map(|(path, _)| path);
        let names = files.chain(self.dirs.iter()).filter(|path| parent(path) == dir);
        Ok(names.map(|path| path[dir.len() + 1..].to_owned()).collect::<BTreeSet<_>>().into_iter().collect())
    }

    /// Removes a name.
    pub fn remove(&mut self, path: &str) -> Result<(), DiskError> {
        let number = self.names.remove(path).ok_or(DiskError::NotFound)?;
        self.inodes.release(number);
        Ok(())
    }

    /// Gives a file another name, in place of the file that had it.
    pub fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError> {
        self.check_parent(to)?;
        if self.is_dir(to) {
            return Err(DiskError::Exists);
        }
        let number = self.names.remove(from).ok_or(DiskError::NotFound)?;
        if let Some(replaced) = self.names.insert(to.to_owned(), number) {
            self.inodes.release(replaced);
        }
        Ok(())
    }

    /// Gives a file a second name.
    pub fn link(&mut self, from: &str, to: &str) -> Result<(), DiskError> {
        self.check_parent(to)?;
        let number = *self.names.get(from).ok_or(DiskError::NotFound)?;
        if self.names.contains_key(to) || self.is_dir(to) {
            return Err(DiskError::Exists);
        }
        self.inodes.hold(number);
        self.names.insert(to.to_owned(), number);
        Ok(())
    }

    /// True if both paths name one file.
    pub fn same(&self, a: &str, b: &str) -> Result<bool, DiskError> {
        let number = |path| self.names.get(path).ok_or(DiskError::NotFound);
        Ok(number(a)? == number(b)?)
    }

    /// Makes a directory and those above it.
    pub fn make_dir(&mut self, path: &str) -> Result<(), DiskError> {
        if self.names.contains_key(path) || self.is_dir(path) {
            return Err(DiskError::Exists);
        }
        let mut dir = path;
        while !dir.is_empty() {
            if self.names.contains_key(dir) {
                return Err(DiskError::NotADirectory);
            }
            self.dirs.insert(dir.to_owned());
            dir = parent(dir);
        }
        Ok(())
    }

    /// Removes an empty directory.
    pub fn remove_dir(&mut self, path: &str) -> Result<(), DiskError> {
        if !self.list(path)?.is_empty() {
            return Err(DiskError::NotEmpty);
        }
        // Names that were removed without a sync go with it.
        self.sync_dir(path)?;
        self.dirs.remove(path);
        Ok(())
    }

    /// Takes the lock of that name; the file is made if missing.
    pub fn lock(&mut self, path: &str, now: Duration) -> Result<(), DiskError> {
        if self.locks.contains(path) {
            return Err(DiskError::Locked);
        }
        let handle = self.open(path, Open::Append, now)?;
        self.close(handle);
        self.locks.insert(path.to_owned());
        Ok(())
    }

    /// Gives a lock back.
    pub fn unlock(&mut self, path: &str) -> Result<(), DiskError> {
        if self.locks.remove(path) { Ok(()) } else { Err(DiskError::NotFound) }
    }

    /// The end of all processes: handles and locks are gone, the page cache stays.
    pub fn close_all(&mut self) {
        self.locks.clear();
        for (number, _) in std::mem::take(&mut self.handles).into_values() {
            self.inodes.release(number);
        }
    }

    /// The end of power: [`Model::close_all`], and everything that was not synced is lost.
    pub fn power_cut(&mut self) {
        self.close_all();
        for number in self.durable_names.values() {
            self.inodes.hold(*number);
        }
        for number in std::mem::replace(&mut self.names, self.durable_names.clone()).into_values() {
            self.inodes.release(number);
        }
        self.inodes.power_cut();
    }

    /// Before a power cut: of each file's pending bytes, the first so many survive as `keep` says, which is asked with
    /// the path and the number of pending bytes, in the order of the durable paths. `torn` gets path, start and length.
    pub fn tear(&mut self, mut keep: impl FnMut(&str, u64) -> u64, mut torn: impl FnMut(&str, u64, u64)) {
        // A file with two names is torn once.
        let mut seen = BTreeSet::new();
        for (path, number) in &self.durable_names {
            let inode = self.inodes.get_mut(*number);
            let pending = inode.pending();
            if pending > 0 && seen.insert(*number) {
                let kept = keep(path, pending).min(pending);
                if let Some(start) = inode.tear(kept) {
                    torn(path, start, kept);
                }
            }
        }
    }

    /// Bounds the bytes of all files; none for no bound. What is there already stays.
    pub fn set_quota(&mut self, quota: Option<u64>) {
        self.quota = quota;
    }

    /// How many bytes may be added; none without a quota. A file counts as long as it has a name or a handle, and
    /// once however many it has. Takes time in proportion to the number of files.
    pub fn free(&self) -> Option<u64> {
        let quota = self.quota?;
        let named = self.names.values().chain(self.handles.values().map(|(number, _)| number));
        let used = named.collect::<BTreeSet<_>>().into_iter().map(|n| self.inodes.get(*n).bytes().len() as u64);
        Some(quota.saturating_sub(used.sum()))
    }

    /// The file that a path names, for damage at rest.
    pub fn named_mut(&mut self, path: &str) -> Result<&mut Inode, DiskError> {
        self.names.get(path).map(|number| self.inodes.get_mut(*number)).ok_or(DiskError::NotFound)
    }

    /// All files by path, with their lengths.
    pub fn files(&self) -> BTreeMap<String, u64> {
        self.names.iter().map(|(path, n)| (path.clone(), self.inodes.get(*n).bytes().len() as u64)).collect()
    }

    /// The bytes of the file that a path names.
    pub fn bytes(&self, path: &str) -> Option<&[u8]> {
        self.names.get(path).map(|number| self.inodes.get(*number).bytes())
    }

    fn is_dir(&self, path: &str) -> bool {
        path.is_empty() || self.dirs.contains(path)
    }

    fn check_dir(&self, path: &str) -> Result<(), DiskError> {
        match self.is_dir(path) {
            true => Ok(()),
            false if self.names.contains_key(path) => Err(DiskError::NotADirectory),
            false => Err(DiskError::NotFound),
        }
    }

    fn check_parent(&self, path: &str) -> Result<(), DiskError> {
        self.check_dir(parent(path))
    }
}

/// The entries below a directory, at any depth.
fn children<'a>(
    names: &'a BTreeMap<String, Number>,
    dir: &str,
) -> impl Iterator<Item = (&'a String, &'a Number)> + use<'a> {
    let prefix = format!("{dir}/");
    names.range(prefix.clone()..).take_while(move |(path, _)| path.starts_with(&prefix))
}

fn own((path, number): (&String, &Number)) -> (String, Number) {
    (path.clone(), *number)
}
