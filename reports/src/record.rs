//! The record of one run: `report.json`.
//!
//! Reading is strict. An unknown field is an error, and so is a schema newer than this crate: a reader that skips what
//! it does not know would render a wrong report.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::parts::{
    Alert, Event, Expectation, Fault, Invariant, Node, Recovery, ScenarioFile, Series, Step, TraceHash, Workload,
};
use crate::requests::Requests;

/// The schema this crate writes, and the newest it reads.
pub const SCHEMA_VERSION: u32 = 1;

/// All that is known about one run. Times are virtual seconds since the run began unless said otherwise; every number
/// must be finite, for JSON has no other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Version of this format: [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Name of the scenario.
    pub scenario: String,
    /// What the scenario shows, in one sentence.
    pub about: String,
    /// The seed from which the whole run follows.
    pub seed: u64,
    /// Where it ran: `sim`, `process` or `compose`.
    pub backend: String,
    /// Source revision of the node and the simulator.
    pub git_rev: String,
    /// Outcome.
    pub verdict: Verdict,
    /// Length of the run in virtual time.
    pub virtual_seconds: f64,
    /// Length of the run on the machine's clock.
    pub wall_seconds: f64,
    /// Hash over all of [`Record::trace`], in hex.
    pub trace_hash: String,
    /// The nodes as they were at the end.
    pub nodes: Vec<Node>,
    /// The planned faults, in order of plan.
    pub faults: Vec<Fault>,
    /// What must hold at all times.
    pub invariants: Vec<Invariant>,
    /// What the scenario file expects.
    pub expectations: Vec<Expectation>,
    /// How the cluster came back after each fault.
    pub recovery: Vec<Recovery>,
    /// Alerts, expected and fired.
    pub alerts: Vec<Alert>,
    /// What became of the submitted transactions.
    pub workload: Workload,
    /// The requests that users made of the nodes; none in a record that is older than they are.
    #[serde(default)]
    pub requests: Requests,
    /// What happened, in order of time.
    pub timeline: Vec<Event>,
    /// What the chains did around the first violation, in order of time; empty without one.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// Trace hash per host and subsystem.
    pub trace: Vec<TraceHash>,
    /// Sampled values by name: `height`, `confirmed_height`, `reorg_depth`, `peers`, `mempool`, `messages`.
    pub series: BTreeMap<String, Series>,
    /// The file of the scenario, as it was; `None` in a record that is older than it is.
    #[serde(default)]
    pub scenario_file: Option<ScenarioFile>,
    /// The command that runs it again.
    pub reproduce: String,
    /// Why the verdict is not `passed`, in one line.
    pub failure: Option<String>,
}

/// Outcome of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every invariant held and every expectation was met.
    Passed,
    /// An invariant was violated or an expectation was not met.
    Violated,
    /// The run could not be carried out; it says nothing about the node.
    Infrastructure,
    /// The same seed gave two different runs, so no run of it means anything.
    Nondeterministic,
}

impl Verdict {
    /// Exit status of the process that reports this verdict. 2 is left for usage and scenario errors.
    pub fn exit_code(self) -> u8 {
        match self {
            Verdict::Passed => 0,
            Verdict::Violated => 1,
            Verdict::Infrastructure => 3,
            Verdict::Nondeterministic => 4,
        }
    }

    /// The word used in records and on terminals.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Passed => "passed",
            Verdict::Violated => "violated",
            Verdict::Infrastructure => "infrastructure",
            Verdict::Nondeterministic => "nondeterministic",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Record {
    /// Reads `report.json`.
    ///
    /// # Errors
    /// [`ReadError::Schema`] for a version this crate does not read, checked before anything else;
    /// [`ReadError::Malformed`] for bytes that are not a record, which includes an unknown field.
    pub fn read(bytes: &[u8]) -> Result<Self, ReadError> {
        read_versioned(bytes)
    }
}

/// Why bytes are not a record.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The record has a schema that this crate does not read.
    #[error("record has schema version {found}, this program reads version {supported}")]
    Schema {
        /// Version in the record.
        found: u64,
        /// Version that can be read.
        supported: u32,
    },
    /// Not JSON, or a field is missing, unknown or of the wrong type.
    #[error("malformed record: {0}")]
    Malformed(#[from] serde_json::Error),
}

/// Reads any record that starts from a `schema_version`; the version is judged before the other fields.
pub(crate) fn read_versioned<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ReadError> {
    #[derive(Deserialize)]
    struct Version {
        schema_version: u64,
    }
    let Version { schema_version: found } = serde_json::from_slice(bytes)?;
    if found != u64::from(SCHEMA_VERSION) {
        return Err(ReadError::Schema { found, supported: SCHEMA_VERSION });
    }
    Ok(serde_json::from_slice(bytes)?)
}
