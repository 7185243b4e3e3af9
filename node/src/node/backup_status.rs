//! How the backups are, as health, metrics and the harness see them.

use crate::{backup::BackupInfo, types::Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;

/// A schedule whose newest backup is older than this many of its intervals is late.
const LATE_INTERVALS: u32 = 2;

/// The backups at one moment, and what happened to them since the node started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackupStatus {
    /// The one that is being made.
    pub running: Option<BackupProgress>,
    /// How often one was begun.
    pub attempts: u64,
    /// How often one was made.
    pub made: u64,
    /// How often one was not.
    pub failures: u64,
    /// How the last one ended.
    pub last: Option<BackupAttempt>,
    /// The newest one in the directory, also of before the node started.
    pub newest: Option<BackupInfo>,
}

/// A backup that is being made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackupProgress {
    /// Its number since the node started.
    pub attempt: u64,
    /// Bytes of the database that are archived.
    pub done_bytes: u64,
    /// Bytes of the database; 0 while that is not known.
    pub total_bytes: u64,
}

/// How a backup ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackupAttempt {
    /// Its number since the node started.
    pub attempt: u64,
    /// When it was begun.
    pub at: Timestamp,
    /// How long it took.
    pub duration_ms: u64,
    /// What was made.
    pub backup: Option<BackupInfo>,
    /// Why none was made.
    pub error: Option<String>,
}

impl BackupStatus {
    /// The age of the newest one; that of the node when there is none.
    pub fn age(&self, started: Timestamp, now: Timestamp) -> Duration {
        let since = self.newest.as_ref().map_or(started, |backup| backup.created);
        Duration::from_millis(now.since(since))
    }

    /// Whether the newest one is older than a schedule allows.
    pub fn is_late(&self, interval: Option<Duration>, started: Timestamp, now: Timestamp) -> bool {
        interval.is_some_and(|interval| self.age(started, now) > interval.saturating_mul(LATE_INTERVALS))
    }

    /// Why the last one failed, if it did.
    pub fn last_error(&self) -> Option<&str> {
        self.last.as_ref()?.error.as_deref()
    }
}
