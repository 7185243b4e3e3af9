//! The run record and its renderers: serde in, bytes out.
//!
//! A run of a scenario leaves one [`Record`], the file `report.json`. Everything a person or a CI system reads is
//! rendered from it by a pure function in [`render`]; the summary of many runs is a [`sweep::SweepRecord`].
//!
//! ```text
//! run -> Record -> report.json   -> Record::read -> diff, replay, render again
//!             `--> summary.md, junit.xml, report.html, plots/*.svg
//! ```
//!
//! ```no_run
//! # fn finish(record: assay_reports::Record) -> Result<u8, assay_reports::WriteError> {
//! assay_reports::write_all("out/partition-heal-7".as_ref(), &record)?;
//! println!("{}", assay_reports::render::line(&record));
//! Ok(record.verdict.exit_code())
//! # }
//! ```
//!
//! Vocabulary: *virtual time* is the simulated clock, in seconds since the run began; *wall time* is the machine's.
//! *RTO* is the time from a fault's end until the cluster is whole again; *RPO* is what was lost, in confirmed
//! transactions.
//!
//! Invariants: the same record renders to the same bytes on any machine; all text from a record is escaped; no output
//! refers to anything outside itself. Only [`files`] touches the file system.

pub mod alerts;
pub mod baseline;
pub mod drills;
mod figures;
pub mod files;
pub mod parity;
mod parts;
mod record;
pub mod render;
mod requests;
pub mod scrapes;
pub mod sweep;
#[cfg(test)]
mod tests;
mod text;

pub use figures::{Figures, Rto};
pub use files::{WriteError, write_all, write_parity, write_sweep};
pub use parts::{
    Alert, AlertStatus, Event, Expectation, Fault, Invariant, InvariantStatus, Node, Recovery, ScenarioFile, Series,
    Step, StepKind, TraceHash, Workload,
};
pub use record::{ReadError, Record, SCHEMA_VERSION, Verdict};
pub use requests::{Asked, RequestCounts, Requests};
