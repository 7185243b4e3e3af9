//! The record of a sweep: many runs, scenarios by seeds, one shard or several merged.

mod merge;
mod page;
mod regress;
mod render;

use serde::{Deserialize, Serialize};

use crate::figures::{Figures, sentence};
use crate::record::{ReadError, Record, Verdict, read_versioned};
use crate::text::one_line;

pub use merge::{MergeError, merge};
pub use page::html;
pub use regress::{Change, Comparison, Tolerance, comment, compare};
pub use render::{json, junit, line, line_in_color, markdown};

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
    /// What was asked for and not run.
    pub not_run: Vec<NotRun>,
}

/// A scenario that a sweep could not run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotRun {
    /// Name or file of the scenario.
    pub scenario: String,
    /// Why, in one line.
    pub reason: String,
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
    /// Why the verdict is not `passed`, in one line.
    pub failure: Option<String>,
    /// [`Record::trace_hash`].
    pub trace_hash: String,
    /// Length in virtual time.
    pub virtual_seconds: f64,
    /// Length on the machine's clock.
    pub wall_seconds: f64,
    /// The command that runs it again.
    pub reproduce: String,
    /// Confirmed transactions lost.
    pub finalized_lost: u64,
    /// Most blocks undone by one reorganisation on any node.
    pub reorg_depth_max: u64,
    /// Slowest recovery in seconds; `None` without a fault or without recovery.
    pub rto: Option<f64>,
    /// [`Figures::finality_lag`].
    pub finality_lag: Option<f64>,
    /// Folder of its report, from where the sweep's record is; `None` where none was kept.
    pub report: Option<String>,
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
    /// violation outweighs a run that could not be carried out, and so does a scenario that was not run at all. An
    /// empty sweep passes. [`Verdict::exit_code`] of it is the sweep's exit status.
    pub fn verdict(&self) -> Verdict {
        let not_run = self.not_run.first().map(|_| Verdict::Infrastructure);
        let verdicts = self.runs.iter().map(|run| run.verdict).chain(not_run);
        verdicts.max_by_key(|verdict| weight(*verdict)).unwrap_or(Verdict::Passed)
    }
}

/// Rank of a verdict among those of a sweep.
fn weight(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Passed => 0,
        Verdict::Infrastructure => 1,
        Verdict::Violated => 2,
        Verdict::Nondeterministic => 3,
    }
}

impl From<&Record> for SweepRun {
    fn from(record: &Record) -> Self {
        let figures = Figures::of(record);
        SweepRun {
            scenario: record.scenario.clone(),
            seed: record.seed,
            verdict: record.verdict,
            failure: (record.verdict != Verdict::Passed).then(|| one_line(&sentence(record))),
            trace_hash: record.trace_hash.clone(),
            virtual_seconds: record.virtual_seconds,
            wall_seconds: record.wall_seconds,
            reproduce: record.reproduce.clone(),
            finalized_lost: record.workload.lost,
            reorg_depth_max: figures.reorg_depth_max,
            rto: figures.rto_worst.seconds(),
            finality_lag: figures.finality_lag,
            report: None,
        }
    }
}
