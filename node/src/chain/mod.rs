//! The chain's core: which block is the head, which transactions wait, whom to ask for what. Sans-IO.
//!
//! [`Core`] is told what happened, with the time, and answers with [`Effect`]s for its driver to carry out. It never
//! waits, and changes its head only after the driver has said that the commit is durable.
//!
//! ```text
//!  block bytes -> Unverified -> HeaderChecked -> Verified -> tree -> (heavier?) execute -> Effect::Commit
//!                                                                        durable -> Core::committed -> new head
//! ```
//!
//! Under malicious input: a block costs its sender the work of its difficulty, or an operator's signature, before anything is
//! kept of it;
//! side branches, the mempool, the sync state and the set of known-bad blocks are bounded by named limits.

#[cfg(test)]
mod branch_tests;
mod build;
mod core;
mod effects;
pub mod mempool;
pub mod sync;
mod tree;
pub mod validation;

pub use self::core::{Core, Head, Settings, SubmitError};
pub use effects::{ChainEvent, Commit, CommitBlock, Effect, Offence, Source, Template, Verdict};
pub use tree::{BlockTree, REORG_DEPTH_MAX, Route, SIDE_BLOCKS_MAX, SIDE_BYTES_MAX, TREE_WINDOW};
