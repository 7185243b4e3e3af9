//! What the upkeep says, in virtual time.

use super::upkeep::*;
use crate::{
    crypto::Hash,
    seams::Space,
    storage::{Rebuild, StoredHead, Trouble},
    types::{Height, Work},
};
use std::{ops::RangeInclusive, time::Duration};
use tokio::time::Instant;

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
    let (mut upkeep, now) = upkeep();
    let space = |free| Space { total: 10_000, free };
    assert!(!upkeep.on_space(space(100), now));
    assert_eq!(state(&upkeep), "open");
    assert!(!upkeep.on_space(space(99), now));
    assert!(!upkeep.on_space(space(199), now), "half way back is not enough");
    assert_eq!((state(&upkeep), upkeep.imports(), upkeep.produces()), ("full", false, false));
    assert!(upkeep.on_space(space(200), now));
    upkeep.opened(true);
    assert_eq!((state(&upkeep), upkeep.status().full), ("open", 1));
    assert!(!upkeep.on_space(Space { total: 1000, free: 50 }, now), "a twentieth of a small disk is enough");
    assert_eq!(state(&upkeep), "open");
}

/// Ticks of a store that is full whatever its disk shows, until it is opened again. Gives how many milliseconds that took.
fn ms_until_opened(upkeep: &mut Upkeep, now: &mut Instant) -> u128 {
    let (start, plenty) = (*now, Space { total: 10_000, free: 9_000 });
    upkeep.on_trouble(Trouble::Full, *now);
    while !upkeep.on_space(plenty, *now) {
        *now += Duration::from_millis(500);
    }
    upkeep.opened(true);
    now.duration_since(start).as_millis()
}

#[tokio::test(start_paused = true)]
async fn a_quota_that_shows_no_shortage_is_tried_later_each_time() {
    let (mut upkeep, mut now) = upkeep();
    let longest_ms = FULL_RETRY_MAX.as_millis();
    for wait_ms in [0, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, longest_ms, longest_ms] {
        assert_eq!(ms_until_opened(&mut upkeep, &mut now), wait_ms);
    }
    upkeep.committed();
    assert_eq!(ms_until_opened(&mut upkeep, &mut now), 0, "there was space, so it begins anew");
    assert_eq!(ms_until_opened(&mut upkeep, &mut now), 500);
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_shows_its_shortage_is_believed_at_once() {
    let (mut upkeep, mut now) = upkeep();
    for _ in 0..5 {
        ms_until_opened(&mut upkeep, &mut now);
    }
    assert!(!upkeep.on_space(Space { total: 10_000, free: 0 }, now));
    assert_eq!(ms_until_opened(&mut upkeep, &mut now), 0);
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
    let target = StoredHead { height: Height(9), hash: Hash([1; 32]), work: Work(90) };
    upkeep.begin_rebuild(Rebuild { target: Some(target), kept: vec!["db.damaged-1".into()] }, None);
    assert_eq!((state(&upkeep), upkeep.imports(), upkeep.produces()), ("rebuilding", true, false));
    assert!(!upkeep.is_rebuilt(Work(89), true) && upkeep.is_rebuilt(Work(90), false));
    upkeep.end_rebuild();
    assert_eq!(state(&upkeep), "open");
}

#[tokio::test(start_paused = true)]
async fn a_rebuild_of_unknown_extent_is_over_when_enough_peers_were_heard_for_a_while() {
    let (mut upkeep, start) = upkeep();
    upkeep.begin_rebuild(Rebuild { target: None, kept: vec!["db.damaged-1".into()] }, None);
    let hear = |upkeep: &mut Upkeep, seconds: RangeInclusive<u64>| {
        seconds.for_each(|second| upkeep.on_heard(true, start + Duration::from_secs(second)));
    };
    assert!(!upkeep.is_rebuilt(Work(9), true), "nobody was heard");
    hear(&mut upkeep, 100..=119);
    assert!(!upkeep.is_rebuilt(Work(9), true));
    hear(&mut upkeep, 120..=120);
    assert!(!upkeep.is_rebuilt(Work(9), false), "one is further");
    assert!(upkeep.is_rebuilt(Work(9), true));
    upkeep.on_heard(false, start + Duration::from_secs(121));
    hear(&mut upkeep, 122..=141);
    assert!(!upkeep.is_rebuilt(Work(9), true), "too few were connected in between");
    hear(&mut upkeep, 142..=142);
    assert!(upkeep.is_rebuilt(Work(9), true));
    hear(&mut upkeep, 200..=219);
    assert!(!upkeep.is_rebuilt(Work(9), true), "a step took a minute, in which nobody was heard");
}

#[test]
fn half_of_the_bootstrap_peers_are_enough() {
    assert_eq!([0, 1, 2, 3, 4, 15, 100].map(peers_to_hear), [1, 1, 1, 2, 2, 8, 8]);
}

#[tokio::test(start_paused = true)]
async fn a_rebuild_is_stranded_when_nobody_can_help_for_a_while() {
    let (mut upkeep, start) = upkeep();
    assert!(!upkeep.on_help(false, start), "nothing is rebuilt");
    upkeep.begin_rebuild(Rebuild { target: None, kept: Vec::new() }, None);
    let help = |upkeep: &mut Upkeep, is_there, second| upkeep.on_help(is_there, start + Duration::from_secs(second));
    assert!((0..30).all(|second| !help(&mut upkeep, false, second)));
    assert_eq!(state(&upkeep), "rebuilding");
    assert!(help(&mut upkeep, false, 30) && !help(&mut upkeep, false, 31), "told once");
    assert_eq!(state(&upkeep), "stranded");
    assert!(!help(&mut upkeep, true, 32) && !help(&mut upkeep, false, 33));
    assert_eq!(state(&upkeep), "rebuilding");
    assert!(!help(&mut upkeep, false, 99), "a step took a minute, in which nobody was heard");
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
