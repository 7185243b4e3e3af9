//! What a disk holds: the page cache's view, and below it what would survive a power cut.
//!
//! A file's bytes and its name become durable separately, as POSIX says: [`Inode::sync`] makes the bytes durable,
//! [`Model::sync_dir`] the names of one directory. A rename of a file is one step to readers and, within one directory,
//! also to a power cut. After a power cut a file has the bytes of its last sync, unless it was torn ([`Model::tear`])
//! before. A quota bounds the bytes that readers see; names cost nothing.
//!
//! Directories themselves are durable when made, when renamed (all names below move in that one step, the durable ones
//! too) and when removed. That is kinder than POSIX: RocksDB does not sync the parent of its own directory. A lock is
//! of a path, as in RocksDB's own table of locks: no rename moves it.
//!
//! This module is pure: it knows no clock, no trace and no RocksDB.

mod tree;

pub use tree::normal;

use super::{
    error::DiskError,
    inode::{Inode, Inodes, Number},
    kind::FileKind,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tree::{children, own, parent};

/// How to open a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// It must exist.
    Read,
    /// Made if missing, emptied if not.
    Create,
    /// Made if missing, kept if not.
    Append,
    /// It must not exist.
    New,
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

impl Model {
    /// Opens a file. Paths are [`normal`].
    pub fn open(&mut self, path: &str, how: Open, now: Duration) -> Result<Handle, DiskError> {
        let number = match (self.names.get(path), how) {
            (Some(number), Open::Read | Open::Append) => *number,
            (Some(_), Open::New) => return Err(DiskError::Exists),
            (Some(number), Open::Create) => {
                let number = *number;
                self.inodes.get_mut(number).truncate(0, now);
                number
            }
            (None, Open::Read) => return Err(DiskError::NotFound),
            (None, Open::Create | Open::Append | Open::New) => {
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

    /// Removes a name.
    pub fn remove(&mut self, path: &str) -> Result<(), DiskError> {
        let number = self.names.remove(path).ok_or(DiskError::NotFound)?;
        self.inodes.release(number);
        Ok(())
    }

    /// Gives a file another name, in place of the file that had it; or a directory another name, which must be free.
    pub fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError> {
        self.check_parent(to)?;
        if self.is_dir(from) {
            return self.rename_tree(from, to);
        }
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

    /// What was set last.
    pub fn quota(&self) -> Option<u64> {
        self.quota
    }

    /// How many bytes may be added; none without a quota.
    pub fn free(&self) -> Option<u64> {
        Some(self.quota?.saturating_sub(self.used()))
    }

    /// The bytes of all files. A file counts as long as it has a name or a handle, and once however many it has. Takes
    /// time in proportion to the number of files.
    pub fn used(&self) -> u64 {
        let named = self.names.values().chain(self.handles.values().map(|(number, _)| number));
        named.collect::<BTreeSet<_>>().into_iter().map(|n| self.inodes.get(*n).bytes().len() as u64).sum()
    }

    /// The file that a path names, for damage at rest.
    pub fn named_mut(&mut self, path: &str) -> Result<&mut Inode, DiskError> {
        self.names.get(path).map(|number| self.inodes.get_mut(*number)).ok_or(DiskError::NotFound)
    }

    /// All files by path, with their lengths.
    pub fn files(&self) -> BTreeMap<String, u64> {
        self.names.iter().map(|(path, n)| (path.clone(), self.inodes.get(*n).bytes().len() as u64)).collect()
    }

    /// The files of these kinds below a directory that have bytes, each once, under its first name there, with their
    /// lengths.
    pub fn files_of(&self, dir: &str, kinds: &BTreeSet<FileKind>) -> Vec<(String, u64)> {
        let mut seen = BTreeSet::new();
        let of_kind = children(&self.names, dir).filter(|(path, _)| kinds.contains(&FileKind::of(path)));
        let once = of_kind.filter(|(_, number)| seen.insert(**number));
        let lengths = once.map(|(path, number)| (path.clone(), self.inodes.get(*number).bytes().len() as u64));
        lengths.filter(|(_, len)| *len > 0).collect()
    }

    /// The bytes of the file that a path names.
    pub fn bytes(&self, path: &str) -> Option<&[u8]> {
        self.names.get(path).map(|number| self.inodes.get(*number).bytes())
    }
}
