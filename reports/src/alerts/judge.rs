//! What fired against what was to fire.

use super::Firing;
use crate::{Alert, AlertStatus, Expectation, Record, Verdict};
use std::collections::BTreeMap;

/// An alert that the scenario names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The alert.
    pub name: String,
    /// Whether it must fire; else it may.
    pub must: bool,
    /// When it must fire at the latest, in seconds since the run began.
    pub by: Option<u64>,
}

/// What a scenario says of alerts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// Those that it names.
    pub wanted: Vec<Wanted>,
    /// Whether no other alert may fire at all; else no other page may.
    pub no_other: bool,
    /// The line of the scenario file.
    pub line: Option<u32>,
}

/// Enters what fired into the record of a run, and judges it: every alert that must fire has to, in time, and no other page
/// may, or no other alert at all. Returns whether all of it is met.
pub fn judge(record: &mut Record, rule: &Rule, fired: &[Firing]) -> bool {
    record.alerts = alerts(rule, fired);
    let line = rule.line;
    record.expectations.retain(|expectation| expectation.name != "alerts");
    for alert in record.alerts.iter().filter(|alert| alert.expected) {
        let bound = alert.due.map_or_else(String::new, |due| format!(" by {due} s"));
        record.expectations.push(Expectation {
            name: "alerts".to_owned(),
            expected: format!("{} fires{bound}", alert.name),
            actual: alert.fired_at.map_or_else(|| "silent".to_owned(), |at| format!("fired at {at} s")),
            met: alert.status() == AlertStatus::Fired,
            line,
            margin: alert.due.zip(alert.fired_at).map(|(due, at)| 1.0 - at / due),
        });
    }
    let others: Vec<_> = record
        .alerts
        .iter()
        .filter(|alert| alert.status() == AlertStatus::False)
        .map(|alert| alert.name.as_str())
        .collect();
    record.expectations.push(Expectation {
        name: "alerts".to_owned(),
        expected: if rule.no_other { "no other alert" } else { "no other page" }.to_owned(),
        actual: if others.is_empty() { "none fired".to_owned() } else { format!("{} fired", others.join(", ")) },
        met: others.is_empty(),
        line,
        margin: None,
    });
    let unmet = record.expectations.iter().find(|expectation| expectation.name == "alerts" && !expectation.met);
    let failure = unmet.map(|unmet| format!("alerts: {} was expected, and {}", unmet.expected, unmet.actual));
    let is_met = failure.is_none();
    if !is_met && record.verdict == Verdict::Passed {
        record.failure = failure;
        record.verdict = Verdict::Violated;
    }
    is_met
}

/// Those that are wanted, whether or not they fired, and then all others that did, by name.
fn alerts(rule: &Rule, fired: &[Firing]) -> Vec<Alert> {
    let mut times: BTreeMap<&str, (&str, f64, f64)> = BTreeMap::new();
    for firing in fired {
        let at = times.entry(&firing.name).or_insert((&firing.severity, firing.from, firing.until));
        *at = (at.0, at.1.min(firing.from), at.2.max(firing.until));
    }
    let alert = |name: &str, expected, allowed, due: Option<u64>, at: Option<(&str, f64, f64)>| Alert {
        name: name.to_owned(),
        severity: at.map_or_else(String::new, |(severity, ..)| severity.to_owned()),
        expected,
        allowed,
        due: due.map(|due| due as f64),
        fired_at: at.map(|(_, from, _)| from),
        fired_until: at.map(|(.., until)| until),
    };
    let wanted = rule.wanted.iter();
    let mut all: Vec<Alert> =
        wanted.map(|it| alert(&it.name, it.must, !it.must, it.by, times.remove(it.name.as_str()))).collect();
    all.retain(|alert| alert.expected || alert.fired_at.is_some());
    let is_allowed = |severity: &str| !rule.no_other && severity != Alert::PAGE;
    all.extend(times.into_iter().map(|(name, at)| alert(name, false, is_allowed(at.0), None, Some(at))));
    all
}
