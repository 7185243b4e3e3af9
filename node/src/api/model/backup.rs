//! Backups.

use crate::{BackupAttempt, BackupProgress, backup::BackupInfo};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A backup was begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackupStarted {
    /// Its number: `GET /admin/backup/{attempt}` tells how it goes on.
    pub attempt: u64,
}

/// How a backup goes on: one of both is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackupState {
    /// How far it is, while it is being made.
    pub running: Option<BackupProgress>,
    /// How it ended.
    pub ended: Option<BackupAttempt>,
}

/// The node's backups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackupList {
    /// Whole ones as far as their manifests tell, the newest first; 1000 at most.
    pub backups: Vec<BackupInfo>,
    /// Archives whose manifest is damaged.
    pub damaged: Vec<DamagedBackup>,
    /// The one that is being made.
    pub running: Option<BackupProgress>,
    /// How the last one ended since the node started.
    pub last: Option<BackupAttempt>,
}

/// An archive that is damaged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DamagedBackup {
    /// Its name.
    pub name: String,
    /// What is wrong.
    pub cause: String,
}
