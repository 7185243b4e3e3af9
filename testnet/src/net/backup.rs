//! Copies of databases, made and put back by the nodes' own programs.

use super::{Net, error::NetError, process_id::Condition, program};
use assay_node::backup::BackupInfo;
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use std::{ffi::OsStr, path::PathBuf, time::Duration};

/// How long a backup or a restore may take.
const WORK_MAX: Duration = Duration::from_secs(600);

/// How long a list of backups may take.
const LIST_MAX: Duration = Duration::from_secs(30);

/// A backup that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BackedUp {
    /// Whose.
    pub node: String,
    /// The archive.
    pub path: PathBuf,
    /// What is in it.
    pub backup: BackupInfo,
}

/// Whether a restore is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreKind {
    /// Only said whether it would work: nothing is changed, and a node that runs goes on.
    DryRun,
    /// The database is replaced.
    Replace,
}

/// A restore.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// Whose.
    pub node: String,
    /// The archive, as it was named.
    pub archive: String,
    /// What is in it.
    pub backup: BackupInfo,
    /// Where the database is that was replaced.
    pub kept: Option<PathBuf>,
    /// What became of the node.
    pub outcome: String,
}

/// What `assay-node backup create --json` says.
#[derive(Deserialize)]
struct Created {
    path: PathBuf,
    backup: BackupInfo,
}

/// What `assay-node backup list --json` says.
#[derive(Deserialize)]
struct Listed {
    backups: Vec<BackupInfo>,
}

/// What `assay-node backup restore --json` says.
#[derive(Deserialize)]
struct Replaced {
    backup: BackupInfo,
    kept: Option<PathBuf>,
}

/// What `assay-node backup verify --json` says.
#[derive(Deserialize)]
struct Verified {
    whole: Vec<Whole>,
}

#[derive(Deserialize)]
struct Whole {
    backup: BackupInfo,
}

impl Net {
    /// Makes a backup of node `n`, which may run or not.
    ///
    /// # Errors
    /// [`NetError::Program`] with what its program says.
    pub async fn backup(&self, n: usize) -> Result<BackedUp, NetError> {
        let node = &self.state.nodes[n];
        let args = ["backup", "create", "--json", "--home"].map(OsStr::new);
        let args: Vec<_> = args.into_iter().chain([node.home.as_os_str()]).collect();
        let Created { path, backup } = program::json(node, "backup create", &args, WORK_MAX).await?;
        Ok(BackedUp { node: node.name.clone(), path, backup })
    }

    /// Puts a backup in the place of the database of node `n`: the newest one, or `archive`, which is a name or a file. The node
    /// is stopped for it, and started again if it ran, also when it was not restored.
    ///
    /// # Errors
    /// [`NetError::Program`] with what its program says, or when the node does not come back.
    pub async fn restore(&mut self, n: usize, archive: Option<&str>, kind: RestoreKind) -> Result<Restored, NetError> {
        let archive = match archive {
            Some(archive) => archive.to_owned(),
            None => self.newest_backup(n).await?,
        };
        let runs = self.condition(n) != Condition::Gone;
        match (kind, runs) {
            (RestoreKind::DryRun, true) => self.verify(n, archive).await,
            (RestoreKind::DryRun, false) => self.replace(n, archive, "--dry-run", "nothing was changed".into()).await,
            (RestoreKind::Replace, false) => self.replace(n, archive, "--yes", "it does not run".into()).await,
            (RestoreKind::Replace, true) => {
                self.end(n, Signal::TERM).await?;
                let replaced = self.replace(n, archive, "--yes", String::new()).await;
                // In any case: a node that ran runs again.
                let started = self.start_well(n).await;
                let mut restored = replaced?;
                restored.outcome = started?;
                Ok(restored)
            }
        }
    }

    async fn newest_backup(&self, n: usize) -> Result<String, NetError> {
        let node = &self.state.nodes[n];
        let args = ["backup", "list", "--json", "--home"].map(OsStr::new);
        let args: Vec<_> = args.into_iter().chain([node.home.as_os_str()]).collect();
        let listed: Listed = program::json(node, "backup list", &args, LIST_MAX).await?;
        let newest = listed.backups.into_iter().next().map(|backup| backup.name);
        let name = &node.name;
        newest.ok_or_else(|| NetError::Usage(format!("{name} has no backup; 'assay testnet backup {name}' makes one")))
    }

    /// Of a node that runs: the archive is read to its end.
    async fn verify(&self, n: usize, archive: String) -> Result<Restored, NetError> {
        let node = &self.state.nodes[n];
        let args = ["backup", "verify", archive.as_str(), "--json", "--home"].map(OsStr::new);
        let args: Vec<_> = args.into_iter().chain([node.home.as_os_str()]).collect();
        let Verified { whole } = program::json(node, "backup verify", &args, WORK_MAX).await?;
        let backup = whole.into_iter().next().map(|whole| whole.backup);
        let backup = backup.ok_or_else(|| NetError::Program {
            what: format!("{}: backup verify", node.name),
            said: format!("{archive} is not whole; take another one"),
        })?;
        let outcome = "the archive is whole; nothing was changed, and the node runs on".to_owned();
        Ok(Restored { node: node.name.clone(), archive, backup, kept: None, outcome })
    }

    async fn replace(&self, n: usize, archive: String, flag: &str, outcome: String) -> Result<Restored, NetError> {
        let node = &self.state.nodes[n];
        let args = ["backup", "restore", archive.as_str(), flag, "--json", "--home"].map(OsStr::new);
        let args: Vec<_> = args.into_iter().chain([node.home.as_os_str()]).collect();
        let Replaced { backup, kept } = program::json(node, "backup restore", &args, WORK_MAX).await?;
        Ok(Restored { node: node.name.clone(), archive, backup, kept, outcome })
    }
}
