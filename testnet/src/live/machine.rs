//! A node's files as its operator sees them, and what is done to them.

use super::volume::Volume;
use crate::{Owner, TestnetError};
use assay_node::{
    backup::{BackupInfo, Mode},
    config::Config,
    native::{
        backups::{self, Backups, BackupsError},
        home::Home,
        seams,
    },
};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use tokio::sync::oneshot;

/// A node's files.
#[derive(Debug)]
pub(crate) struct Machine {
    /// Where settings and keys are.
    pub home: Home,
    /// The directory that a lost volume takes along.
    pub data: PathBuf,
    /// The database, in that directory.
    pub database: PathBuf,
    /// Backups, which are elsewhere.
    pub backups: PathBuf,
    /// The disk that the data are on, when it is one of its own.
    pub volume: Option<Volume>,
    /// Whose the files are, when that is not whoever runs the harness.
    pub owner: Option<Owner>,
    filler: Option<PathBuf>,
}

impl Machine {
    /// The machine of a home whose database is in `data`.
    pub fn new(home: Home, data: PathBuf, backups: PathBuf, volume: Option<Volume>) -> Self {
        Self { home, database: data.join("db"), data, backups, volume, owner: None, filler: None }
    }

    /// Cuts the power of its disk.
    ///
    /// # Errors
    /// When the system refuses; so for all methods.
    pub fn cut(&mut self) -> Result<(), TestnetError> {
        self.volume.as_mut().map_or(Ok(()), Volume::cut)
    }

    /// Brings its disk back; nobody may have a file of it open.
    pub fn power_up(&mut self) -> Result<(), TestnetError> {
        self.volume.as_mut().map_or(Ok(()), Volume::power_up)
    }

    /// Leaves its disk so many free bytes.
    pub fn fill(&mut self, leave: u64) -> Result<(), TestnetError> {
        if let Some(volume) = &self.volume {
            self.filler = Some(volume.fill(leave)?);
        }
        Ok(())
    }

    /// Ends what [`Machine::fill`] has done.
    pub fn clear(&mut self) -> Result<(), TestnetError> {
        let Some(filler) = self.filler.take() else { return Ok(()) };
        match fs::remove_file(&filler) {
            // The volume was lost meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(TestnetError::system(format!("cannot remove {}", filler.display()))),
        }
    }

    /// Takes all data away. The node must be down.
    pub fn wipe(&mut self) -> Result<(), TestnetError> {
        let failed = || TestnetError::system(format!("cannot empty {}", self.data.display()));
        for entry in fs::read_dir(&self.data).map_err(failed())? {
            let entry = entry.map_err(failed())?;
            let is_dir = entry.file_type().map_err(failed())?.is_dir();
            let removed = if is_dir { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) };
            removed.map_err(failed())?;
        }
        Ok(())
    }

    /// The backups of the node, with its paths as they are seen from here.
    fn backups(&self) -> Result<Backups, BackupsError> {
        let mut config = Config::default();
        config.storage.path.clone_from(&self.database);
        config.backup.path.clone_from(&self.backups);
        Backups::new(self.home.clone(), config)
    }

    /// Puts the newest backup in the place of the database. The node must be down.
    pub fn restore(&self) -> Result<(), TestnetError> {
        let all = self.backups()?;
        let listing = all.folder().list().map_err(TestnetError::system("cannot list the backups"))?;
        let newest = listing.backups.first().ok_or(TestnetError::NoBackup { path: self.backups.clone() })?;
        let archive = backups::archive(Path::new(&newest.name), Some(all.folder()));
        all.restore(&archive, Mode::Replace, &mut |_| ())?;
        self.give_away(&self.data)
    }

    /// Gives a directory, and all that is in it, to the owner.
    pub fn give_away(&self, dir: &Path) -> Result<(), TestnetError> {
        self.owner.map_or(Ok(()), |owner| owner.take(dir))
    }

    /// Begins a backup of the running node whose API is at `url`; what was made comes on the channel.
    pub fn back_up(&self, url: String) -> Result<oneshot::Receiver<Result<BackupInfo, BackupsError>>, TestnetError> {
        let all = self.backups()?;
        let (made, outcome) = oneshot::channel();
        tokio::task::spawn_blocking(move || {
            // Nobody listens when the run has ended meanwhile.
            let _too_late = made.send(all.create(Some(&url), &mut |_, _| ()));
        });
        Ok(outcome)
    }

    /// Writes the record of the schema version as a release with `schema` would. The node must be down.
    pub fn mark(&self, schema: u32) -> Result<(), TestnetError> {
        let failed = || TestnetError::system(format!("cannot mark {}", self.database.display()));
        let disk = seams::disk().map_err(|error| failed()(io::Error::other(error)))?;
        let marked = assay_sim::cluster::mark(&disk, &self.database, schema);
        marked.map_err(|cause| failed()(io::Error::other(cause)))?;
        self.give_away(&self.data)
    }
}

/// The files below a directory that are of a kind for which `wanted` holds, with their lengths, by name.
///
/// # Errors
/// When the system refuses; a file that goes away meanwhile is left out.
pub(crate) fn files(dir: &Path, wanted: impl Fn(&str) -> bool) -> io::Result<Vec<(PathBuf, u64)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let Ok(meta) = entry.metadata() else { continue };
        if meta.is_file() && wanted(&entry.file_name().to_string_lossy()) {
            found.push((entry.path(), meta.len()));
        }
    }
    found.sort();
    Ok(found)
}
