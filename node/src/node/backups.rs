//! The backup task: makes a backup when it is asked for one or one is due, one at a time, in small pieces of blocking work,
//! so that the chain goes on meanwhile.
//!
//! ```text
//!   asked by the API, the harness or the schedule ──> checkpoint ──> a chunk ──> a chunk ──> ... ──> named
//!                                                          └─────────┴── failed, or the node stops: removed
//! ```

use super::{
    Failure, Snapshot, StorageState,
    backup_status::{BackupAttempt, BackupProgress, BackupStatus},
    view::Stopping,
};
use crate::{
    backup::{BackupError, BackupInfo, Creation, Folder, Keep, Terms},
    seams::{Blocking, Clock},
    storage::Store,
    types::{ChainId, Timestamp},
};
use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// After a scheduled backup that failed the next is tried so soon, or after the schedule's interval if that is shorter.
pub const BACKUP_RETRY: Duration = Duration::from_secs(300);

/// Settings of backups.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The directory of archives.
    pub dir: PathBuf,
    /// From one scheduled backup to the next; none are made without.
    pub interval: Option<Duration>,
    /// Which archives stay after a scheduled one.
    pub keep: Keep,
    /// Space that the node leaves free, in bytes; less on a small disk.
    pub reserve_bytes: u64,
}

/// A backup that is asked for, and who wants to know how it ends.
pub(super) struct Job {
    attempt: u64,
    reply: Option<oneshot::Sender<Result<BackupInfo, BackupError>>>,
}

/// The node's backups, as the API, metrics and the harness see them; clones share them.
#[derive(Clone)]
pub struct Backups {
    jobs: mpsc::Sender<Job>,
    status: Arc<Mutex<BackupStatus>>,
    folder: Folder,
    interval: Option<Duration>,
}

impl Backups {
    /// The directory of archives.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// From one scheduled backup to the next; none when there is no schedule.
    pub fn interval(&self) -> Option<Duration> {
        self.interval
    }

    /// How they are.
    pub fn status(&self) -> BackupStatus {
        self.lock().clone()
    }

    /// Begins a backup and gives its number: [`BackupStatus`] says how that one goes on.
    ///
    /// # Errors
    /// [`BackupError::Busy`] while one is made, [`BackupError::Stopping`].
    pub fn begin(&self) -> Result<u64, BackupError> {
        self.ask(None)
    }

    /// Makes a backup.
    ///
    /// # Errors
    /// [`BackupError`]; then nothing is left of it.
    pub async fn make(&self) -> Result<BackupInfo, BackupError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Some(reply))?;
        answer.await.map_err(|_| Stopping)?
    }

    fn ask(&self, reply: Option<oneshot::Sender<Result<BackupInfo, BackupError>>>) -> Result<u64, BackupError> {
        let attempt = self.start()?;
        // There is a place: the one that was asked for before has been taken out, since it is over.
        self.jobs.try_send(Job { attempt, reply }).map_err(|_| {
            self.lock().running = None;
            Stopping
        })?;
        Ok(attempt)
    }

    fn start(&self) -> Result<u64, BackupError> {
        let mut status = self.lock();
        if status.running.is_some() {
            return Err(BackupError::Busy);
        }
        status.attempts += 1;
        let attempt = status.attempts;
        status.running = Some(BackupProgress { attempt, done_bytes: 0, total_bytes: 0 });
        Ok(attempt)
    }

    fn lock(&self) -> MutexGuard<'_, BackupStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Backups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backups").field("dir", &self.folder.dir()).field("status", &self.status()).finish()
    }
}

/// What makes the backups, not running yet.
pub(super) struct BackupTask {
    backups: Backups,
    settings: Settings,
    jobs: mpsc::Receiver<Job>,
    store: Arc<Store>,
    snapshot: watch::Receiver<Snapshot>,
    clock: Clock,
    blocking: Blocking,
}

impl BackupTask {
    pub fn new(
        settings: Settings,
        store: Arc<Store>,
        snapshot: watch::Receiver<Snapshot>,
        clock: Clock,
        blocking: Blocking,
    ) -> (Self, Backups) {
        let (sender, jobs) = mpsc::channel(1);
        let folder = Folder::new(store.disk().files.clone(), settings.dir.clone());
        let backups = Backups { jobs: sender, status: Arc::default(), folder, interval: settings.interval };
        (Self { backups: backups.clone(), settings, jobs, store, snapshot, clock, blocking }, backups)
    }

    /// Runs until told to stop.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), Failure> {
        self.tidy().await;
        let mut due = self.first();
        loop {
            let sleep = tokio::time::sleep_until(due.unwrap_or_else(Instant::now));
            let job = tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                job = self.jobs.recv() => job,
                () = sleep, if due.is_some() => None,
            };
            let is_scheduled = job.is_none();
            let (attempt, reply) = match job {
                Some(Job { attempt, reply }) => (attempt, reply),
                // One that is asked for at this very moment comes first; then this one is due again.
                None => match self.backups.start() {
                    Ok(attempt) => (attempt, None),
                    Err(_) => continue,
                },
            };
            let done = self.attempt(attempt, &stop).await;
            if let Some(interval) = self.settings.interval {
                let pause = if done.is_ok() { interval } else { interval.min(BACKUP_RETRY) };
                due = Some(Instant::now() + pause);
            }
            if is_scheduled && done.is_ok() {
                self.prune().await;
            }
            if let Some(reply) = reply {
                let _nobody_waits = reply.send(done);
            }
        }
    }

    /// Removes what a crash left, and sees which backup is the newest.
    async fn tidy(&self) {
        let (folder, store, chain) = (self.backups.folder.clone(), self.store.clone(), self.chain());
        let tidied = self.blocking.run(move || {
            folder.clean(&chain)?;
            let listing = folder.list()?;
            Ok::<_, std::io::Error>((store.remove_checkpoint(), listing, chain))
        });
        match tidied.await {
            Err(error) => tracing::warn!(%error, "backup.folder_unreadable"),
            Ok((removed, listing, chain)) => {
                if let Err(error) = removed {
                    tracing::warn!(%error, "backup.checkpoint_left");
                }
                for (name, error) in listing.damaged {
                    tracing::warn!(name, %error, "backup.damaged");
                }
                let newest = listing.backups.into_iter().find(|backup| backup.chain_id == chain);
                self.backups.lock().newest = newest;
            }
        }
    }

    /// When the first scheduled one is due: an interval after the newest.
    fn first(&self) -> Option<Instant> {
        let interval = self.settings.interval?;
        let newest = self.backups.lock().newest.as_ref().map(|backup| backup.created);
        let age = newest.map_or(interval, |created| Duration::from_millis(self.clock.now().since(created)));
        Some(Instant::now() + interval.saturating_sub(age))
    }

    /// Makes a backup and notes how it ended.
    async fn attempt(&self, attempt: u64, stop: &CancellationToken) -> Result<BackupInfo, BackupError> {
        let (began, at) = (Instant::now(), self.clock.now());
        tracing::info!(attempt, "backup.started");
        let done = self.create(attempt, at, stop).await;
        let duration_ms = began.elapsed().as_millis() as u64;
        match &done {
            Ok(BackupInfo { name, bytes, height, .. }) => {
                tracing::info!(attempt, name, bytes, height = height.0, duration_ms, "backup.made");
            }
            Err(cause) => tracing::error!(attempt, %cause, "backup.failed"),
        }
        let mut status = self.backups.lock();
        status.running = None;
        match &done {
            Ok(backup) => {
                status.newest = Some(backup.clone());
                status.made += 1;
            }
            Err(_) => status.failures += 1,
        }
        let (backup, error) = match &done {
            Ok(backup) => (Some(backup.clone()), None),
            Err(error) => (None, Some(error.to_string())),
        };
        status.last = Some(BackupAttempt { attempt, at, duration_ms, backup, error });
        done
    }

    async fn create(&self, attempt: u64, now: Timestamp, stop: &CancellationToken) -> Result<BackupInfo, BackupError> {
        let state = self.snapshot.borrow().storage.state;
        if state != StorageState::Open {
            return Err(BackupError::NotOpen(state));
        }
        let terms = Terms { now, reserve_bytes: self.settings.reserve_bytes };
        let (store, folder) = (self.store.clone(), self.backups.folder.clone());
        let mut creation = self.blocking.run(move || Creation::begin(&store, &folder, terms)).await?;
        loop {
            let (done_bytes, total_bytes) = creation.progress();
            self.backups.lock().running = Some(BackupProgress { attempt, done_bytes, total_bytes });
            let (back, stepped) = self
                .blocking
                .run(move || {
                    let stepped = creation.step();
                    (creation, stepped)
                })
                .await;
            creation = back;
            let stepped = if stop.is_cancelled() { Err(Stopping.into()) } else { stepped };
            match stepped {
                Ok(true) => tokio::task::yield_now().await,
                Ok(false) => return self.blocking.run(|| creation.finish()).await,
                Err(error) => {
                    self.blocking.run(|| creation.abandon()).await;
                    return Err(error);
                }
            }
        }
    }

    /// Removes the archives that are too old.
    async fn prune(&self) {
        let (folder, chain, keep, now) =
            (self.backups.folder.clone(), self.chain(), self.settings.keep, self.clock.now());
        let pruned = self.blocking.run(move || {
            for backup in folder.outdated(&chain, keep, now)? {
                folder.remove(&backup)?;
                tracing::info!(name = backup.name, "backup.pruned");
            }
            Ok::<_, std::io::Error>(())
        });
        if let Err(error) = pruned.await {
            tracing::warn!(%error, "backup.prune_failed");
        }
    }

    fn chain(&self) -> ChainId {
        self.store.genesis().chain_id.clone()
    }
}
