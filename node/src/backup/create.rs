//! Making a backup: a checkpoint of the open database, then its files into an archive, a chunk at a time.

use super::{
    ArchiveError, BackupInfo, CHUNK_BYTES, FORMAT, Folder, Manifest, ManifestHead,
    folder::Place,
    manifest::{FILES_MAX, is_database_file},
    writer::Writer,
};
use crate::{
    Stopping, StorageState,
    storage::{SCHEMA_VERSION, Store, StoreError},
    types::Timestamp,
};
use std::{
    collections::VecDeque,
    io,
    path::{Path, PathBuf},
};

/// A backup leaves this many times the node's own reserve: with less than twice of it, a node that ran out of space would
/// not go on writing.
const RESERVES: u64 = 2;
/// The reserve is at most this part of a disk.
const RESERVE_PART: u64 = 20;

/// A backup that was not made. Nothing is left of it, and the node goes on as before.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// One at a time.
    #[error("a backup is being made already; wait until it is done")]
    Busy,
    /// The storage is not whole.
    #[error("the storage is {}, and a backup is of one that is open; try again when it is", .0.name())]
    NotOpen(StorageState),
    /// The disk that the archive goes to has no space to spare.
    #[error(
        "no space is left for {path}: {free} bytes are free, and {reserve} stay so; remove something or choose another disk"
    )]
    NoSpace {
        /// The directory of archives.
        path: PathBuf,
        /// Free bytes.
        free: u64,
        /// Bytes that have to stay free.
        reserve: u64,
    },
    /// The database fails.
    #[error("the database cannot be copied: {0}; see the node's log")]
    Store(#[from] StoreError),
    /// The file system refuses.
    #[error("{path}: {cause}; see that the disk works, has room, and is the node's user's")]
    File {
        /// The file or directory.
        path: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
    /// More than an archive can hold.
    #[error("the database has {0} files, and an archive takes {FILES_MAX}; raise storage.flush_bytes")]
    TooManyFiles(usize),
    /// An archive that was to be copied is damaged, or its copy is.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The node is about to exit.
    #[error("{0}; make the backup while it runs or after it has stopped")]
    Stopping(#[from] Stopping),
}

impl BackupError {
    pub(super) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::File { path, cause }
    }
}

/// What a backup is made under.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// The wall clock.
    pub now: Timestamp,
    /// Space to leave free, in bytes; less on a small disk.
    pub reserve_bytes: u64,
}

/// A backup that is being made. It has to be carried to [`Creation::finish`] or [`Creation::abandon`].
pub struct Creation {
    folder: Folder,
    name: String,
    partial: PathBuf,
    writer: Writer,
    manifest: Manifest,
    checkpoint: PathBuf,
    /// Files that are not in the archive yet, and their lengths. The first one may be in part.
    queue: VecDeque<(String, u64)>,
    /// Bytes of the first one that are in the archive.
    offset: u64,
    done_bytes: u64,
    total_bytes: u64,
    reserve_bytes: u64,
}

impl Creation {
    /// Makes the checkpoint and begins the archive in `folder`.
    ///
    /// # Errors
    /// [`BackupError`]; then nothing is left of it.
    pub fn begin(store: &Store, folder: &Folder, terms: Terms) -> Result<Self, BackupError> {
        if store.rebuilding()?.is_some() {
            return Err(BackupError::NotOpen(StorageState::Rebuilding));
        }
        leave_reserve(folder, terms.reserve_bytes)?;
        let (checkpoint, head) = store.checkpoint()?;
        let begun = || {
            let manifest = Manifest {
                format: FORMAT,
                created: terms.now,
                chain_id: store.genesis().chain_id.clone(),
                genesis: store.genesis_hash()?,
                schema: SCHEMA_VERSION,
                head: ManifestHead { height: head.height, hash: head.hash },
                release: env!("CARGO_PKG_VERSION").to_owned(),
                files: Vec::new(),
            };
            let entries = folder.files().list(&checkpoint).map_err(BackupError::file(&checkpoint))?;
            let queue: VecDeque<_> = entries
                .into_iter()
                .filter(|entry| is_database_file(&entry.name))
                .map(|entry| (entry.name, entry.len))
                .collect();
            if queue.len() > FILES_MAX {
                return Err(BackupError::TooManyFiles(queue.len()));
            }
            let place = folder.begin(&manifest.chain_id, head.height, terms.now);
            let Place { name, partial, out } = place.map_err(BackupError::file(folder.dir()))?;
            let writer = Writer::new(out).map_err(|cause| {
                // The error that is told is the first one.
                let _second = folder.files().remove(&partial);
                BackupError::File { path: partial.clone(), cause }
            })?;
            Ok(Self {
                folder: folder.clone(),
                name,
                partial,
                writer,
                manifest,
                checkpoint: checkpoint.clone(),
                total_bytes: queue.iter().map(|(_, len)| len).sum(),
                queue,
                offset: 0,
                done_bytes: 0,
                reserve_bytes: terms.reserve_bytes,
            })
        };
        begun().inspect_err(|_| {
            let _second = folder.files().remove(&checkpoint);
        })
    }

    /// Bytes of the database that are in the archive, and that are to be.
    pub fn progress(&self) -> (u64, u64) {
        (self.done_bytes, self.total_bytes)
    }

    /// Adds the next chunk, [`CHUNK_BYTES`] at most. False when there is none.
    ///
    /// # Errors
    /// [`BackupError`]; then it is to be abandoned.
    pub fn step(&mut self) -> Result<bool, BackupError> {
        let Some((name, len)) = self.queue.front() else { return Ok(false) };
        let want = (len - self.offset).min(CHUNK_BYTES as u64) as usize;
        if self.offset == 0 {
            self.writer.begin(name);
        }
        if want > 0 {
            leave_reserve(&self.folder, self.reserve_bytes)?;
            let path = self.checkpoint.join(name);
            let data = self.folder.files().read(&path, self.offset, want).map_err(BackupError::file(&path))?;
            if data.len() != want {
                return Err(BackupError::File { path, cause: io::ErrorKind::UnexpectedEof.into() });
            }
            self.writer.chunk(&data).map_err(BackupError::file(&self.partial))?;
        }
        self.offset += want as u64;
        self.done_bytes += want as u64;
        if self.offset == *len {
            self.writer.end();
            self.queue.pop_front();
            self.offset = 0;
        }
        Ok(true)
    }

    /// Finishes the archive, gives it its name and removes the checkpoint.
    ///
    /// # Errors
    /// [`BackupError`]; then nothing is left of it.
    pub fn finish(self) -> Result<BackupInfo, BackupError> {
        assert!(self.queue.is_empty(), "files are missing");
        let Self { folder, name, partial, writer, manifest, checkpoint, .. } = self;
        let finished = writer.finish(manifest).map_err(BackupError::file(&partial)).and_then(|(manifest, bytes)| {
            folder.publish(&name, &partial).map_err(BackupError::file(&partial))?;
            Ok(manifest.info(&name, bytes))
        });
        // What is left over here is removed before the next checkpoint, or at the node's next start.
        let _left_over = folder.files().remove(&checkpoint);
        if finished.is_err() {
            let _left_over = folder.files().remove(&partial);
        }
        finished
    }

    /// Removes all that was made.
    pub fn abandon(self) {
        let Self { folder, partial, writer, checkpoint, .. } = self;
        drop(writer);
        for path in [partial, checkpoint] {
            // What is left over here is removed at the node's next start.
            let _left_over = folder.files().remove(&path);
        }
    }
}

/// Refuses to go on when the node would run out of space by it.
fn leave_reserve(folder: &Folder, reserve_bytes: u64) -> Result<(), BackupError> {
    // A disk that does not tell its space refuses by itself.
    let Ok(space) = folder.files().space(folder.dir()) else { return Ok(()) };
    let reserve = reserve_bytes.min(space.total / RESERVE_PART).saturating_mul(RESERVES) + CHUNK_BYTES as u64;
    if space.free < reserve {
        return Err(BackupError::NoSpace { path: folder.dir().to_owned(), free: space.free, reserve });
    }
    Ok(())
}

/// Makes a backup from beginning to end, and says with `progress` how far it is, in bytes done and in all.
///
/// # Errors
/// [`BackupError`]; then nothing is left of it.
pub fn create(
    store: &Store,
    folder: &Folder,
    terms: Terms,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<BackupInfo, BackupError> {
    let mut creation = Creation::begin(store, folder, terms)?;
    loop {
        let (done, total) = creation.progress();
        progress(done, total);
        match creation.step() {
            Ok(true) => {}
            Ok(false) => return creation.finish(),
            Err(error) => {
                creation.abandon();
                return Err(error);
            }
        }
    }
}
