//! Merging of shards.
//!
//! Shards may overlap, which is a determinism check for free: the same scenario and seed must have the same trace.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::{SweepRecord, SweepRun};
use crate::record::{SCHEMA_VERSION, Verdict};
use crate::text::short;

/// Merges shards into one record with its runs ordered by scenario and seed. The result has no shard, and does not
/// depend on the order of `records` except for which of two equal runs lends its wall time.
///
/// A run found twice is kept once, and so is a scenario that several shards could not run. If its traces differ, or its verdicts do under one trace, it becomes
/// nondeterministic. A run that could not be carried out proves nothing and yields to one that was.
///
/// # Errors
/// [`MergeError`] if there is nothing to merge or the records do not belong together.
pub fn merge(records: Vec<SweepRecord>) -> Result<SweepRecord, MergeError> {
    let git_rev = records.first().ok_or(MergeError::Empty)?.git_rev.clone();
    let mut runs: BTreeMap<(String, u64), SweepRun> = BTreeMap::new();
    let mut not_run = BTreeSet::new();
    for record in records {
        if record.schema_version != SCHEMA_VERSION {
            return Err(MergeError::Schema { found: record.schema_version, supported: SCHEMA_VERSION });
        }
        if record.git_rev != git_rev {
            return Err(MergeError::Revision { expected: git_rev, found: record.git_rev });
        }
        not_run.extend(record.not_run);
        for run in record.runs {
            match runs.entry((run.scenario.clone(), run.seed)) {
                Entry::Vacant(slot) => {
                    slot.insert(run);
                }
                Entry::Occupied(mut slot) => combine(slot.get_mut(), run),
            }
        }
    }
    Ok(SweepRecord {
        schema_version: SCHEMA_VERSION,
        git_rev,
        shard: None,
        runs: runs.into_values().collect(),
        not_run: not_run.into_iter().collect(),
    })
}

/// Why records cannot be merged.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum MergeError {
    /// No record was given.
    #[error("no sweep record to merge")]
    Empty,
    /// A record has a schema that this crate does not merge.
    #[error("sweep record has schema version {found}, this program reads version {supported}")]
    Schema {
        /// Version in the record.
        found: u32,
        /// Version that can be merged.
        supported: u32,
    },
    /// The records come from different sources, so that their traces may differ rightly.
    #[error("sweep records of different revisions: {expected} and {found}")]
    Revision {
        /// Revision of the first record.
        expected: String,
        /// Revision of the offending record.
        found: String,
    },
}

fn combine(kept: &mut SweepRun, other: SweepRun) {
    let failure = match (kept.verdict, other.verdict) {
        (Verdict::Nondeterministic, _) | (_, Verdict::Infrastructure) => return,
        (Verdict::Infrastructure, _) | (_, Verdict::Nondeterministic) => {
            *kept = other;
            return;
        }
        _ if kept.trace_hash != other.trace_hash => {
            let (a, b) = ordered(short(&kept.trace_hash), short(&other.trace_hash));
            format!("two runs of one seed have different traces: {a} and {b}")
        }
        (a, b) if a != b => {
            let (a, b) = ordered(a, b);
            format!("two runs of one seed have one trace and different verdicts: {a} and {b}")
        }
        _ => return,
    };
    kept.verdict = Verdict::Nondeterministic;
    kept.failure = Some(failure);
}

fn ordered<T: Ord>(a: T, b: T) -> (T, T) {
    if a <= b { (a, b) } else { (b, a) }
}
