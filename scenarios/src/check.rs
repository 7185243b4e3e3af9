//! The rules that span several settings. Each setting is already within its own bounds here.

use crate::error::{Place, Problem, ScenarioError};
use crate::{Action, Fault, ForkExpectation, NodeIndex, Scenario, Target, read::Places};
use std::time::Duration;

/// Checks them all, in the order of this file.
pub(crate) fn scenario(scenario: &Scenario, places: &Places) -> Result<(), ScenarioError> {
    let found = overlap(scenario, places)
        .or_else(|| no_split(scenario, places))
        .or_else(|| reorg_bounds(scenario, places))
        .or_else(|| cut_off(scenario, places));
    match found {
        None => Ok(()),
        Some((place, problem)) => {
            Err(ScenarioError::Invalid { file: scenario.file.clone(), place, problem: Box::new(problem) })
        }
    }
}

type Finding = Option<(Place, Problem)>;

/// A process that is down or paused cannot be killed, paused or restarted. Where the seed chooses a target any node may
/// be hit, so windows must then not overlap at all; this keeps every seed's plan possible.
fn overlap(scenario: &Scenario, places: &Places) -> Finding {
    for (index, (later, place)) in scenario.faults.iter().zip(&places.actions).enumerate() {
        for earlier in scenario.faults.iter().take(index) {
            if let Some(node) = shared_process(earlier, later)
                && windows_meet(earlier, later)
            {
                return Some((*place, Problem::Overlap { node, line: earlier.line }));
            }
        }
    }
    None
}

/// Whether two process faults may be about one node, and which if both name it.
fn shared_process(a: &Fault, b: &Fault) -> Option<Option<NodeIndex>> {
    match (&a.action, &b.action) {
        (Action::Process { target: Target::Named(a), .. }, Action::Process { target: Target::Named(b), .. }) => {
            a.iter().find(|node| b.contains(node)).map(|node| Some(*node))
        }
        (Action::Process { .. }, Action::Process { .. }) => Some(None),
        _ => None,
    }
}

/// Whether the times of two faults have an instant in common, their ends included.
fn windows_meet(a: &Fault, b: &Fault) -> bool {
    let end = |fault: &Fault| fault.end().unwrap_or(Duration::MAX);
    a.at <= end(b) && b.at <= end(a)
}

fn no_split(scenario: &Scenario, places: &Places) -> Finding {
    let splits = |fault: &Fault| {
        matches!(fault.action, Action::Partition { .. } | Action::OneWay { .. } | Action::Isolate { .. })
    };
    let required = scenario.expect.fork == ForkExpectation::Required;
    (required && !scenario.faults.iter().any(splits)).then(|| (expect_place(places, "fork"), Problem::NoSplit))
}

fn reorg_bounds(scenario: &Scenario, places: &Places) -> Finding {
    let (min, max) = (scenario.expect.reorg_depth_min?, scenario.expect.reorg_depth_max?);
    (min > max).then(|| (expect_place(places, "reorg_depth_min"), Problem::ReorgBounds { min, max }))
}

/// What is expected after the last fault can only be judged if the run goes on for as long as it allows.
fn cut_off(scenario: &Scenario, places: &Places) -> Finding {
    let expect = &scenario.expect;
    if scenario.faults.is_empty() {
        return None;
    }
    let bounds = [("caught_up_within", expect.caught_up_within), ("confirms_within", expect.confirms_within)];
    let duration = scenario.duration;
    bounds.into_iter().find_map(|(key, within)| {
        let until = scenario.last_fault_end().saturating_add(within);
        (until > duration).then(|| (expect_place(places, key), Problem::CutOff { key, within, until, duration }))
    })
}

/// Where a key of `[expect]` stands; that of `duration` when it has its default.
fn expect_place(places: &Places, key: &str) -> Place {
    places.expect.get(key).copied().unwrap_or(places.duration)
}
