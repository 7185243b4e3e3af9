//! Disks of the tests: one in memory, and one that fails at a chosen operation.

use crate::{
    native::{files::SystemFiles, seams},
    seams::{Appender, Disk, Entry, Files, Space},
};
use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

/// Files in memory, with no directories but those that files are in.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<BTreeMap<PathBuf, Vec<u8>>>>);

impl Memory {
    pub fn with<T>(&self, f: impl FnOnce(&mut BTreeMap<PathBuf, Vec<u8>>) -> T) -> T {
        f(&mut self.0.lock().expect("nobody panics with it"))
    }

    pub fn names(&self) -> Vec<String> {
        self.with(|files| files.keys().map(|path| path.display().to_string()).collect())
    }
}

fn described(path: &Path, data: &[u8]) -> Entry {
    let name = path.file_name().expect("a file has a name").to_string_lossy().into_owned();
    Entry { name, is_dir: false, len: data.len() as u64 }
}

impl Files for Memory {
    fn space(&self, _: &Path) -> io::Result<Space> {
        Ok(Space { total: 1 << 40, free: 1 << 39 })
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        let inside = |(path, _): &(&PathBuf, &Vec<u8>)| path.parent() == Some(dir);
        Ok(self.with(|files| files.iter().filter(inside).map(|(path, data)| described(path, data)).collect()))
    }
    fn entry(&self, path: &Path) -> io::Result<Entry> {
        self.with(|files| files.get(path).map(|data| described(path, data)).ok_or(io::ErrorKind::NotFound.into()))
    }
    fn read(&self, path: &Path, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        self.with(|files| {
            let data = files.get(path).ok_or(io::ErrorKind::NotFound)?;
            let from = data.len().min(offset as usize);
            Ok(data[from..data.len().min(from + len)].to_vec())
        })
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn Appender>> {
        let taken = self.with(|files| files.contains_key(path) || files.insert(path.to_owned(), Vec::new()).is_some());
        if taken { Err(io::ErrorKind::AlreadyExists.into()) } else { Ok(Box::new((self.clone(), path.to_owned()))) }
    }
    fn create_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.with(|files| {
            if files.contains_key(to) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            let data = files.remove(from).ok_or(io::ErrorKind::NotFound)?;
            files.insert(to.to_owned(), data);
            Ok(())
        })
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.with(|files| files.remove(path).map(drop).ok_or(io::ErrorKind::NotFound.into()))
    }
    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

impl Appender for (Memory, PathBuf) {
    fn append(&mut self, data: &[u8]) -> io::Result<()> {
        self.0.with(|files| files.get_mut(&self.1).ok_or(io::ErrorKind::NotFound)?.write_all(data))
    }
    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The system's files, of which one change fails with a full disk. Reading and removing always work.
#[derive(Clone)]
pub struct Failing {
    left: Arc<AtomicU64>,
    space: Space,
}

impl Failing {
    /// The first `changes` changes of files work, and the next does not.
    pub fn after(changes: u64) -> Self {
        Self { left: Arc::new(changes.into()), space: Space { total: 1 << 30, free: 1 << 29 } }
    }

    /// Everything works, and the disk says that it has `space`.
    pub fn never(space: Space) -> Self {
        Self { left: Arc::new(u64::MAX.into()), space }
    }

    /// The disk that these files are on.
    pub fn disk(&self) -> Disk {
        Disk { files: Arc::new(self.clone()), ..seams::disk().expect("there is a default environment") }
    }

    /// Whether all changes that work were made.
    pub fn is_spent(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }

    fn change(&self) -> io::Result<()> {
        match self.left.load(Ordering::Relaxed) {
            0 => Err(io::ErrorKind::StorageFull.into()),
            left => {
                self.left.store(left - 1, Ordering::Relaxed);
                Ok(())
            }
        }
    }
}

impl Files for Failing {
    fn space(&self, _: &Path) -> io::Result<Space> {
        Ok(self.space)
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        SystemFiles.list(dir)
    }
    fn entry(&self, path: &Path) -> io::Result<Entry> {
        SystemFiles.entry(path)
    }
    fn read(&self, path: &Path, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        SystemFiles.read(path, offset, len)
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn Appender>> {
        self.change()?;
        Ok(Box::new((self.clone(), SystemFiles.create(path)?)))
    }
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.change()?;
        SystemFiles.create_dir(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change()?;
        SystemFiles.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        SystemFiles.remove(path)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.change()?;
        SystemFiles.sync_dir(dir)
    }
}

impl Appender for (Failing, Box<dyn Appender>) {
    fn append(&mut self, data: &[u8]) -> io::Result<()> {
        self.0.change()?;
        self.1.append(data)
    }
    fn sync(&mut self) -> io::Result<()> {
        self.0.change()?;
        self.1.sync()
    }
}

/// Flips a bit of a file of the system's.
pub fn damage(path: &Path) {
    let len = SystemFiles.entry(path).expect("it is there").len as usize;
    let mut bytes = SystemFiles.read(path, 0, len).expect("it is there");
    bytes[100] ^= 1;
    SystemFiles.remove(path).expect("it is ours");
    SystemFiles.create(path).and_then(|mut file| file.append(&bytes)).expect("there is room");
}
