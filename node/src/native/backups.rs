//! Backups of a home, from outside of its node: of a running one over its API, else of its database.
//!
//! Whether the node runs is told by the lock that RocksDB holds on its directory, not by a port that somebody may or may not
//! answer at.

use super::{
    database::{self, DatabaseError, Lock},
    health::{self, HealthError},
    home::{Home, HomeError},
    keys::{self, KeyError},
    seams::{disk, now},
};
use crate::{
    api::{AdminKey, Client, client::ClientError},
    backup::{
        self, Archive, ArchiveError, BackupError, BackupInfo, Folder, Keep, Mode, RestoreError, Restored, Target, Terms,
    },
    config::Config,
    seams::Disk,
    storage::{Store, StoreError},
    types::Genesis,
};
use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{net::TcpStream, runtime, time};

/// How long a token is valid that is made for one request.
const TOKEN_TIME: Duration = Duration::from_secs(60);
/// How long to wait for an answer; the node answers at once.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);
/// Between two questions how far a backup is.
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// What was asked for and could not be done.
#[derive(Debug, thiserror::Error)]
pub enum BackupsError {
    /// There is nothing to back up.
    #[error("there is no database at {path}; run the node once, or restore a backup")]
    NoDatabase {
        /// The directory.
        path: PathBuf,
    },
    /// The node runs.
    #[error("the database {path} is in use by another process; stop the node first")]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// The node runs, and does not answer.
    #[error("no answer from {authority}: {cause}; give the running node's API with --url")]
    Unreachable {
        /// Who was asked.
        authority: String,
        /// What happened.
        cause: String,
    },
    /// The node answers with an error.
    #[error("the node at {authority} refuses: {cause}; see its log")]
    Refused {
        /// Who was asked.
        authority: String,
        /// What it says.
        cause: String,
    },
    /// The node could not make it; its words end with what to do.
    #[error("the node made no backup: {0}")]
    NotMade(String),
    /// The database cannot be opened.
    #[error("the database cannot be opened: {0}; see what 'assay-node run' says")]
    Store(#[from] StoreError),
    /// It was not made.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// It was not restored.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// It is damaged.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The directory of archives cannot be used.
    #[error("{path}: {cause}; see that the directory is there and that this user may use it")]
    Folder {
        /// The directory.
        path: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
    /// The database's directory cannot be used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The home cannot be used.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The key that tokens are signed with cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// There is no such address.
    #[error(transparent)]
    Address(#[from] HealthError),
    /// RocksDB gives no environment, or the system no threads.
    #[error("cannot set up the process: {0}; check the limits of this user")]
    System(String),
}

/// The backups of one home.
pub struct Backups {
    home: Home,
    config: Config,
    disk: Disk,
    folder: Folder,
}

impl Backups {
    /// Those of `home` under `config`.
    ///
    /// # Errors
    /// When RocksDB gives no environment, or the directory cannot be meant.
    pub fn new(home: Home, config: Config) -> Result<Self, BackupsError> {
        let disk = disk().map_err(|error| BackupsError::System(error.to_string()))?;
        let folder = Folder::new(disk.files.clone(), home.backups(&config)?);
        Ok(Self { home, config, disk, folder })
    }

    /// Their directory.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The home's chain.
    ///
    /// # Errors
    /// When its document is missing or wrong.
    pub fn genesis(&self) -> Result<Genesis, BackupsError> {
        Ok(super::home::read_genesis(&self.home.genesis())?)
    }

    /// Which of them stay.
    pub fn keep(&self) -> Keep {
        self.config.backup_settings().keep
    }

    fn database(&self) -> PathBuf {
        self.home.database(&self.config)
    }

    /// Makes a backup: the running node does, which is asked at `url` or where the home's settings say, else this process.
    ///
    /// # Errors
    /// [`BackupsError`].
    pub fn create(&self, url: Option<&str>, progress: &mut dyn FnMut(u64, u64)) -> Result<BackupInfo, BackupsError> {
        if let Some(url) = url {
            return self.ask(health::authority_of_url(url)?, progress);
        }
        let path = self.database();
        database::is_ours(&path)?;
        if !path.join("CURRENT").exists() {
            return Err(BackupsError::NoDatabase { path });
        }
        // The lock is let go of: RocksDB takes it itself.
        match database::lock(&path)? {
            Lock::InUse => self.ask(health::authority_of_listener(self.config.api.listen)?, progress),
            Lock::Free(_) => {
                let store = Store::open(&self.disk, &path, self.genesis()?, self.config.storage_settings())?;
                store.load().map_err(|error| store.judged(error))?;
                let failed = |cause| BackupsError::Folder { path: self.folder.dir().to_owned(), cause };
                self.folder.clean(&store.genesis().chain_id).map_err(failed)?;
                let terms = Terms { now: now(), reserve_bytes: self.config.upkeep_settings().reserve_bytes };
                Ok(backup::create(&store, &self.folder, terms, progress)?)
            }
        }
    }

    /// Lets the node at `authority` make it.
    fn ask(&self, authority: String, progress: &mut dyn FnMut(u64, u64)) -> Result<BackupInfo, BackupsError> {
        let key = AdminKey(keys::read(&self.home.admin_key())?);
        let token = || key.token(now(), TOKEN_TIME);
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| BackupsError::System(error.to_string()))?;
        let target = authority.clone();
        let client = Client::new(authority.clone(), move || TcpStream::connect(target.clone()));
        let failed = |error: ClientError| match error {
            ClientError::Refused { code, message, .. } if !code.is_empty() => {
                BackupsError::Refused { authority: authority.clone(), cause: message }
            }
            error => BackupsError::Unreachable { authority: authority.clone(), cause: error.to_string() },
        };
        runtime.block_on(async {
            let attempt = client.begin_backup(&token(), ANSWER_TIME_MAX).await.map_err(failed)?.attempt;
            loop {
                let state = client.backup(attempt, &token(), ANSWER_TIME_MAX).await.map_err(failed)?;
                if let Some(ended) = state.ended {
                    return ended.backup.ok_or(BackupsError::NotMade(ended.error.unwrap_or_default()));
                }
                if let Some(running) = state.running {
                    progress(running.done_bytes, running.total_bytes);
                }
                time::sleep(ASK_AGAIN).await;
            }
        })
    }

    /// Copies a backup to another directory as well.
    ///
    /// # Errors
    /// [`BackupsError`].
    pub fn copy(
        &self,
        backup: &BackupInfo,
        to: &Path,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<PathBuf, BackupsError> {
        let to = Folder::new(self.disk.files.clone(), to.to_owned());
        let copy = backup::copy(&self.folder, &backup.name, &to, progress)?;
        Ok(to.dir().join(copy.name))
    }

    /// Puts a backup in the place of the home's database. The node must not run.
    ///
    /// # Errors
    /// [`BackupsError`]; then the database is as it was.
    pub fn restore(
        &self,
        archive: &Path,
        mode: Mode,
        progress: &mut dyn FnMut(backup::Progress),
    ) -> Result<Restored, BackupsError> {
        let path = self.database();
        database::is_ours(&path)?;
        let genesis = self.genesis()?;
        // Kept until the database was replaced, so that no node starts on the one that goes.
        let _lock = match database::lock(&path)? {
            Lock::InUse => return Err(BackupsError::InUse { path }),
            Lock::Free(lock) => lock,
        };
        let settings = self.config.storage_settings();
        let target = Target { disk: &self.disk, database: &path, genesis: &genesis, settings };
        Ok(backup::restore(target, archive, mode, progress)?)
    }

    /// Whether a restore would replace something.
    pub fn has_database(&self) -> bool {
        self.database().join("CURRENT").exists()
    }

    /// Removes the backups that are too old, or only says which those are.
    ///
    /// # Errors
    /// When the directory cannot be read, or one cannot be removed.
    pub fn prune(&self, keep: Keep, mode: Mode) -> Result<Vec<BackupInfo>, BackupsError> {
        let failed = |cause| BackupsError::Folder { path: self.folder.dir().to_owned(), cause };
        let outdated = self.folder.outdated(&self.genesis()?.chain_id, keep, now()).map_err(failed)?;
        if mode == Mode::Replace {
            outdated.iter().try_for_each(|backup| self.folder.remove(backup)).map_err(failed)?;
        }
        Ok(outdated)
    }
}

/// The archive that `typed` names: a file, or the name of one of the home's backups.
pub fn archive(typed: &Path, folder: Option<&Folder>) -> PathBuf {
    let in_folder = folder.map(|folder| folder.dir().join(typed)).filter(|path| !typed.exists() && path.exists());
    in_folder.unwrap_or_else(|| typed.to_owned())
}

/// Reads all of an archive.
///
/// # Errors
/// When it is damaged or cannot be read.
pub fn verify(path: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<BackupInfo, BackupsError> {
    let disk = disk().map_err(|error| BackupsError::System(error.to_string()))?;
    let archive = Archive::open(&disk.files, path)?;
    let total = archive.manifest().content_bytes();
    archive.verify(&mut |done| progress(done, total))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(archive.manifest().info(&name, archive.bytes()))
}
