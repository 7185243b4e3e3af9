//! What fired against what was to fire.

use super::{Firing, PAGE};
use crate::{Alert, Expectation, Record, Verdict};

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

/// Enters what fired into the record of a run, and judges it: every alert that must fire has to, in time, and no other page
/// may. `line` is the place of the expectation in the scenario file. Returns whether all of it is met.
pub fn judge(record: &mut Record, wanted: &[Wanted], fired: &[Firing], line: Option<u32>) -> bool {
    let first =
        |name: &str| fired.iter().filter(|firing| firing.name == name).map(|firing| firing.from).min_by(f64::total_cmp);
    record.alerts = wanted
        .iter()
        .map(|alert| Alert { name: alert.name.clone(), expected: alert.must, fired_at: first(&alert.name) })
        .filter(|alert| alert.expected || alert.fired_at.is_some())
        .collect();
    for firing in fired {
        if !record.alerts.iter().any(|alert| alert.name == firing.name) {
            record.alerts.push(Alert { name: firing.name.clone(), expected: false, fired_at: first(&firing.name) });
        }
    }
    record.expectations.retain(|expectation| expectation.name != "alerts");
    for alert in wanted.iter().filter(|alert| alert.must) {
        let at = first(&alert.name);
        let in_time = at.is_some_and(|at| alert.by.is_none_or(|by| at <= by as f64));
        let bound = alert.by.map_or_else(String::new, |by| format!(" by {by} s"));
        record.expectations.push(Expectation {
            name: "alerts".to_owned(),
            expected: format!("{} fires{bound}", alert.name),
            actual: at.map_or_else(|| "silent".to_owned(), |at| format!("fired at {at} s")),
            met: in_time,
            line,
        });
    }
    let is_known = |firing: &Firing| wanted.iter().any(|alert| alert.name == firing.name);
    let mut others: Vec<_> = fired
        .iter()
        .filter(|firing| firing.severity == PAGE && !is_known(firing))
        .map(|firing| firing.name.as_str())
        .collect();
    others.sort_unstable();
    others.dedup();
    record.expectations.push(Expectation {
        name: "alerts".to_owned(),
        expected: "no other page".to_owned(),
        actual: if others.is_empty() { "none fired".to_owned() } else { format!("{} fired", others.join(", ")) },
        met: others.is_empty(),
        line,
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
