//! The disk: RocksDB's environment, and the files around the database: its folder, what is kept aside, backups.

use std::{fmt, io, path::Path, sync::Arc};

/// The disk of one node; clones share it.
#[derive(Clone)]
pub struct Disk {
    /// Below RocksDB.
    pub env: rocksdb::Env,
    /// Everything that is not RocksDB's own doing.
    pub files: Arc<dyn Files>,
}

impl Disk {
    /// A disk of these two views, which must show the same files.
    pub fn new(env: rocksdb::Env, files: impl Files + 'static) -> Self {
        Self { env, files: Arc::new(files) }
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Disk")
    }
}

/// How much a file system holds, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Space {
    /// Of all files, used or not.
    pub total: u64,
    /// What this node may still write.
    pub free: u64,
}

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its name, without the directory.
    pub name: String,
    /// Whether it is a directory.
    pub is_dir: bool,
    /// Bytes of a file; 0 for a directory.
    pub len: u64,
}

/// Files and directories by path. Every call blocks: see [`super::Blocking`].
///
/// What a call changed is durable when [`Appender::sync`] was called on the file and [`Files::sync_dir`] on the directory
/// that names it. A full disk is [`io::ErrorKind::StorageFull`], a missing path [`io::ErrorKind::NotFound`], one that is
/// there already [`io::ErrorKind::AlreadyExists`].
pub trait Files: Send + Sync {
    /// The space of the file system that `path` is on, or would be.
    ///
    /// # Errors
    /// The system's; so for every method here.
    fn space(&self, path: &Path) -> io::Result<Space>;

    /// What is in a directory, by name.
    ///
    /// # Errors
    /// See [`Files::space`].
    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>>;

    /// The entry that `path` names.
    ///
    /// # Errors
    /// See [`Files::space`]; `NotFound` when there is none.
    fn entry(&self, path: &Path) -> io::Result<Entry>;

    /// Up to `len` bytes of a file from `offset` on; fewer only at its end.
    ///
    /// # Errors
    /// See [`Files::space`].
    fn read(&self, path: &Path, offset: u64, len: usize) -> io::Result<Vec<u8>>;

    /// Makes a file that is not there yet.
    ///
    /// # Errors
    /// See [`Files::space`].
    fn create(&self, path: &Path) -> io::Result<Box<dyn Appender>>;

    /// Makes a directory and those above it; no error when it is there.
    ///
    /// # Errors
    /// See [`Files::space`].
    fn create_dir(&self, path: &Path) -> io::Result<()>;

    /// Gives a file or a directory another name, which must be free.
    ///
    /// # Errors
    /// See [`Files::space`].
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file, or a directory with all that is in it.
    ///
    /// # Errors
    /// See [`Files::space`].
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a directory durable.
    ///
    /// # Errors
    /// See [`Files::space`].
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
}

/// A file that is being written.
pub trait Appender: Send {
    /// Adds bytes at the end. On a full disk some may have been added.
    ///
    /// # Errors
    /// The system's.
    fn append(&mut self, data: &[u8]) -> io::Result<()>;

    /// Makes its bytes durable.
    ///
    /// # Errors
    /// The system's; then nothing is known of the bytes since the last sync, and a second try proves nothing.
    fn sync(&mut self) -> io::Result<()>;
}
