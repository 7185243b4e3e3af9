//! Which alerts a run has fired, by the word of the real `promtool`.
//!
//! ```text
//!   Scrapes ──> questions ──> promtool test rules ──> answers ──> Firing
//!   scenario's expectations ────────────────────────────────────────┴──> judge ──> Record
//! ```
//!
//! The rules are evaluated by Prometheus's own engine over the series of the run, at the interval of the scrapes. Nothing is
//! run here: whoever has `promtool` gives it the questions and hands in what it said.

mod judge;
mod promtool;

pub use judge::{Rule, Wanted, judge};
pub use promtool::{TestFile, answers, questions, tests};

use serde::{Deserialize, Serialize};

/// An alert of the rules that has fired.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Firing {
    /// The alert.
    pub name: String,
    /// Its severity: `page` wakes people.
    pub severity: String,
    /// The node, where it is of one.
    pub instance: Option<String>,
    /// When it first fired, in seconds since the run began.
    pub from: f64,
    /// When it was last seen firing.
    pub until: f64,
}

/// What `promtool` said is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("promtool's answer is not understood at: {0}")]
pub struct AnswerError(pub String);
