//! The record of a sweep: many runs, scenarios by seeds, one shard or several merged.

mod merge;
mod render;

use serde::{Deserialize, Serialize};

use crate::figures::Figures;
use crate::record::{ReadError, Record, Verdict, read_versioned};

pub use merge::{MergeError, merge};
pub use render::{json, junit, markdown};

/// The runs of a sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepRecord {
    /// Version of this format: [`SCHEMA_VERSION`](crate::SCHEMA_VERSION).
    pub schema_version: u32,
    /// Source revision of the node and the simulator.
    pub git_rev: String,
    /// The part of the sweep this is, as `i/n`; `None` for the whole.
    pub shard: Option<String>,
    /// The runs.
    pub runs: Vec<SweepRun>,
}

/// One run of a sweep: the key figures of its [`Record`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepRun {
    /// Name of the scenario.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// Outcome.
    pub verdict: Verdict,
    /// Length in virtual time.
    pub virtual_seconds: f64,
    /// Length on the machine's clock.
    pub wall_seconds: f64,
    /// [`Record::trace_hash`].
    pub trace_hash: String,
    /// Most blocks undone by one reorganisation on any node.
    pub reorg_depth_max: u64,
    /// Confirmed transactions lost.
    pub lost: u64,
    /// Slowest recovery in seconds; `None` without a fault or without recovery.
    pub rto_worst: Option<f64>,
    /// Why the verdict is not `passed`, in one line.
    pub failure: Option<String>,
    /// The command that runs it again.
    pub reproduce: String,
}

impl SweepRecord {
    /// Reads `sweep.json`, as strictly as [`Record::read`].
    ///
    /// # Errors
    /// [`ReadError`], as for a single run.
    pub fn read(bytes: &[u8]) -> Result<Self, ReadError> {
        read_versioned(bytes)
    }

    /// Outcome of the whole: nondeterminism outweighs a violation, as it makes every other verdict worthless; a
    /// violation outweighs a run that could not be carried out. An empty sweep passes.
    pub fn verdict(&self) -> Verdict {
        [Verdict::Nondeterministic, Verdict::Violated, Verdict::Infrastructure]
            .into_iter()
            .find(|verdict| self.runs.iter().any(|run| run.verdict == *verdict))
            .unwrap_or(Verdict::Passed)
    }
}

impl From<&Record> for SweepRun {
    fn from(record: &Record) -> Self {
        let figures = Figures::of(record);
        SweepRun {
            scenario: record.scenario.clone(),
            seed: record.seed,
            verdict: record.verdict,
            virtual_seconds: record.virtual_seconds,
            wall_seconds: record.wall_seconds,
            trace_hash: record.trace_hash.clone(),
            reorg_depth_max: figures.reorg_depth_max,
            lost: record.workload.lost,
            rto_worst: figures.rto_worst.seconds(),
            failure: record.failure.clone(),
            reproduce: record.reproduce.clone(),
        }
    }
}
