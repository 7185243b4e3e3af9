//! How the node is.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// How the node is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// The worst of the checks.
    pub status: HealthStatus,
    /// Its parts by name.
    pub checks: BTreeMap<String, Check>,
}

/// How one part of the node is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Check {
    /// How it is.
    pub status: HealthStatus,
    /// Why.
    pub detail: String,
}

/// Degrees of health, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// As it should be.
    Ok,
    /// It answers, and something is amiss.
    Degraded,
    /// It cannot do its work.
    Unavailable,
}
