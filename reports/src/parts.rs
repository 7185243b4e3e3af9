//! The parts of a [`Record`](crate::Record). Times are virtual seconds since the run began.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The file of a scenario, so that a run can be repeated wherever its record is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioFile {
    /// Its path, as it was given; errors name it.
    pub name: String,
    /// What stood in it.
    pub text: String,
}

/// A node as it was at the end of the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Host name.
    pub name: String,
    /// Height of its head.
    pub height: u64,
    /// Height of its newest confirmed block.
    pub confirmed_height: u64,
    /// Hash of its head, in hex.
    pub head: String,
    /// Connected peers.
    pub peers: u64,
    /// Starts after the first.
    pub restarts: u64,
    /// Blocks it proposed, on whichever branch.
    pub blocks_produced: u64,
    /// Reorganisations it went through.
    pub reorgs: u64,
    /// Most blocks undone by one reorganisation.
    pub reorg_depth_max: u64,
}

/// A planned fault and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Name within the run, e.g. `f1`.
    pub id: String,
    /// Kind, e.g. `partition`.
    pub kind: String,
    /// Hosts or links it applies to.
    pub target: Vec<String>,
    /// Its parameters, for people.
    pub detail: String,
    /// Line of the scenario file; 0 if the fault was generated.
    pub line: u32,
    /// When it was due.
    pub planned_at: f64,
    /// When it was to end; `None` if never, or if nobody said.
    pub planned_until: Option<f64>,
    /// When it took effect; `None` if it never fired.
    pub applied_at: Option<f64>,
    /// When it ended; `None` if it lasted to the end of the run.
    pub ended_at: Option<f64>,
}

/// A property that must hold at all times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invariant {
    /// Name, e.g. `agreement`.
    pub name: String,
    /// Whether it held.
    pub status: InvariantStatus,
    /// When it was violated.
    pub at: Option<f64>,
    /// What it says, or how it was violated.
    pub detail: String,
    /// How many times it was evaluated.
    pub checks: u64,
}

/// Outcome of an invariant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvariantStatus {
    /// Held at every check.
    Held,
    /// Failed a check.
    Violated,
    /// Never evaluated.
    NotChecked,
}

/// An entry of the scenario's `[expect]` table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// Its key.
    pub name: String,
    /// The bound in the scenario.
    pub expected: String,
    /// What the run gave.
    pub actual: String,
    /// Whether the bound was kept.
    pub met: bool,
    /// Line of the scenario file; `None` for a default.
    pub line: Option<u32>,
    /// Share of the bound that was left: 0.9 of a minute if it took six seconds; below 0 if it was not kept. `None` where
    /// the bound is no number.
    pub margin: Option<f64>,
}

/// How the cluster came back after a fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recovery {
    /// [`Fault::id`].
    pub fault: String,
    /// Seconds until the cluster showed the fault; `None` if it never did.
    pub detect: Option<f64>,
    /// Seconds from the fault's end until the cluster was whole; `None` if it was not by the end of the run.
    pub rto: Option<f64>,
    /// Confirmed transactions lost.
    pub rpo: u64,
}

/// An alert that was expected, fired, or both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alert {
    /// Name of the alerting rule.
    pub name: String,
    /// Its severity; empty if it did not fire.
    #[serde(default)]
    pub severity: String,
    /// Whether the scenario expects it.
    pub expected: bool,
    /// Whether it may fire although it is not expected.
    #[serde(default)]
    pub allowed: bool,
    /// When it must have fired at the latest.
    pub due: Option<f64>,
    /// When it first fired.
    pub fired_at: Option<f64>,
    /// When it was last seen firing.
    pub fired_until: Option<f64>,
}

/// What to think of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertStatus {
    /// Expected, and in time.
    Fired,
    /// Expected, and too late.
    Late,
    /// Expected, and silent.
    Silent,
    /// Not expected, and allowed.
    Also,
    /// Not expected, and not allowed: it has woken people for nothing.
    False,
}

impl AlertStatus {
    /// For people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fired => "fired",
            Self::Late => "late",
            Self::Silent => "silent",
            Self::Also => "also fired",
            Self::False => "false alarm",
        }
    }

    /// Whether it is as it should be.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Fired | Self::Also)
    }
}

impl Alert {
    /// Severity of an alert that wakes people.
    pub const PAGE: &str = "page";

    /// What to think of it.
    pub fn status(&self) -> AlertStatus {
        match (self.expected, self.fired_at) {
            (true, None) => AlertStatus::Silent,
            (true, Some(at)) if self.due.is_some_and(|due| at > due) => AlertStatus::Late,
            (true, Some(_)) => AlertStatus::Fired,
            (false, Some(_)) if !self.allowed => AlertStatus::False,
            (false, _) => AlertStatus::Also,
        }
    }
}

/// What became of the submitted transactions, by count.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// Sent to a node.
    pub submitted: u64,
    /// Accepted by a node.
    pub acknowledged: u64,
    /// Refused by a node.
    pub rejected: u64,
    /// Neither: the request timed out or the connection broke.
    pub unknown: u64,
    /// Seen in a confirmed block.
    pub confirmed: u64,
    /// Confirmed once and absent at the end.
    pub lost: u64,
}

/// One entry of the timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// When.
    pub at: f64,
    /// Where; `None` for the whole cluster.
    pub host: Option<String>,
    /// Kind, e.g. `reorg`; [`Event::BLOCK`] for the routine of a chain.
    pub kind: String,
    /// What happened, for people.
    pub detail: String,
}

impl Event {
    /// Kind of a block that was made or adopted on the way; renderers may fold such events.
    pub const BLOCK: &str = "block";

    pub(crate) fn is_routine(&self) -> bool {
        self.kind == Event::BLOCK
    }
}

/// One step of one chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// When.
    pub at: f64,
    /// Whose chain.
    pub host: String,
    /// What was done.
    pub kind: StepKind,
    /// To which height.
    pub height: u64,
    /// The block, by the first digits of its hash; empty where it is none.
    pub block: String,
}

/// What a chain did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// It made a block.
    Made,
    /// It has a new head.
    Head,
    /// It took blocks back.
    TakenBack,
    /// It confirmed a block.
    Confirmed,
    /// It read what its store has.
    Read,
}

/// The rolling hash over the events of one host and subsystem.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceHash {
    /// Host name.
    pub host: String,
    /// Subsystem, e.g. `net`.
    pub subsystem: String,
    /// Events hashed.
    pub events: u64,
    /// Hash, in hex.
    pub hash: String,
}

/// A sampled value per node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// Unit of the values, e.g. `blocks`.
    pub unit: String,
    /// What is measured, in one sentence.
    pub about: String,
    /// Samples `(virtual seconds, value)` by node, in order of time.
    pub lines: BTreeMap<String, Vec<(f64, f64)>>,
}
