//! The scenario file: its model, its strict reader, and the scenarios.
//!
//! ```text
//! text ── read ──> Scenario ── plan(seed) ──> Plan ──> a driver (simulator, processes, containers)
//!           │          every fault that the file names      every node and instant fixed
//!           └─ ScenarioError: file, line, column, what is wrong, what to do
//! ```
//!
//! Vocabulary: a *fault* is one `[[fault]]` table; its *action* is what it does; its *target* is the nodes it does it
//! to, named or left to the seed; its *window* is the time from its start to its end. A *plan* is a scenario with the
//! seed's choices made. The format is described in `README.md` of this folder.
//!
//! Invariants:
//! - A key that is not read is an error, so no setting is ever ignored.
//! - A scenario that was read has a plan for every seed; planning cannot fail.
//! - A plan is a function of the scenario and the seed alone.
//!
//! ```
//! # let text = "name = 'x'\nabout = 'y'\nconsensus = 'pow'\nnodes = 5\nduration = '9m'\n
//! # [[fault]]\nat = '1m'\nkill = 'one'\nrestart_after = '30s'";
//! let scenario = assay_scenarios::Scenario::parse("scenarios/x.toml", text)?;
//! for fault in scenario.plan(7).faults {
//!     println!("{} {} {}", fault.id, fault.kind, fault.detail);
//! }
//! # Ok::<(), assay_scenarios::ScenarioError>(())
//! ```
//!
//! Bounds: a file is at most [`limits::FILE_BYTES`] long; the nesting of its TOML is bounded by the `toml` crate. What
//! this crate cannot do: it applies nothing and knows no node, network or clock.

pub mod catalogue;
mod check;
mod clock;
mod disk;
mod draw;
pub mod drills;
mod duration;
mod error;
mod fault;
pub mod keys;
mod lie;
pub mod limits;
mod model;
mod plan;
mod read;
mod remedy;
mod units;

pub use catalogue::Summary;
pub use clock::ClockError;
pub use disk::{DiskDeed, FileKind, Files, Operations};
pub use duration::{format_duration, parse_duration};
pub use error::{Bounds, Form, Place, Problem, ScenarioError};
pub use fault::{Action, Fault, FaultId, LinkQuality, ProcessDeed, Size, Target};
pub use lie::{Lie, LieKind};
pub use model::{
    Chain, Consensus, Expect, ForkExpectation, Network, NodeSettings, ProgressExpectation, Scenario, Workload,
};
pub use plan::{Plan, PlannedAction, PlannedFault};
pub use units::{ByteSize, LatencyRange, Loss, NodeIndex, TransferRate};
