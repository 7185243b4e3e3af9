//! The requests of the users in a [`Record`](crate::Record): how long each took, and what became of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The requests of one outcome by kind, such as `submit`, and by the name of the node that was asked: `(sent, took)`, in
/// order of time. `sent` is seconds since the run began, `took` the seconds until the answer, or until the user gave up.
pub type Asked = BTreeMap<String, BTreeMap<String, Vec<(f64, f64)>>>;

/// The requests of a run whose outcome was known at its end. Of many a part is kept, spread evenly over all of its outcome.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requests {
    /// How many there were, kept or not.
    pub count: RequestCounts,
    /// Those that were answered.
    pub ok: Asked,
    /// Those that the node refused, or that could not be sent: certainly without effect.
    pub failed: Asked,
    /// Those that were sent and not answered: with an effect or not.
    pub unknown: Asked,
}

/// The requests of a run, by count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestCounts {
    /// Answered.
    pub ok: u64,
    /// Certainly without effect.
    pub failed: u64,
    /// With an effect or not.
    pub unknown: u64,
}

impl RequestCounts {
    /// All of them.
    pub(crate) fn total(self) -> u64 {
        self.ok.saturating_add(self.failed).saturating_add(self.unknown)
    }
}

/// The requests of one outcome in order of time, without those whose numbers are not finite.
pub(crate) fn in_order(asked: &Asked) -> Vec<(f64, f64)> {
    let all = asked.values().flat_map(BTreeMap::values).flatten().copied();
    let mut finite: Vec<(f64, f64)> = all.filter(|(sent, took)| sent.is_finite() && took.is_finite()).collect();
    finite.sort_by(|a, b| a.0.total_cmp(&b.0));
    finite
}
