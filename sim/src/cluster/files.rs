//! The node's files on its host's simulated disk.

use crate::disk::{Disk, DiskEntry, DiskError, DiskFile};
use assay_node::seams::{Appender, Entry, Files, Space};
use std::{io, path::Path};

/// A disk as the node's seam wants it.
pub(super) struct SimFiles(pub Disk);

impl Files for SimFiles {
    fn space(&self, _: &Path) -> io::Result<Space> {
        let space = self.0.space().map_err(system)?;
        Ok(Space { total: space.total, free: space.free })
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        Ok(self.0.list(text(dir)?).map_err(system)?.into_iter().map(entry).collect())
    }

    fn entry(&self, path: &Path) -> io::Result<Entry> {
        self.0.entry(text(path)?).map(entry).map_err(system)
    }

    fn read(&self, path: &Path, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        self.0.read_at(text(path)?, offset, len).map_err(system)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn Appender>> {
        Ok(Box::new(SimFile(self.0.create_new(text(path)?).map_err(system)?)))
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.0.create_dir(text(path)?).map_err(system)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.rename(text(from)?, text(to)?).map_err(system)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.remove(text(path)?).map_err(system)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.0.sync_dir(text(dir)?).map_err(system)
    }
}

struct SimFile(DiskFile);

impl Appender for SimFile {
    fn append(&mut self, data: &[u8]) -> io::Result<()> {
        self.0.append(data).map_err(system)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync().map_err(system)
    }
}

fn text(path: &Path) -> io::Result<&str> {
    path.to_str().ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

fn entry(DiskEntry { name, is_dir, len }: DiskEntry) -> Entry {
    Entry { name, is_dir, len }
}

/// The error that Linux gives. A host that is being stopped has lost its disk.
fn system(error: DiskError) -> io::Error {
    io::Error::from_raw_os_error(match error {
        DiskError::NotFound => libc::ENOENT,
        DiskError::Exists => libc::EEXIST,
        DiskError::Locked => libc::EAGAIN,
        DiskError::NotADirectory => libc::ENOTDIR,
        DiskError::NotEmpty => libc::ENOTEMPTY,
        DiskError::IntoItself | DiskError::BeyondEnd => libc::EINVAL,
        DiskError::Gone => libc::ENODEV,
        DiskError::InUse => libc::EBUSY,
        DiskError::NoSpace => libc::ENOSPC,
        DiskError::Io | DiskError::SyncFailed => libc::EIO,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HostId, clock::HostClock, trace::Trace};
    use std::{io::ErrorKind, sync::Arc, time::Duration};

    fn disk() -> (Disk, SimFiles) {
        let disk = Disk::new(1, HostId::from_index(0), Arc::new(HostClock::new(Duration::ZERO)), Trace::new());
        (disk.clone(), SimFiles(disk))
    }

    fn kind<T>(result: io::Result<T>) -> Option<ErrorKind> {
        result.err().map(|error| error.kind())
    }

    #[test]
    fn files_are_made_read_renamed_and_removed() {
        let (dir, (_, files)) = (Path::new("data/b"), disk());
        files.create_dir(dir).and_then(|()| files.create_dir(dir)).expect("made once");
        let path = dir.join("x");
        let mut file = files.create(&path).expect("it is new");
        file.append(b"abc").and_then(|()| file.append(b"def")).and_then(|()| file.sync()).expect("there is room");
        files.sync_dir(dir).expect("it is a directory");
        assert_eq!(kind(files.create(&path)), Some(ErrorKind::AlreadyExists));
        assert_eq!(files.read(&path, 2, 10).expect("it is there"), b"cdef");
        assert_eq!(files.read(&path, 7, 10).expect("it is there"), b"");
        assert_eq!(files.list(dir).expect("it is there"), [Entry { name: "x".into(), is_dir: false, len: 6 }]);
        let aside = Path::new("/data/aside");
        files.rename(dir, aside).expect("the name is free");
        assert_eq!(kind(files.entry(dir)), Some(ErrorKind::NotFound));
        assert!(files.entry(aside).expect("it moved").is_dir);
        files.create_dir(dir).expect("it is gone");
        assert_eq!(kind(files.rename(dir, aside)), Some(ErrorKind::AlreadyExists));
        assert_eq!(kind(files.rename(aside, &aside.join("in"))), Some(ErrorKind::InvalidInput));
        files.remove(aside).expect("it is there");
        assert_eq!(kind(files.read(&aside.join("x"), 0, 1)), Some(ErrorKind::NotFound));
    }

    #[test]
    fn a_full_disk_and_its_space_are_told() {
        let (disk, files) = disk();
        let mut file = files.create(Path::new("/x")).expect("new");
        file.append(&[7; 10]).expect("there is room");
        let space = files.space(Path::new("/x/y")).expect("it is up");
        assert_eq!((space.total, space.free), (1 << 40, (1 << 40) - 10));
        disk.set_quota(Some(12));
        assert_eq!(kind(file.append(&[7; 10])), Some(ErrorKind::StorageFull));
        let space = files.space(Path::new("/")).expect("it is up");
        assert_eq!((space.total, space.free), (12, 0));
    }

    #[test]
    fn a_struck_operation_fails_as_linux_says_it() {
        use crate::disk::{Effect, Fault, FileKind, Operation, When};
        let (disk, files) = disk();
        let path = Path::new("/1.backup.partial");
        let mut file = files.create(path).expect("new");
        let files_struck = [FileKind::Backup].into();
        disk.inject(Fault { operation: Operation::Any, files: files_struck, when: When::Always, effect: Effect::Eio });
        let errors = [file.append(b"x"), file.sync(), files.read(path, 0, 1).map(drop), files.remove(path)];
        let codes = errors.map(|result| result.err().and_then(|error| error.raw_os_error()));
        assert_eq!(codes, [Some(libc::EIO); 4]);
        files.create(Path::new("/2")).expect("of another kind");
        disk.fence();
        assert_eq!(files.entry(path).err().and_then(|error| error.raw_os_error()), Some(libc::ENODEV));
    }
}
