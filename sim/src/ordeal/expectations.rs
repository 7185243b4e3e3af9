//! The scenario's `[expect]` table, held against what was measured.

use super::{chains::Chains, forks::Forks, samples::Samples, schedule::Schedule};
use assay_reports::Expectation;
use assay_scenarios::{ForkExpectation, PlannedAction, ProgressExpectation, Scenario, format_duration};
use std::time::Duration;

/// What the table is held against.
pub(super) struct Measured<'a> {
    pub scenario: &'a Scenario,
    pub faults: &'a Schedule,
    pub samples: &'a Samples,
    pub chains: &'a Chains,
    pub forks: &'a Forks,
    /// Confirmed transactions that are missing from a chain at the end.
    pub lost: u64,
    /// The workload's transactions that were confirmed.
    pub confirmed: u64,
}

/// What is still under way when a split begins is decided within this time, and does not count as progress in it.
const SETTLES: Duration = Duration::from_secs(10);

/// What was confirmed in the splits: expected, actual, and whether that is met.
fn progress(measured: &Measured<'_>) -> Option<(String, String, bool)> {
    let splits = measured.faults.progress().iter().filter(|fault| {
        use PlannedAction::{Isolate, OneWay, Partition};
        matches!(fault.fault.action, Partition { .. } | OneWay { .. } | Isolate { .. })
    });
    let windows = splits.filter_map(|fault| Some((fault.applied_at? + SETTLES, fault.ended_at?)));
    let gains: Vec<u64> = windows.map(|(from, to)| measured.samples.confirmed_between(from, to)).collect();
    let (least, most) = (gains.iter().min().copied().unwrap_or(0), gains.iter().max().copied().unwrap_or(0));
    match measured.scenario.expect.progress {
        ProgressExpectation::Allowed => None,
        ProgressExpectation::Stops => Some(("stops".into(), format!("{most} blocks confirmed"), most == 0)),
        ProgressExpectation::GoesOn => Some(("goes-on".into(), format!("{least} blocks confirmed"), least > 0)),
    }
}

/// Every entry with its outcome; those without a value in the file and without a default are left out.
pub(super) fn judge(measured: &Measured<'_>) -> Vec<Expectation> {
    let Measured { scenario, faults, samples, chains, forks, lost, confirmed } = measured;
    let expect = &scenario.expect;
    let entry = |name: &str, expected: String, actual: String, met: bool| {
        let line = scenario.line_of(name);
        Expectation { name: name.to_owned(), expected, actual, met, line, margin: None }
    };
    let at_most = |name: &str, bound: u64, actual: u64| Expectation {
        margin: (bound > 0).then(|| 1.0 - actual as f64 / bound as f64),
        ..entry(name, format!("at most {bound}"), actual.to_string(), actual <= bound)
    };
    let at_least = |name: &str, bound: u64, actual: u64| Expectation {
        margin: (bound > 0).then(|| actual as f64 / bound as f64 - 1.0),
        ..entry(name, format!("at least {bound}"), actual.to_string(), actual >= bound)
    };
    let in_time = |name: &str, bound: Duration, took: Option<Duration>| {
        let actual = took.map_or("never".to_owned(), format_duration);
        let expected = format!("at most {}", format_duration(bound));
        let margin = took.map(|took| 1.0 - took.as_secs_f64() / bound.as_secs_f64());
        Expectation { margin, ..entry(name, expected, actual, took.is_some_and(|took| took <= bound)) }
    };
    let healed_at = faults.healed_at();
    let within = |name: &str, bound: Duration, when: Option<Duration>| {
        in_time(name, bound, healed_at.zip(when).map(|(healed, at)| at.saturating_sub(healed)))
    };
    let whole = healed_at.and_then(|at| samples.whole_since(at));
    let confirms = healed_at.and_then(|at| samples.confirmed_since(at));
    let depth = (0..chains.nodes()).map(|node| chains.of(node).reorg_depth_max).max().unwrap_or(0);
    let mut all = vec![
        at_most("finalized_lost", expect.finalized_lost, *lost),
        within("caught_up_within", expect.caught_up_within, whole),
        within("confirms_within", expect.confirms_within, confirms),
    ];
    let stopped_writes = faults
        .progress()
        .iter()
        .filter(|fault| matches!(&fault.fault.action, PlannedAction::Disk { deed, .. } if deed.stops_writes()));
    let ended: Vec<_> = stopped_writes.filter_map(|fault| fault.ended_at).collect();
    if !ended.is_empty() {
        let took = |at: &Duration| samples.writable_since(*at).map(|writable| writable - *at);
        let worst = ended.iter().map(took).try_fold(Duration::ZERO, |worst, took| Some(worst.max(took?)));
        all.push(in_time("writable_within", expect.writable_within, worst));
    }
    if expect.fork == ForkExpectation::Required {
        let resolved = forks.resolved(&chains.reorgs);
        let actual = resolved.clone().unwrap_or_else(|| {
            let text = if forks.any() { "forked, and no side gave way" } else { "the chain did not fork" };
            text.to_owned()
        });
        all.push(entry("fork", "required".to_owned(), actual, resolved.is_some()));
    }
    all.extend(progress(measured).map(|(expected, actual, met)| entry("progress", expected, actual, met)));
    if let Some(min) = expect.reorg_depth_min {
        all.push(at_least("reorg_depth_min", min, depth));
    }
    if let Some(max) = expect.reorg_depth_max {
        all.push(at_most("reorg_depth_max", max, depth));
    }
    if let Some(min) = expect.confirmed_transactions_min {
        all.push(at_least("confirmed_transactions_min", min, *confirmed));
    }
    all
}
