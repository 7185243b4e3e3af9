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
use crate::{
    seams::Space,
    storage::{Audit, Rebuild, Salvage, Trouble},
    types::{Height, Work},
};
use std::time::Duration;
use tokio::time::Instant;

/// Longest time between two tries to open the store again; the first follows the failure at once.
pub const RETRY_MAX: Duration = Duration::from_secs(4);
/// A store that was opened again and failed again this often within [`FAILURES_WITHIN`] has a part that cannot be read:
/// that is damage, and opening it once more would not help.
pub const FAILURES_MAX: usize = 5;
/// See [`FAILURES_MAX`].
pub const FAILURES_WITHIN: Duration = Duration::from_secs(60);
/// A rebuild that no peer can help with is stranded after this: peers tell how far they are every ten seconds, and a block
/// may take as long again.
pub const STRANDED_AFTER: Duration = Duration::from_secs(30);
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

/// A rebuild under way.
pub(super) struct Rebuilding {
    pub record: Rebuild,
    /// What is left to take over from the damaged database.
    pub salvage: Option<Salvage>,
    /// The next height to take over.
    pub next: Height,
    /// Since when nobody who is connected has what is missing.
    helpless_since: Option<Instant>,
    is_stranded: bool,
}

/// What is known of the disk, and what is to be done about it.
pub(super) struct Upkeep {
    settings: Settings,
    counts: StorageStatus,
    full: bool,
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

    /// Space as it is now. Says whether there was too little and now there is enough again.
    pub fn on_space(&mut self, space: Space) -> bool {
        self.counts.space = space;
        self.counts.pressure = Pressure::of(space);
        let reserve = self.settings.reserve_bytes.min(space.total / RESERVE_PART);
        if space.free < reserve {
            self.is_full();
        }
        self.full && space.free >= reserve.saturating_mul(RESUME_FACTOR)
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
        let wait = Duration::from_millis(500).saturating_mul(1 << (tries - 1).min(8)).min(RETRY_MAX);
        self.retry = Some(Retry { what, at: now + wait, tries });
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
        let (next, helpless_since, is_stranded) = (Height(1), None, false);
        self.rebuilding = Some(Rebuilding { record, salvage, next, helpless_since, is_stranded });
    }

    /// Whether the salvage or a peer has something of what a rebuild still lacks. Says whether it is stranded since.
    pub fn on_help(&mut self, is_there: bool, now: Instant) -> bool {
        let Some(rebuilding) = &mut self.rebuilding else { return false };
        if is_there {
            (rebuilding.helpless_since, rebuilding.is_stranded) = (None, false);
            return false;
        }
        let since = *rebuilding.helpless_since.get_or_insert(now);
        let is_new = !rebuilding.is_stranded && now.duration_since(since) >= STRANDED_AFTER;
        rebuilding.is_stranded |= is_new;
        is_new
    }

    /// The store was found damaged before this began to look after it.
    pub fn found_damaged(&mut self) {
        self.counts.damage_found += 1;
    }

    /// Whether the chain has what the damaged one had. `caught_up` says that a peer was heard and none is further.
    pub fn is_rebuilt(&self, work: Work, caught_up: bool) -> bool {
        self.rebuilding.as_ref().is_some_and(|rebuilding| match rebuilding.record.target {
            Some(target) => work >= target.work,
            None => caught_up,
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

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: Settings =
        Settings { reserve_bytes: 100, audit_bytes_per_second: 1000, audit_pause: Duration::from_secs(60) };

    fn upkeep() -> (Upkeep, Instant) {
        (Upkeep::new(SETTINGS), Instant::now())
    }

    fn state(upkeep: &Upkeep) -> &'static str {
        upkeep.status().state.name()
    }

    #[test]
    fn a_full_disk_is_left_with_some_space_to_spare() {
        let (mut upkeep, _) = upkeep();
        let space = |free| Space { total: 10_000, free };
        assert!(!upkeep.on_space(space(100)));
        assert_eq!(state(&upkeep), "open");
        assert!(!upkeep.on_space(space(99)));
        assert!(!upkeep.on_space(space(199)), "half way back is not enough");
        assert_eq!((state(&upkeep), upkeep.imports(), upkeep.produces()), ("full", false, false));
        assert!(upkeep.on_space(space(200)));
        upkeep.opened(true);
        assert_eq!((state(&upkeep), upkeep.status().full), ("open", 1));
        assert!(!upkeep.on_space(Space { total: 1000, free: 50 }), "a twentieth of a small disk is enough");
        assert_eq!(state(&upkeep), "open");
    }

    #[tokio::test(start_paused = true)]
    async fn a_failing_disk_is_tried_again_and_later_each_time() {
        let (mut upkeep, start) = upkeep();
        assert_eq!(upkeep.on_trouble(Trouble::Failed, start), Some(Attempt::Reopen));
        let mut now = start;
        for wait_ms in [500, 1000, 2000, 4000, 4000] {
            upkeep.failed(Attempt::Reopen, now);
            assert_eq!(upkeep.due(now + Duration::from_millis(wait_ms - 1)), None);
            now += Duration::from_millis(wait_ms);
            assert_eq!(upkeep.due(now), Some(Attempt::Reopen));
        }
        assert_eq!(state(&upkeep), "failing");
        upkeep.opened(true);
        assert_eq!((state(&upkeep), upkeep.due(now)), ("open", None));
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_again_and_again_is_damage() {
        let (mut upkeep, start) = upkeep();
        let at = |seconds| start + Duration::from_secs(seconds);
        for n in 0..FAILURES_MAX as u64 - 1 {
            assert_eq!(upkeep.on_trouble(Trouble::Failed, at(n)), Some(Attempt::Reopen));
        }
        assert_eq!(upkeep.on_trouble(Trouble::Failed, at(59)), Some(Attempt::Rebuild));
        for n in 0..10 {
            assert_eq!(upkeep.on_trouble(Trouble::Failed, at(100 + 20 * n)), Some(Attempt::Reopen), "now and then");
        }
    }

    #[test]
    fn a_disk_is_slow_after_several_slow_commits() {
        let (mut upkeep, _) = upkeep();
        let (slow, fast) = (SLOW_COMMIT + Duration::from_millis(1), SLOW_COMMIT);
        let seen = [slow, slow, fast, slow, slow, slow, slow, fast, fast, slow, fast, fast, fast];
        let changes: Vec<_> = seen.iter().map(|took| upkeep.on_commit(*took)).collect();
        let expected = [5, 12].map(|at| at + 1);
        let at: Vec<_> = changes.iter().enumerate().filter(|(_, changed)| **changed).map(|(at, _)| at + 1).collect();
        assert_eq!(at, expected);
        assert_eq!((upkeep.status().slow, upkeep.status().slowed), (false, 1));
    }

    #[test]
    fn a_rebuild_is_over_when_the_work_is_there_again() {
        let (mut upkeep, _) = upkeep();
        let target =
            crate::storage::StoredHead { height: Height(9), hash: crate::crypto::Hash([1; 32]), work: Work(90) };
        upkeep.begin_rebuild(Rebuild { target: Some(target), kept: vec!["db.damaged-1".into()] }, None);
        assert_eq!((state(&upkeep), upkeep.imports(), upkeep.produces()), ("rebuilding", true, false));
        assert!(!upkeep.is_rebuilt(Work(89), true) && upkeep.is_rebuilt(Work(90), false));
        upkeep.end_rebuild();
        assert_eq!(state(&upkeep), "open");
        upkeep.begin_rebuild(Rebuild { target: None, kept: vec!["db.damaged-2".into()] }, None);
        assert!(!upkeep.is_rebuilt(Work(1000), false) && upkeep.is_rebuilt(Work(0), true));
    }

    #[tokio::test(start_paused = true)]
    async fn a_rebuild_is_stranded_when_nobody_can_help_for_a_while() {
        let (mut upkeep, start) = upkeep();
        assert!(!upkeep.on_help(false, start), "nothing is rebuilt");
        upkeep.begin_rebuild(Rebuild { target: None, kept: Vec::new() }, None);
        let after = |seconds| start + Duration::from_secs(seconds);
        assert!(!upkeep.on_help(false, start) && !upkeep.on_help(false, after(29)));
        assert_eq!(state(&upkeep), "rebuilding");
        assert!(upkeep.on_help(false, after(30)) && !upkeep.on_help(false, after(31)), "told once");
        assert_eq!(state(&upkeep), "stranded");
        assert!(!upkeep.on_help(true, after(32)) && !upkeep.on_help(false, after(33)));
        assert_eq!(state(&upkeep), "rebuilding");
    }

    #[tokio::test(start_paused = true)]
    async fn audits_pause_and_never_run_while_something_is_wrong() {
        let (mut upkeep, now) = upkeep();
        let half = Duration::from_millis(500);
        assert_eq!(upkeep.audit_bytes(now, half), Some(500));
        upkeep.audited(now);
        assert_eq!(upkeep.audit_bytes(now + Duration::from_secs(59), half), None);
        assert_eq!(upkeep.audit_bytes(now + Duration::from_secs(60), half), Some(500));
        upkeep.is_full();
        assert_eq!(upkeep.audit_bytes(now + Duration::from_secs(60), half), None);
    }
}
