//! What a live run cannot do is told before it starts.

use super::{backend::Backend, volume};
use crate::TestnetError;
use assay_scenarios::{DiskDeed, Plan, PlannedAction, Scenario};

/// Whether the faults of a plan take disks of their own.
pub(crate) fn needs_volumes(plan: &Plan) -> bool {
    plan.faults.iter().any(|fault| {
        let is_full = matches!(&fault.action, PlannedAction::Disk { deed: DiskDeed::Full { .. }, .. });
        is_full || matches!(fault.action, PlannedAction::PowerCut { .. })
    })
}

/// Checks that a back end can carry out all of a scenario.
///
/// # Errors
/// [`TestnetError::CannotDo`] for the first thing that it cannot do, with its line.
pub(crate) fn check<B: Backend>(scenario: &Scenario, plan: &Plan) -> Result<(), TestnetError> {
    let cannot = |line: Option<u32>, kind: &str, reason: String| {
        let place = line.map_or_else(|| scenario.file.clone(), |line| format!("{}:{line}", scenario.file));
        TestnetError::CannotDo { place, kind: kind.to_owned(), backend: B::NAME, reason }
    };
    if scenario.planted {
        return Err(cannot(None, "planted", "a planted scenario takes what only the simulator can do".into()));
    }
    if let Some(reason) = B::refusal_of(scenario) {
        return Err(cannot(None, "scenario", reason));
    }
    for fault in &plan.faults {
        if let Some(reason) = refusal(&fault.action).or_else(|| B::refusal(&fault.action)) {
            return Err(cannot(Some(fault.line), fault.kind, reason));
        }
    }
    Ok(())
}

/// What no back end can do; none for everything else.
fn refusal(action: &PlannedAction) -> Option<String> {
    let text = match action {
        PlannedAction::Disk { deed: DiskDeed::Full { .. }, .. } => return volume::refusal(),
        PlannedAction::PowerCut { torn: true, .. } => {
            "what survives of an unsynced write is up to the kernel's file system: leave out `torn`"
        }
        PlannedAction::PowerCut { torn: false, .. } => return volume::refusal(),
        PlannedAction::Disk { .. } => {
            "a real disk does not fail, lie or slow down on demand: this fault is the simulator's alone"
        }
        PlannedAction::Clock { .. } => {
            "the wall clock of one process cannot be set without replacing its C library: this fault is the simulator's alone"
        }
        PlannedAction::MemoryFull { .. } => {
            "the memory of one process is the memory of the machine that all run on: this fault is the simulator's alone"
        }
        PlannedAction::Lie { .. } => "liars are parts of the simulator: this fault is the simulator's alone",
        _ => return None,
    };
    Some(text.to_owned())
}
