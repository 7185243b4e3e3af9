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
//! kept of it; side branches, blocks from the future, the mempool, the sync state and the set of known-bad blocks are bounded
//! by named limits.

mod build;
mod core;
mod early;
mod effects;
pub mod mempool;
mod reversals;
pub mod sync;
#[cfg(test)]
mod tests;
mod tree;
pub mod validation;
mod wrong;

pub use self::core::{Core, Head, Settings, SubmitError};
pub use early::{EARLY_BLOCKS_MAX, EARLY_BLOCKS_PEER_MAX, EARLY_BYTES_MAX, EARLY_WAIT_MS_MAX};
pub use effects::{ChainEvent, Commit, CommitBlock, Effect, Offence, Source, Template, Verdict};
pub use reversals::{REVERTED_SHOWN_MS, Reversals, Reverted};
pub use tree::{BlockTree, REORG_DEPTH_MAX, Route, SIDE_BLOCKS_MAX, SIDE_BYTES_MAX, TREE_WINDOW};
