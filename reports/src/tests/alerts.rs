//! A run is judged by its alerts.

use super::fixture;
use crate::{
    Record, Verdict,
    alerts::{Firing, Rule, Wanted, judge},
};

fn firing(name: &str, severity: &str, from: f64) -> Firing {
    Firing { name: name.into(), severity: severity.into(), instance: Some("n0".into()), from, until: from + 30.0 }
}

fn rule() -> Rule {
    let wanted = vec![
        Wanted { name: "NodeOffline".into(), must: true, by: Some(60) },
        Wanted { name: "PeersLost".into(), must: false, by: None },
    ];
    Rule { wanted, no_other: false, line: Some(30) }
}

/// A run that fired these, judged: whether it is met, and what its record says.
fn judged(fired: &[Firing]) -> (bool, Record) {
    let mut record = fixture::passed();
    let is_met = judge(&mut record, &rule(), fired);
    (is_met, record)
}

#[test]
fn what_must_fire_has_fired_in_time() {
    let tickets =
        [firing("NodeOffline", "page", 45.0), firing("NodeOffline", "page", 30.0), firing("Odd", "ticket", 5.0)];
    let (is_met, record) = judged(&tickets);
    assert!(is_met);
    assert_eq!(record.verdict, Verdict::Passed);
    let alerts: Vec<_> =
        record.alerts.iter().map(|alert| (alert.name.as_str(), alert.expected, alert.fired_at)).collect();
    assert_eq!(alerts, [("NodeOffline", true, Some(30.0)), ("Odd", false, Some(5.0))]);
}

#[test]
fn what_is_late_or_silent_fails_the_run() {
    let (is_met, record) = judged(&[firing("NodeOffline", "page", 75.0)]);
    assert!(!is_met);
    assert_eq!(record.verdict, Verdict::Violated);
    let failure = record.failure.expect("a violated run says why");
    assert_eq!(failure, "alerts: NodeOffline fires by 60 s was expected, and fired at 75 s");
    let failure = judged(&[]).1.failure.expect("a violated run says why");
    assert_eq!(failure, "alerts: NodeOffline fires by 60 s was expected, and silent");
}

#[test]
fn a_page_that_nobody_expects_fails_the_run() {
    let fired =
        [firing("NodeOffline", "page", 30.0), firing("PeersLost", "page", 31.0), firing("DiskFull", "page", 32.0)];
    let (is_met, record) = judged(&fired);
    assert!(!is_met);
    assert_eq!(record.failure.as_deref(), Some("alerts: no other page was expected, and DiskFull fired"));
    assert!(judged(&fired[..2]).0, "one that may fire is no failure");
}

#[test]
fn a_run_that_failed_before_keeps_its_reason() {
    let mut record =
        Record { verdict: Verdict::Violated, failure: Some("agreement violated".into()), ..fixture::passed() };
    assert!(!judge(&mut record, &rule(), &[]));
    assert_eq!(record.failure.as_deref(), Some("agreement violated"));
}

#[test]
fn where_no_other_alert_may_fire_a_ticket_fails_the_run() {
    let strict = Rule { no_other: true, ..rule() };
    let judged = |fired: &[Firing]| judge(&mut fixture::passed(), &strict, fired);
    let page = firing("NodeOffline", "page", 30.0);
    assert!(judged(&[page.clone(), firing("PeersLost", "ticket", 40.0)]));
    assert!(!judged(&[page, firing("Odd", "ticket", 40.0)]));
}
