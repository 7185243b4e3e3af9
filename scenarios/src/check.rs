//! The rules that span several settings. Each setting is already within its own bounds here.

use crate::error::{Place, Problem, ScenarioError};
use crate::{
    Action, DiskDeed, Fault, ForkExpectation, NodeIndex, ProcessDeed, ProgressExpectation, Scenario, Target,
    read::Places,
};
use std::time::Duration;

/// Checks them all, in the order of this file.
pub(crate) fn scenario(scenario: &Scenario, places: &Places) -> Result<(), ScenarioError> {
    let found = planted(scenario, places)
        .or_else(|| overlap(scenario, places))
        .or_else(|| no_backup(scenario, places))
        .or_else(|| no_split(scenario, places))
        .or_else(|| no_split_to_progress_in(scenario, places))
        .or_else(|| foreign_lie(scenario, places))
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

/// What no node survives is allowed, and required to show, in planted scenarios alone.
fn planted(scenario: &Scenario, places: &Places) -> Finding {
    let violates = !scenario.expect.violates.is_empty();
    match (scenario.planted, violates) {
        (true, false) => Some((places.planted.unwrap_or(places.duration), Problem::ViolatesMissing)),
        (false, true) => Some((expect_place(places, "violates"), Problem::ViolatesUnplanted)),
        (true, true) => None,
        (false, false) => scenario.faults.iter().zip(&places.actions).find_map(|(fault, place)| {
            let lies = matches!(fault.action, Action::Disk { deed: DiskDeed::FsyncLies { .. }, .. });
            lies.then(|| (*place, Problem::NotPlanted { action: fault.action.kind() }))
        }),
    }
}

/// A process that is down or paused cannot be killed, paused or restarted, and a disk has one quota, as a memory has. Where
/// the seed chooses a target any node may be hit, so windows must then not overlap at all; this keeps every seed's plan
/// possible.
fn overlap(scenario: &Scenario, places: &Places) -> Finding {
    for (index, (later, place)) in scenario.faults.iter().zip(&places.actions).enumerate() {
        for earlier in scenario.faults.iter().take(index) {
            if let Some(node) = shared(earlier, later)
                && windows_meet(earlier, later)
            {
                return Some((*place, Problem::Overlap { node, line: earlier.line }));
            }
        }
    }
    None
}

/// Whether two faults may need one thing of one node, and which node if both name it.
fn shared(a: &Fault, b: &Fault) -> Option<Option<NodeIndex>> {
    let ((needed, a), (also, b)) = (exclusive(&a.action)?, exclusive(&b.action)?);
    match (a, b) {
        _ if needed != also => None,
        (Target::Named(a), Target::Named(b)) => a.iter().find(|node| b.contains(node)).map(|node| Some(*node)),
        _ => Some(None),
    }
}

/// What a node has one of, for one fault at a time.
#[derive(PartialEq, Eq)]
enum Exclusive {
    Process,
    Quota,
    Clock,
    Memory,
}

/// What a fault needs for itself, and of which nodes.
fn exclusive(action: &Action) -> Option<(Exclusive, &Target)> {
    match action {
        Action::Process { target, .. } | Action::BitRot { restart_after: Some(_), target, .. } => {
            Some((Exclusive::Process, target))
        }
        Action::Lie { target, .. } => Some((Exclusive::Process, target)),
        Action::Clock { target, .. } => Some((Exclusive::Clock, target)),
        Action::MemoryFull { target, .. } => Some((Exclusive::Memory, target)),
        Action::Disk { deed: DiskDeed::Full { .. }, target, .. } => Some((Exclusive::Quota, target)),
        _ => None,
    }
}

/// Whether the times of two faults have an instant in common, their ends included. A liar is gone for good at its end.
fn windows_meet(a: &Fault, b: &Fault) -> bool {
    let end = |fault: &Fault| match fault.action {
        Action::Lie { .. } => Duration::MAX,
        _ => fault.end().unwrap_or(Duration::MAX),
    };
    a.at <= end(b) && b.at <= end(a)
}

/// A restored node needs a backup whatever the seed: an earlier one that names it or is of all nodes.
fn no_backup(scenario: &Scenario, places: &Places) -> Finding {
    let nodes = usize::from(scenario.nodes.get());
    let includes = |fault: &Fault, node| match &fault.action {
        Action::Backup { target: Target::Named(named) } => named.contains(node),
        Action::Backup { target: Target::Chosen(size) } => size.of(nodes) == nodes,
        _ => false,
    };
    scenario.faults.iter().zip(&places.actions).find_map(|(fault, place)| {
        let Action::Process { deed: ProcessDeed::LoseVolume { restore, .. }, .. } = &fault.action else { return None };
        let has_backup = |node| scenario.faults.iter().any(|other| other.at < fault.at && includes(other, node));
        restore.iter().find(|node| !has_backup(node)).map(|node| (*place, Problem::NoBackup { node: *node }))
    })
}

fn splits(fault: &Fault) -> bool {
    matches!(fault.action, Action::Partition { .. } | Action::OneWay { .. } | Action::Isolate { .. })
}

fn no_split_to_progress_in(scenario: &Scenario, places: &Places) -> Finding {
    let judged = scenario.expect.progress != ProgressExpectation::Allowed;
    (judged && !scenario.faults.iter().any(splits))
        .then(|| (expect_place(places, "progress"), Problem::NoSplit { key: "progress" }))
}

fn no_split(scenario: &Scenario, places: &Places) -> Finding {
    let required = scenario.expect.fork == ForkExpectation::Required;
    (required && !scenario.faults.iter().any(splits))
        .then(|| (expect_place(places, "fork"), Problem::NoSplit { key: "fork" }))
}

/// A lie that nobody can tell on this chain.
fn foreign_lie(scenario: &Scenario, places: &Places) -> Finding {
    let engine = scenario.consensus;
    scenario.faults.iter().zip(&places.actions).find_map(|(fault, place)| {
        let Action::Lie { lie, .. } = &fault.action else { return None };
        (!lie.kind.is_of(engine))
            .then(|| (*place, Problem::OtherEngine { key: lie.kind.word(), engine: engine.name() }))
    })
}

fn reorg_bounds(scenario: &Scenario, places: &Places) -> Finding {
    let (min, max) = (scenario.expect.reorg_depth_min?, scenario.expect.reorg_depth_max?);
    (min > max).then(|| (expect_place(places, "reorg_depth_min"), Problem::ReorgBounds { min, max }))
}

/// What is expected after the last fault can only be judged if the run goes on for as long as it allows.
fn cut_off(scenario: &Scenario, places: &Places) -> Finding {
    let (expect, duration) = (&scenario.expect, scenario.duration);
    let stops_writes = |fault: &&Fault| matches!(&fault.action, Action::Disk { deed, .. } if deed.stops_writes());
    let over = |fault: &Fault| fault.end().unwrap_or(fault.at);
    let any = scenario.faults.iter().map(over).max();
    let writes = scenario.faults.iter().filter(stops_writes).map(over).max();
    let bounds = [
        ("caught_up_within", any, "fault", expect.caught_up_within),
        ("confirms_within", any, "fault", expect.confirms_within),
        ("writable_within", writes, "fault that stops writes", expect.writable_within),
    ];
    bounds.into_iter().find_map(|(key, last, after, within)| {
        let until = last?.saturating_add(within);
        let problem = Problem::CutOff { key, after, within, until, duration };
        (until > duration).then(|| (expect_place(places, key), problem))
    })
}

/// Where a key of `[expect]` stands; that of `duration` when it has its default.
fn expect_place(places: &Places, key: &str) -> Place {
    places.expect.get(key).copied().unwrap_or(places.duration)
}
