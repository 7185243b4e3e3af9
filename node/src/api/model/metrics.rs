//! What the node counts.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// All metrics.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MetricsInfo {
    /// The metrics by name.
    pub metrics: BTreeMap<String, Metric>,
}

/// One metric with all its samples.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Metric {
    /// `counter`, `gauge` or `histogram`.
    pub kind: String,
    /// What it is.
    pub help: String,
    /// Its samples.
    pub samples: Vec<Sample>,
}

/// One number.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Sample {
    /// The metric's name, with the suffix of its part: `_total`, `_bucket`, `_sum`, `_count`.
    pub name: String,
    /// What it is of.
    pub labels: BTreeMap<String, String>,
    /// The number; none when it is not finite.
    pub value: Option<f64>,
}
