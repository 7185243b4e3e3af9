//! What the chain task does about its disk: when it is full, when it fails, and when it holds damage.
//!
//! ```text
//!            no space                    space again: opened again
//!   open ─────────────> full ──────────────────────────────────────> open
//!    │ EIO, failed sync
//!    ├────────────────> failing ── opened again from what is durable ──> open
//!    │ damage
//!    └────────────────> set aside ──> rebuilding ── as much work as before ──> open
//!                                        └── nobody has the rest: stranded
//! ```
//!
//! This module says when; the chain task (`chain_task`) does it. Everything here is counted in `tokio::time`, so a wall
//! clock that steps delays nothing.

use super::storage_status::{Pressure, StorageState, StorageStatus};
use super::streak::Streak;
use crate::{
    seams::Space,
    storage::{Audit, Rebuild, Salvage, Trouble},
    types::{Height, Work},
};
use std::time::Duration;
use tokio::time::Instant;

/// Longest time between two tries to open the store again; the first follows the failure at once.
pub const RETRY_MAX: Duration = Duration::from_secs(4);
/// The same of a store that is full though its disk shows space, as under a quota that the system does not tell. Opening it
/// costs a reading of its log, and nobody but an operator ends such a shortage.
pub const FULL_RETRY_MAX: Duration = Duration::from_secs(64);
/// The wait after a first try; twice as long after each further one.
const RETRY_MIN: Duration = Duration::from_millis(500);
/// A store that was opened again and failed again this often within [`FAILURES_WITHIN`] has a part that cannot be read:
/// that is damage, and opening it once more would not help.
pub const FAILURES_MAX: usize = 5;
/// See [`FAILURES_MAX`].
pub const FAILURES_WITHIN: Duration = Duration::from_secs(60);
/// A rebuild that no peer can help with is stranded after this: peers tell how far they are every ten seconds, and a block
/// may take as long again.
pub const STRANDED_AFTER: Duration = Duration::from_secs(30);
/// How long enough peers must have been heard before a rebuild of unknown extent may be over: each tells how far it is every
/// ten seconds, so each has told twice, and one that is slow to connect has told once.
pub const REBUILD_LISTEN: Duration = Duration::from_secs(20);
/// Enough peers are half of those that the node is told to connect to, one at least, and at most so many: connections are
/// limited.
pub const REBUILD_PEERS_MAX: usize = 8;
/// Blocks that are taken over from a damaged database in one step.
pub const SALVAGE_BLOCKS_MAX: usize = 128;
/// A step with a commit that takes longer is slow: a disk of any kind syncs in a tenth of this, and nothing else in a step
/// takes long unless the chain reorganises deeply.
pub const SLOW_COMMIT: Duration = Duration::from_millis(150);
/// So many slow commits one after the other mean that the disk is slow, and so many others that it is not any more.
pub const SLOW_COMMITS: u32 = 3;
/// The reserve is at most this part of a disk.
const RESERVE_PART: u64 = 20;
/// Space must be this many times the reserve before writing goes on, so that the two states don't alternate.
const RESUME_FACTOR: u64 = 2;

/// Settings of the upkeep.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Space to leave free, in bytes; less on a small disk.
    pub reserve_bytes: u64,
    /// Bytes a second that an audit reads; 0 for no audits.
    pub audit_bytes_per_second: u64,
    /// From the end of one audit to the next.
    pub audit_pause: Duration,
}

/// What to try once more, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Retry {
    pub what: Attempt,
    at: Instant,
    tries: u32,
}

/// What the store needs before it is open again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attempt {
    Reopen,
    Rebuild,
}

/// When a full store is opened again, though nothing that can be seen has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Probe {
    at: Instant,
    tries: u32,
}

/// How long to wait after so many tries.
fn wait(tries: u32, max: Duration) -> Duration {
    RETRY_MIN.saturating_mul(1 << (tries - 1).min(8)).min(max)
}

/// How many peers are enough to tell how far a chain goes, by the number of those that the node is told to connect to.
pub(super) fn peers_to_hear(bootstrap_peers: usize) -> usize {
    bootstrap_peers.div_ceil(2).clamp(1, REBUILD_PEERS_MAX)
}

/// A rebuild under way.
pub(super) struct Rebuilding {
    pub record: Rebuild,
    /// What is left to take over from the damaged database.
    pub salvage: Option<Salvage>,
    /// The next height to take over.
    pub next: Height,
    /// Nobody who is connected has what is missing.
    helpless: Streak,
    is_stranded: bool,
    /// Enough peers have told how far they are.
    heard: Streak,
}

/// What is known of the disk, and what is to be done about it.
pub(super) struct Upkeep {
    settings: Settings,
    counts: StorageStatus,
    full: bool,
    probe: Option<Probe>,
    retry: Option<Retry>,
    pub rebuilding: Option<Rebuilding>,
    recent_failures: Vec<Instant>,
    /// Commits in a row that say otherwise than `counts.slow`.
    commits_otherwise: u32,
    pub audit: Option<Audit>,
    next_audit: Option<Instant>,
}

impl Upkeep {
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            counts: StorageStatus::default(),
            full: false,
            probe: None,
            retry: None,
            rebuilding: None,
            recent_failures: Vec::new(),
            commits_otherwise: 0,
            audit: None,
            next_audit: None,
        }
    }

    /// The state.
    pub fn status(&self) -> StorageStatus {
        let state = match (&self.retry, self.full, &self.rebuilding) {
            (Some(_), ..) => StorageState::Failing,
            (None, true, _) => StorageState::Full,
            (None, false, Some(rebuilding)) if rebuilding.is_stranded => StorageState::Stranded,
            (None, false, Some(_)) => StorageState::Rebuilding,
            (None, false, None) => StorageState::Open,
        };
        StorageStatus { state, ..self.counts }
    }

    /// Whether blocks are taken in.
    pub fn imports(&self) -> bool {
        !self.full && self.retry.is_none()
    }

    /// Whether blocks are produced and transactions taken in.
    pub fn produces(&self) -> bool {
        self.imports() && self.rebuilding.is_none()
    }

    /// Space as it is now. Says whether the store is to be opened again: there was too little, now there is enough, and if
    /// there seemed to be enough the last time as well, it is due to be tried once more.
    pub fn on_space(&mut self, space: Space, now: Instant) -> bool {
        self.counts.space = space;
        self.counts.pressure = Pressure::of(space);
        let reserve = self.settings.reserve_bytes.min(space.total / RESERVE_PART);
        if space.free < reserve {
            self.is_full();
            // This disk shows its shortage, so it is believed as soon as it shows space.
            self.probe = None;
        }
        let seems_enough = self.full && space.free >= reserve.saturating_mul(RESUME_FACTOR);
        let is_due = self.probe.is_none_or(|probe| probe.at <= now);
        if seems_enough && is_due {
            let tries = self.probe.map_or(0, |probe| probe.tries) + 1;
            self.probe = Some(Probe { at: now + wait(tries, FULL_RETRY_MAX), tries });
        }
        seems_enough && is_due
    }

    /// The disk took a commit, so there is space.
    pub fn committed(&mut self) {
        self.probe = None;
    }

    /// No space is left.
    pub fn is_full(&mut self) {
        if !self.full {
            self.full = true;
            self.counts.full += 1;
        }
    }

    /// The disk failed. Says what to do about it.
    pub fn on_trouble(&mut self, trouble: Trouble, now: Instant) -> Option<Attempt> {
        self.audit = None;
        match trouble {
            Trouble::Full => {
                self.is_full();
                None
            }
            Trouble::Failed => {
                self.counts.failures += 1;
                self.recent_failures.retain(|at| now.duration_since(*at) < FAILURES_WITHIN);
                self.recent_failures.push(now);
                if self.recent_failures.len() < FAILURES_MAX {
                    return Some(Attempt::Reopen);
                }
                self.recent_failures.clear();
                self.counts.damage_found += 1;
                Some(Attempt::Rebuild)
            }
            Trouble::Damaged => {
                self.counts.damage_found += 1;
                Some(Attempt::Rebuild)
            }
        }
    }

    /// A step with a commit took so long. Says whether that changes how fast the disk counts as.
    pub fn on_commit(&mut self, took: Duration) -> bool {
        let is_slow = took > SLOW_COMMIT;
        self.commits_otherwise = if is_slow == self.counts.slow { 0 } else { self.commits_otherwise + 1 };
        if self.commits_otherwise < SLOW_COMMITS {
            return false;
        }
        self.commits_otherwise = 0;
        self.counts.slow = is_slow;
        self.counts.slowed += u64::from(is_slow);
        true
    }

    /// What is due to be tried once more.
    pub fn due(&self, now: Instant) -> Option<Attempt> {
        self.retry.filter(|retry| retry.at <= now).map(|retry| retry.what)
    }

    /// An attempt failed: it is made again, each time a little later.
    pub fn failed(&mut self, what: Attempt, now: Instant) {
        let tries = self.retry.map_or(0, |retry| retry.tries) + 1;
        self.retry = Some(Retry { what, at: now + wait(tries, RETRY_MAX), tries });
    }

    /// The store was opened again; `writable` is false on a disk that is full still.
    pub fn opened(&mut self, writable: bool) {
        self.retry = None;
        self.counts.reopened += 1;
        match writable {
            true => self.full = false,
            false => self.is_full(),
        }
    }

    /// The store was set aside, and a new one is to be rebuilt.
    pub fn begin_rebuild(&mut self, record: Rebuild, salvage: Option<Salvage>) {
        self.retry = None;
        self.full = false;
        self.rebuilding = Some(Rebuilding {
            record,
            salvage,
            next: Height(1),
            helpless: Streak::default(),
            is_stranded: false,
            heard: Streak::default(),
        });
    }

    /// Whether the salvage or a peer has something of what a rebuild still lacks. Says whether it is stranded since.
    pub fn on_help(&mut self, is_there: bool, now: Instant) -> bool {
        let Some(rebuilding) = &mut self.rebuilding else { return false };
        rebuilding.helpless.look(!is_there, now);
        let is_helpless = rebuilding.helpless.lasts().is_some_and(|lasts| lasts >= STRANDED_AFTER);
        let is_new = is_helpless && !rebuilding.is_stranded;
        rebuilding.is_stranded = !is_there && (rebuilding.is_stranded || is_helpless);
        is_new
    }

    /// The store was found damaged before this began to look after it.
    pub fn found_damaged(&mut self) {
        self.counts.damage_found += 1;
    }

    /// Whether enough peers ([`peers_to_hear`]) have told how far they are and are connected. One at genesis does not count: a
    /// database that was made anew is no measure of one that was damaged.
    pub fn on_heard(&mut self, are_enough: bool, now: Instant) {
        if let Some(rebuilding) = &mut self.rebuilding {
            rebuilding.heard.look(are_enough, now);
        }
    }

    /// Whether the chain has what the damaged one had. When it is not known how far that went, it has it once all that can be
    /// read of it was taken over, enough peers were heard for [`REBUILD_LISTEN`], and none of them is further: `caught_up`.
    pub fn is_rebuilt(&self, work: Work, caught_up: bool) -> bool {
        self.rebuilding.as_ref().is_some_and(|rebuilding| match rebuilding.record.target {
            Some(target) => work >= target.work,
            None => {
                let has_listened = rebuilding.heard.lasts().is_some_and(|lasts| lasts >= REBUILD_LISTEN);
                caught_up && rebuilding.salvage.is_none() && has_listened
            }
        })
    }

    /// The rebuild is over.
    pub fn end_rebuild(&mut self) {
        self.rebuilding = None;
        self.counts.rebuilt += 1;
    }

    /// Directories that are set aside.
    pub fn on_kept(&mut self, kept: usize) {
        self.counts.kept = kept as u64;
    }

    /// How many bytes an audit may read in `elapsed`, when one is due or under way.
    pub fn audit_bytes(&self, now: Instant, elapsed: Duration) -> Option<u64> {
        let is_due = self.audit.is_some() || self.next_audit.is_none_or(|at| at <= now);
        let rate = self.settings.audit_bytes_per_second;
        let is_wanted = rate > 0 && is_due && self.produces();
        is_wanted.then(|| (u128::from(rate) * elapsed.as_millis() / 1000).max(1) as u64)
    }

    /// An audit has read everything and found nothing.
    pub fn audited(&mut self, now: Instant) {
        self.audit = None;
        self.counts.audits += 1;
        self.next_audit = Some(now + self.settings.audit_pause);
    }

    /// An audit could not begin or go on; the next one comes after a pause.
    pub fn audit_failed(&mut self, now: Instant) {
        self.audit = None;
        self.next_audit = Some(now + self.settings.audit_pause);
    }
}
