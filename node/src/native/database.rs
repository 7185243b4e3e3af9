//! The database's directory: made when it is missing, refused when it is someone else's.
//!
//! RocksDB recognises other databases, and would make a new one between files of any other kind. What those are it cannot
//! know, so names decide here.

use rustix::{
    fs::{FlockOperation, fcntl_lock},
    io::Errno,
    process::{Flock, FlockType, Pid, fcntl_getlk},
};
use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

/// A directory that cannot be the database's.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// It holds something that no database does.
    #[error("storage.path = {path} holds {found:?}, which is no database's file; choose another or an empty directory")]
    Foreign {
        /// The directory.
        path: PathBuf,
        /// A file in it.
        found: String,
    },
    /// The file system refuses.
    #[error("cannot read storage.path = {path}: {cause}; choose a directory that this user may read and write")]
    Read {
        /// The directory.
        path: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
    /// The file system refuses.
    #[error("cannot make storage.path = {path}: {cause}; choose a directory that this user may read and write")]
    Create {
        /// The directory.
        path: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
}

/// Makes the directory and those above it.
///
/// # Errors
/// [`DatabaseError::Create`].
pub fn create_directory(path: &Path) -> Result<(), DatabaseError> {
    fs::create_dir_all(path).map_err(|cause| DatabaseError::Create { path: path.to_owned(), cause })
}

/// Refuses a directory with a file that RocksDB does not make. One that is missing or empty may become ours.
///
/// # Errors
/// [`DatabaseError::Foreign`] with the first such file, [`DatabaseError::Read`].
pub fn is_ours(path: &Path) -> Result<(), DatabaseError> {
    let failed = |cause| DatabaseError::Read { path: path.to_owned(), cause };
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    for entry in entries {
        let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
        if !is_rocksdb_file(&name) {
            return Err(DatabaseError::Foreign { path: path.to_owned(), found: name });
        }
    }
    Ok(())
}

/// Whether somebody has a database open.
#[derive(Debug)]
pub enum Lock {
    /// Another process has.
    InUse,
    /// Nobody has, and nobody can while the file is open: this process holds the lock that RocksDB takes. There is none to
    /// hold where no database was.
    Free(Option<File>),
}

/// Takes RocksDB's lock on the database at `path`, if nobody has it. This process must not open the database meanwhile.
///
/// # Errors
/// [`DatabaseError::Read`].
pub fn lock(path: &Path) -> Result<Lock, DatabaseError> {
    let failed = |cause| DatabaseError::Read { path: path.to_owned(), cause };
    let file = match OpenOptions::new().read(true).write(true).open(path.join("LOCK")) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Lock::Free(None)),
        Err(error) => return Err(failed(error)),
    };
    match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Lock::Free(Some(file))),
        Err(Errno::AGAIN | Errno::ACCESS) => Ok(Lock::InUse),
        Err(error) => Err(failed(error.into())),
    }
}

/// The process that has the database open for writing, when one has. RocksDB locks a file for as long.
///
/// # Errors
/// [`DatabaseError::Read`] when the system does not tell.
pub fn user(path: &Path) -> Result<Option<Pid>, DatabaseError> {
    let look = || -> io::Result<Option<Pid>> {
        let file = fs::File::open(path.join("LOCK"))?;
        // Asked, not taken: that a lock is asked for changes nothing.
        let held = fcntl_getlk(&file, &Flock::from(FlockType::WriteLock))?;
        Ok(held.and_then(|lock| lock.pid))
    };
    match look() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map_err(|cause| DatabaseError::Read { path: path.to_owned(), cause }),
    }
}

/// Names as in RocksDB's `file/filename.cc`; `lost+found` is what a fresh file system has at its root.
fn is_rocksdb_file(name: &str) -> bool {
    const NAMES: [&str; 6] = ["CURRENT", "IDENTITY", "LOCK", "LOG", "archive", "lost+found"];
    const PREFIXES: [&str; 3] = ["MANIFEST-", "OPTIONS-", "LOG.old."];
    const SUFFIXES: [&str; 5] = [".log", ".sst", ".blob", ".dbtmp", ".trash"];
    let is_numbered = name.starts_with(|c: char| c.is_ascii_digit());
    NAMES.contains(&name)
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || is_numbered && SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_a_database_from_other_things() {
        for name in ["CURRENT", "MANIFEST-000005", "000004.log", "000008.sst", "OPTIONS-000007.dbtmp", "LOG.old.1"] {
            assert!(is_rocksdb_file(name), "{name}");
        }
        for name in ["letters.txt", "mail.log", "current", "backup", "", ".profile"] {
            assert!(!is_rocksdb_file(name), "{name}");
        }
    }

    #[test]
    fn a_directory_that_is_missing_or_a_file_is_told_apart() {
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        assert!(is_ours(&folder.path().join("none")).is_ok());
        let file = folder.path().join("file");
        fs::write(&file, "").expect("it is ours");
        assert!(matches!(is_ours(&file), Err(DatabaseError::Read { .. })));
        assert!(matches!(create_directory(&file), Err(DatabaseError::Create { .. })));
    }
}
