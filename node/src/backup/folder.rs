//! The directory of archives: their names, which of them there are, and which are to go.
//!
//! ```text
//!   assay-dev-000000001234-20260131T235959123Z.backup            height 1234, made at that time (UTC)
//!   assay-dev-000000001234-20260131T235959123Z-2.backup          another one of the same moment
//!   assay-dev-000000001240-20260201T000000000Z.backup.partial    one that is being made, or was cut off
//! ```
//!
//! An archive gets its name when it is whole and durable, so whatever has one was whole once. The directory is one node's:
//! a second node that kept its archives there as well would take them for its own.

use super::{Archive, ArchiveError, BackupInfo};
use crate::{
    seams::{Appender, Files},
    storage::folders,
    types::{ChainId, Height, Timestamp},
};
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

/// What the names of archives end with.
pub const SUFFIX: &str = ".backup";
/// What is added to that while one is being made.
const PARTIAL: &str = ".partial";
/// Archives of one chain, height and millisecond, at most: more of them mean that something is wrong.
const SAME_MOMENT_MAX: u32 = 1000;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// The directory of a node's archives. Every call blocks.
#[derive(Clone)]
pub struct Folder {
    files: Arc<dyn Files>,
    dir: PathBuf,
}

/// What is in the directory.
#[derive(Debug, Default)]
pub struct Listing {
    /// Archives whose manifest is right, the newest first.
    pub backups: Vec<BackupInfo>,
    /// The names of the others, and what is wrong.
    pub damaged: Vec<(String, ArchiveError)>,
}

/// Which archives stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Those that are not older.
    pub days: u64,
    /// And in any case that many of the newest.
    pub min: usize,
}

/// A name that is taken for an archive, and the file that it is written to.
pub(super) struct Place {
    /// The name that it is to have.
    pub name: String,
    /// Where it is until then.
    pub partial: PathBuf,
    /// To write it.
    pub out: Box<dyn Appender>,
}

impl Folder {
    /// The directory `dir`, which need not be there.
    pub fn new(files: Arc<dyn Files>, dir: PathBuf) -> Self {
        Self { files, dir }
    }

    /// Its path.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The disk's files.
    pub fn files(&self) -> &Arc<dyn Files> {
        &self.files
    }

    /// Every archive, after a look at its manifest. What is only a part of one is none.
    ///
    /// # Errors
    /// When the directory cannot be read; one that is not there is empty.
    pub fn list(&self) -> io::Result<Listing> {
        let mut listing = Listing::default();
        for name in self.names()?.into_iter().filter(|name| name.ends_with(SUFFIX)) {
            match Archive::open(&self.files, &self.dir.join(&name)) {
                Ok(archive) => listing.backups.push(archive.manifest().info(&name, archive.bytes())),
                // It was removed meanwhile.
                Err(ArchiveError::Read { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => {}
                Err(error) => listing.damaged.push((name, error)),
            }
        }
        listing.backups.sort_by(|a, b| (b.created, b.height, &b.name).cmp(&(a.created, a.height, &a.name)));
        Ok(listing)
    }

    /// Takes a free name, makes the directory if need be, and begins the file.
    pub(super) fn begin(&self, chain: &ChainId, height: Height, created: Timestamp) -> io::Result<Place> {
        self.make()?;
        for n in 1..=SAME_MOMENT_MAX {
            let name = name(chain, height, created, n);
            let partial = self.dir.join(format!("{name}{PARTIAL}"));
            match self.files.entry(&self.dir.join(&name)) {
                Ok(_) => continue,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            match self.files.create(&partial) {
                Ok(out) => return Ok(Place { name, partial, out }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Makes the directory and those above it that are not there, durably: a name in a directory that is lost is lost as well.
    fn make(&self) -> io::Result<()> {
        let is_missing = |path: &&Path| {
            let found = self.files.entry(path);
            !path.as_os_str().is_empty() && found.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
        };
        let missing: Vec<_> = self.dir.ancestors().take_while(is_missing).collect();
        self.files.create_dir(&self.dir)?;
        missing.into_iter().try_for_each(|path| self.files.sync_dir(folders::parent(path)))
    }

    /// Gives an archive that is whole and durable its name.
    pub(super) fn publish(&self, name: &str, partial: &Path) -> io::Result<()> {
        self.files.sync_dir(&self.dir)?;
        self.files.rename(partial, &self.dir.join(name))?;
        self.files.sync_dir(&self.dir)
    }

    /// Removes what was left of archives of `chain` that were cut off. None may be under way.
    ///
    /// # Errors
    /// The file system's.
    pub fn clean(&self, chain: &ChainId) -> io::Result<()> {
        let (prefix, suffix) = (format!("{chain}-"), format!("{SUFFIX}{PARTIAL}"));
        for name in self.names()? {
            if name.starts_with(&prefix) && name.ends_with(&suffix) {
                self.files.remove(&self.dir.join(name))?;
            }
        }
        Ok(())
    }

    /// Which archives of `chain` are to go: those that are older than [`Keep::days`], and not among the [`Keep::min`] newest.
    /// One whose manifest is damaged stays, for somebody to look at, and does not count.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn outdated(&self, chain: &ChainId, keep: Keep, now: Timestamp) -> io::Result<Vec<BackupInfo>> {
        let of_chain = self.list()?.backups.into_iter().filter(|backup| backup.chain_id == *chain);
        let age_max = keep.days.saturating_mul(DAY_MS);
        Ok(of_chain.skip(keep.min).filter(|backup| now.since(backup.created) > age_max).collect())
    }

    /// Removes an archive.
    ///
    /// # Errors
    /// The file system's.
    pub fn remove(&self, backup: &BackupInfo) -> io::Result<()> {
        self.files.remove(&self.dir.join(&backup.name))?;
        self.files.sync_dir(&self.dir)
    }

    fn names(&self) -> io::Result<Vec<String>> {
        match self.files.list(&self.dir) {
            Ok(entries) => Ok(entries.into_iter().filter(|entry| !entry.is_dir).map(|entry| entry.name).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

/// The `n`th name for an archive of this moment.
fn name(chain: &ChainId, Height(height): Height, Timestamp(created): Timestamp, n: u32) -> String {
    // The clock may say anything, and a calendar goes up to the year 9999.
    let last = 253_402_300_799_999;
    let time = humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_millis(created.min(last))).to_string();
    let time = time.replace(['-', ':', '.'], "");
    let n = if n == 1 { String::new() } else { format!("-{n}") };
    format!("{chain}-{height:012}-{time}{n}{SUFFIX}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_by_height_and_time() {
        let chain: ChainId = "assay-dev".parse().expect("it is a chain id");
        let of = |height, created, n| name(&chain, Height(height), Timestamp(created), n);
        assert_eq!(of(1234, 1_769_903_999_123, 1), "assay-dev-000000001234-20260131T235959123Z.backup");
        assert_eq!(of(1234, 1_769_903_999_123, 2), "assay-dev-000000001234-20260131T235959123Z-2.backup");
        assert_eq!(of(0, 0, 1), "assay-dev-000000000000-19700101T000000000Z.backup");
        assert_eq!(of(0, u64::MAX, 1), "assay-dev-000000000000-99991231T235959999Z.backup");
    }
}
