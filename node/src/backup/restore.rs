//! Restoring: an archive that was read to its end becomes a database beside the present one, is opened and checked there,
//! and only then takes its place. What was there is kept.

use super::{Archive, ArchiveError, BackupInfo};
use crate::{
    crypto::Hash,
    ledger,
    seams::{Appender, Disk},
    storage::{
        self, Audit, SCHEMA_VERSION, Store, StoreError,
        folders::{self, Reason},
    },
    types::{ChainId, Genesis, Height},
};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Bytes that the check of everything reads between two reports of its progress.
const AUDIT_STEP_BYTES: u64 = 8 << 20;

/// A backup that was not restored. The database is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The archive cannot be used.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// It is of another chain.
    #[error("the backup is of chain {found}, and the home is of {expected}; use a backup of that chain")]
    OtherChain {
        /// The home's chain.
        expected: ChainId,
        /// The backup's.
        found: ChainId,
    },
    /// The chain has the right name and another genesis document.
    #[error(
        "the backup is of another {0}: its first block differs from the one of the home's genesis document; use that chain's"
    )]
    OtherGenesis(ChainId),
    /// It was made by a newer release.
    #[error(
        "the backup has schema {found}, and this release knows up to {known}; use release {release} or a newer one"
    )]
    NewerSchema {
        /// The backup's schema.
        found: u32,
        /// This release's.
        known: u32,
        /// The release that made it.
        release: String,
    },
    /// It was made by an older release.
    #[error(
        "the backup has schema {found}, and this release works with {known}; restore it with release {release}, then migrate"
    )]
    OlderSchema {
        /// The backup's schema.
        found: u32,
        /// This release's.
        known: u32,
        /// The release that made it.
        release: String,
    },
    /// The disk has no room beside the present database.
    #[error("{path} needs {needed} bytes, and {free} are free; remove something first")]
    NoSpace {
        /// The database.
        path: PathBuf,
        /// Bytes of the backup's files.
        needed: u64,
        /// Free bytes.
        free: u64,
    },
    /// What was restored is not what the manifest says.
    #[error(
        "the restored chain ends in {found} at height {found_height}, and the manifest says {expected} at {expected_height}; \
         use another backup"
    )]
    OtherHead {
        /// The restored head.
        found: Hash,
        /// Its height.
        found_height: Height,
        /// The manifest's.
        expected: Hash,
        /// Its height.
        expected_height: Height,
    },
    /// The restored database is damaged.
    #[error("what was restored does not pass the check: {0}; use another backup")]
    Check(StoreError),
    /// The database's directory cannot be used.
    #[error("{0}{rest}", rest = remedy(.0))]
    Store(#[from] StoreError),
    /// The file system refuses.
    #[error("{path}: {cause}; see that the disk works, has room, and is this user's")]
    File {
        /// The file or directory.
        path: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
}

fn remedy(error: &StoreError) -> &'static str {
    match error {
        StoreError::TooManyKept { .. } => "",
        _ => "; see that the disk works, has room, and is this user's",
    }
}

/// Where a backup is restored to. The database must not be open, and need not be there.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// The disk that it is on, and the archive.
    pub disk: &'a Disk,
    /// The database's directory.
    pub database: &'a Path,
    /// The chain that it is to be of.
    pub genesis: &'a Genesis,
    /// How it is kept.
    pub settings: storage::Settings,
}

/// How far to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Check all that can be checked without writing anything.
    DryRun,
    /// Restore.
    Replace,
}

/// What a restore is busy with, and how far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// `verify`, `unpack` or `check`.
    pub what: &'static str,
    /// Bytes done.
    pub done: u64,
    /// Bytes in all; 0 when that is not known.
    pub total: u64,
}

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The backup.
    pub backup: BackupInfo,
    /// Where the database that was there before is kept, or would be; none if there was none.
    pub kept: Option<PathBuf>,
}

/// Puts the backup of `archive` in the place of `target`'s database.
///
/// # Errors
/// [`RestoreError`]; then the database is as it was.
pub fn restore(
    target: Target<'_>,
    archive: &Path,
    mode: Mode,
    progress: &mut dyn FnMut(Progress),
) -> Result<Restored, RestoreError> {
    let files = &target.disk.files;
    let name = archive.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let archive = Archive::open(files, archive)?;
    target.accepts(&archive)?;
    let total = archive.manifest().content_bytes();
    archive.verify(&mut |done| progress(Progress { what: "verify", done, total }))?;
    let backup = archive.manifest().info(&name, archive.bytes());
    let kept = folders::next_kept(&**files, target.database, Reason::Replaced)?;
    if let Ok(space) = files.space(target.database)
        && space.free < total
    {
        return Err(RestoreError::NoSpace { path: target.database.to_owned(), needed: total, free: space.free });
    }
    if mode == Mode::DryRun {
        return Ok(Restored { backup, kept });
    }
    folders::settle(&**files, target.database)?;
    let staging = folders::staging(&**files, target.database)?;
    let made = target
        .unpack(&archive, &staging, &mut |done| progress(Progress { what: "unpack", done, total }))
        .and_then(|()| {
            target.check(&archive, &staging, &mut |done| progress(Progress { what: "check", done, total: 0 }))
        })
        .and_then(|()| Ok(folders::replace(&**files, target.database, Reason::Replaced)?));
    match made {
        Ok(kept) => Ok(Restored { backup, kept }),
        Err(error) => {
            // What is left of it is removed when the next one is begun.
            let _left_over = files.remove(&staging);
            Err(error)
        }
    }
}

impl Target<'_> {
    /// Whether a backup can be of this chain and this release.
    fn accepts(&self, archive: &Archive) -> Result<(), RestoreError> {
        let manifest = archive.manifest();
        let (found, known, release) = (manifest.schema, SCHEMA_VERSION, manifest.release.clone());
        if found > known {
            return Err(RestoreError::NewerSchema { found, known, release });
        }
        if manifest.chain_id != self.genesis.chain_id {
            let (expected, found) = (self.genesis.chain_id.clone(), manifest.chain_id.clone());
            return Err(RestoreError::OtherChain { expected, found });
        }
        let executed = ledger::execute_genesis(self.genesis).map_err(StoreError::from)?;
        if self.genesis.block(executed.state_root).hash() != manifest.genesis {
            return Err(RestoreError::OtherGenesis(manifest.chain_id.clone()));
        }
        if found < known {
            return Err(RestoreError::OlderSchema { found, known, release });
        }
        Ok(())
    }

    fn unpack(&self, archive: &Archive, staging: &Path, progress: &mut dyn FnMut(u64)) -> Result<(), RestoreError> {
        let files = &self.disk.files;
        let (mut contents, mut done) = (archive.contents(), 0);
        let mut out: Option<(PathBuf, Box<dyn Appender>)> = None;
        while let Some(piece) = contents.next_piece()? {
            let (path, mut appender) = match out.take() {
                Some(open) => open,
                None => {
                    let path = staging.join(&piece.file.name);
                    let made = files.create(&path);
                    let appender = made.map_err(|cause| RestoreError::File { path: path.clone(), cause })?;
                    (path, appender)
                }
            };
            let failed = |cause| RestoreError::File { path: path.clone(), cause };
            appender.append(&piece.data).map_err(failed)?;
            if piece.is_last {
                appender.sync().map_err(failed)?;
            } else {
                out = Some((path, appender));
            }
            done += piece.data.len() as u64;
            progress(done);
        }
        files.sync_dir(staging).map_err(|cause| RestoreError::File { path: staging.to_owned(), cause })
    }

    /// Opens what was unpacked, holds its head against the manifest and its recent chain against itself, and reads all of it.
    fn check(&self, archive: &Archive, staging: &Path, progress: &mut dyn FnMut(u64)) -> Result<(), RestoreError> {
        let store =
            Store::open(self.disk, staging, self.genesis.clone(), self.settings).map_err(RestoreError::Check)?;
        let mut checked = || {
            store.load().map_err(|error| store.judged(error))?;
            let mut audit = Audit::begin(&store)?;
            while !audit.step(&store, AUDIT_STEP_BYTES)? {
                progress(audit.report().bytes);
            }
            store.head()
        };
        let head = checked().map_err(RestoreError::Check)?;
        let expected = archive.manifest().head;
        if (head.height, head.hash) != (expected.height, expected.hash) {
            return Err(RestoreError::OtherHead {
                found: head.hash,
                found_height: head.height,
                expected: expected.hash,
                expected_height: expected.height,
            });
        }
        if !store.is_open() {
            return Err(RestoreError::Check(StoreError::ReadOnly));
        }
        // The node has gone on since the backup was made, and what it has signed since then is not in it.
        store.now_unsure().map_err(RestoreError::Check)
    }
}
