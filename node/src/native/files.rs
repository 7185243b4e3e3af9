//! The files of a process: the system's own.

use crate::seams::{Appender, Entry, Files, Space};
use rustix::fs::statvfs;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::FileExt,
    path::Path,
};

/// The system's files.
pub struct SystemFiles;

impl Files for SystemFiles {
    fn space(&self, path: &Path) -> io::Result<Space> {
        // A path that is not there yet is on the file system of what is above it.
        let there = path.ancestors().find(|above| above.exists()).unwrap_or(Path::new("/"));
        let stat = statvfs(there)?;
        // `f_blocks` counts what only root may use as well; what is left of that is no room for us.
        let reserved = stat.f_bfree.saturating_sub(stat.f_bavail);
        let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
        Ok(Space { total: bytes(stat.f_blocks.saturating_sub(reserved)), free: bytes(stat.f_bavail) })
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            match entry.metadata() {
                Ok(metadata) => entries.push(described(entry.file_name().to_string_lossy().into_owned(), &metadata)),
                // RocksDB has removed it meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        entries.sort();
        Ok(entries)
    }

    fn entry(&self, path: &Path) -> io::Result<Entry> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        fs::symlink_metadata(path).map(|metadata| described(name, &metadata))
    }

    fn read(&self, path: &Path, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let file = File::open(path)?;
        let mut bytes = vec![0; len];
        let mut got = 0;
        while got < len {
            match file.read_at(&mut bytes[got..], offset + got as u64) {
                Ok(0) => break,
                Ok(count) => got += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(got);
        Ok(bytes)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn Appender>> {
        let file = OpenOptions::new().append(true).create_new(true).open(path)?;
        Ok(Box::new(SystemFile(file)))
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        // The system would put a file in the place of another one, and a directory in that of an empty one.
        match fs::symlink_metadata(to) {
            Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => fs::rename(from, to),
            Err(error) => Err(error),
        }
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        match fs::symlink_metadata(path)?.is_dir() {
            true => fs::remove_dir_all(path),
            false => fs::remove_file(path),
        }
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }
}

fn described(name: String, metadata: &fs::Metadata) -> Entry {
    let is_dir = metadata.is_dir();
    Entry { name, is_dir, len: if is_dir { 0 } else { metadata.len() } }
}

struct SystemFile(File);

impl Appender for SystemFile {
    fn append(&mut self, data: &[u8]) -> io::Result<()> {
        self.0.write_all(data)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_made_read_renamed_and_removed() {
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        let (dir, files) = (folder.path().join("a/b"), SystemFiles);
        files.create_dir(&dir).expect("it is ours");
        files.create_dir(&dir).expect("it is there");
        let path = dir.join("x");
        let mut file = files.create(&path).expect("it is new");
        file.append(b"abc").and_then(|()| file.append(b"def")).and_then(|()| file.sync()).expect("there is room");
        files.sync_dir(&dir).expect("it is a directory");
        assert_eq!(files.create(&path).err().map(|e| e.kind()), Some(io::ErrorKind::AlreadyExists));
        assert_eq!(files.read(&path, 2, 10).expect("it is there"), b"cdef");
        assert_eq!(files.list(&dir).expect("it is there"), [Entry { name: "x".into(), is_dir: false, len: 6 }]);
        let aside = folder.path().join("aside");
        files.rename(&dir, &aside).expect("the name is free");
        assert_eq!(files.entry(&dir).err().map(|e| e.kind()), Some(io::ErrorKind::NotFound));
        files.create_dir(&dir).expect("it is gone");
        assert_eq!(files.rename(&dir, &aside).err().map(|e| e.kind()), Some(io::ErrorKind::AlreadyExists));
        files.remove(&aside).expect("it is there");
        let space = files.space(&aside.join("not/there")).expect("its file system is");
        assert!(space.free <= space.total && space.total > 0, "{space:?}");
    }
}
