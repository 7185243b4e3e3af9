//! The database's directory and those beside it: one that is made to take its place, and those that were set aside.
//!
//! ```text
//!   db            the database
//!   db.partial    one that is being made: left over from a crash, it is removed
//!   db.new        one that is complete and about to become `db`
//!   db.damaged-1  one that was set aside; nothing here ever removes it
//!   db.checkpoint what a backup is read from; left over from a crash, it is removed
//! ```
//!
//! A replacement is `db` -> `db.damaged-1`, then `db.new` -> `db`. A crash in between leaves no `db`, and [`settle`] does the
//! rest at the next start.

use super::StoreError;
use crate::seams::Files;
use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

/// Directories of one kind that are set aside, at most: each is as large as the database, and more of them mean that
/// somebody should look.
pub const KEPT_MAX: usize = 8;

/// Why a directory is set aside; the word in its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It holds damage.
    Damaged,
    /// A migration made a newer one of it.
    Migrated,
    /// A backup was put in its place.
    Replaced,
}

impl Reason {
    fn word(self) -> &'static str {
        match self {
            Self::Damaged => "damaged",
            Self::Migrated => "migrated",
            Self::Replaced => "replaced",
        }
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().map_or_else(OsString::new, ToOwned::to_owned);
    name.push(suffix);
    path.with_file_name(name)
}

/// The directory that names `path`.
pub fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Where a checkpoint of the database at `path` is made.
pub fn checkpoint(path: &Path) -> PathBuf {
    beside(path, ".checkpoint")
}

/// Where RocksDB has a checkpoint until it is whole.
pub fn unfinished(checkpoint: &Path) -> PathBuf {
    beside(checkpoint, ".tmp")
}

/// Whether there is something at `path` other than an empty directory.
pub fn is_used(files: &dyn Files, path: &Path) -> Result<bool, StoreError> {
    match files.list(path) {
        Ok(entries) => Ok(!entries.is_empty()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StoreError::file(path)(error)),
    }
}

/// An empty directory to make a database in that is to take the place of the one at `path`. What an earlier attempt left
/// there is removed.
pub fn staging(files: &dyn Files, path: &Path) -> Result<PathBuf, StoreError> {
    let partial = beside(path, ".partial");
    remove(files, &partial)?;
    files.create_dir(&partial).map_err(StoreError::file(&partial))?;
    Ok(partial)
}

/// Puts the database that was made in [`staging`] in the place of `path`, and gives the name under which what was there is
/// kept; none if nothing was. Neither may be open.
///
/// # Errors
/// [`StoreError::TooManyKept`], or the file system's. Then `path` is as it was, or [`settle`] finishes what was begun.
pub fn replace(files: &dyn Files, path: &Path, reason: Reason) -> Result<Option<PathBuf>, StoreError> {
    let (partial, new) = (beside(path, ".partial"), beside(path, ".new"));
    let rename = |from: &Path, to: &Path| -> Result<(), StoreError> {
        files.rename(from, to).map_err(StoreError::file(from))?;
        files.sync_dir(parent(path)).map_err(StoreError::file(parent(path)))
    };
    let kept = next_kept(files, path, reason)?;
    files.sync_dir(&partial).map_err(StoreError::file(&partial))?;
    remove(files, &new)?;
    rename(&partial, &new)?;
    match &kept {
        Some(kept) => rename(path, kept)?,
        None => remove(files, path)?,
    }
    rename(&new, path)?;
    Ok(kept)
}

/// Where [`replace`] would keep what is at `path`; none if nothing is.
pub fn next_kept(files: &dyn Files, path: &Path, reason: Reason) -> Result<Option<PathBuf>, StoreError> {
    if is_used(files, path)? { free_name(files, path, reason).map(Some) } else { Ok(None) }
}

/// What [`settle`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// No replacement was under way.
    Nothing,
    /// One had hardly begun, and was taken back: what was there before is in its place.
    TakenBack,
    /// One was under way, and is finished: the new one is in its place.
    Finished,
}

/// Finishes or takes back a replacement that was cut off. To be called before the database is opened.
///
/// # Errors
/// The file system's.
pub fn settle(files: &dyn Files, path: &Path) -> Result<Settled, StoreError> {
    let new = beside(path, ".new");
    if !is_used(files, &new)? {
        return Ok(Settled::Nothing);
    }
    if is_used(files, path)? {
        // The old one was not set aside yet, so it is still the one in use.
        remove(files, &new)?;
        return Ok(Settled::TakenBack);
    }
    remove(files, path)?;
    files.rename(&new, path).map_err(StoreError::file(&new))?;
    files.sync_dir(parent(path)).map_err(StoreError::file(parent(path)))?;
    Ok(Settled::Finished)
}

/// A directory beside the database that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Kept {
    /// Its name.
    pub name: String,
    /// Bytes of all files in it.
    pub bytes: u64,
}

/// The directories beside `path` that were set aside or not finished, by name.
///
/// # Errors
/// The file system's.
pub fn list_kept(files: &dyn Files, path: &Path) -> Result<Vec<Kept>, StoreError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let words = [Reason::Damaged, Reason::Migrated, Reason::Replaced].map(Reason::word);
    let is_ours = |entry: &str| match entry.strip_prefix(&name).and_then(|rest| rest.strip_prefix('.')) {
        Some("partial" | "new") => true,
        Some(suffix) => words.iter().any(|word| suffix.strip_prefix(word).is_some_and(|n| n.starts_with('-'))),
        None => false,
    };
    let mut found = Vec::new();
    for entry in files.list(parent(path)).map_err(StoreError::file(parent(path)))? {
        if entry.is_dir && is_ours(&entry.name) {
            let bytes = size(files, &path.with_file_name(&entry.name))?;
            found.push(Kept { name: entry.name, bytes });
        }
    }
    Ok(found)
}

/// Bytes of all files in a directory. RocksDB makes no directories in its own but `archive`.
pub fn size(files: &dyn Files, dir: &Path) -> Result<u64, StoreError> {
    let entries = files.list(dir).map_err(StoreError::file(dir))?;
    entries.iter().try_fold(0, |sum, entry| {
        let more = if entry.is_dir { size(files, &dir.join(&entry.name))? } else { entry.len };
        Ok(sum + more)
    })
}

/// How many directories are set aside beside `path`, for whatever reason.
pub fn kept(files: &dyn Files, path: &Path) -> Result<usize, StoreError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let entries = match files.list(parent(path)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(StoreError::file(parent(path))(error)),
    };
    let words =
        [Reason::Damaged, Reason::Migrated, Reason::Replaced].map(|reason| format!("{name}.{}-", reason.word()));
    Ok(entries.iter().filter(|entry| words.iter().any(|word| entry.name.starts_with(word.as_str()))).count())
}

/// Removes what [`staging`] made, after a failure. That is only tidy: the next one begins with the same.
pub fn abandon(files: &dyn Files, path: &Path) {
    let _it_stays = remove(files, &beside(path, ".partial"));
}

fn free_name(files: &dyn Files, path: &Path, reason: Reason) -> Result<PathBuf, StoreError> {
    let name = |n: usize| beside(path, &format!(".{}-{n}", reason.word()));
    for n in 1..=KEPT_MAX {
        match files.entry(&name(n)) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(name(n)),
            Err(error) => return Err(StoreError::file(&name(n))(error)),
        }
    }
    Err(StoreError::TooManyKept { path: name(KEPT_MAX + 1).display().to_string(), count: KEPT_MAX })
}

/// Removes what is at `path`, if anything is.
pub fn remove(files: &dyn Files, path: &Path) -> Result<(), StoreError> {
    match files.remove(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::file(path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}
