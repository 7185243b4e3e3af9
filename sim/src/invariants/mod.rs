//! What must hold in every run, one property a file.
//!
//! | property | says | module |
//! |---|---|---|
//! | agreement | no two nodes confirm different blocks at one height | [`agreement`] |
//! | validity | every block of every chain follows the rules, by a second reading of them | [`validity`] |
//! | state root | a node's stored state is what its confirmed headers commit to, and what the rules give | [`state_root`] |
//! | supply | tokens are neither made nor destroyed, but for the rewards | [`supply`] |
//! | finality | nothing that was confirmed is taken back | [`finality`] |
//! | noticed | a node notices damage to its files that is still there | [`noticed`] |
//! | served | what was confirmed is served as confirmed by every node's API | [`served`] |
//! | innocence | no honest validator is proved to have contradicted itself | [`innocence`] |
//! | no panic | no task panics, and no node stops by itself | [`no_panic`] |
//! | bounded | nothing in a node holds more than its named limit | [`bounded`] |
//! | liveness | after the last fault the nodes come together and confirm new blocks, in bounded time | [`liveness`] |
//!
//! A property sees [`Observation`]s, plain data that the run makes of what the nodes do. It knows no world and no node,
//! so a test gives it a bad one.

pub mod agreement;
pub mod bounded;
pub mod finality;
pub mod innocence;
pub mod ledger;
pub mod liveness;
pub mod no_panic;
pub mod noticed;
#[cfg(test)]
mod operators_tests;
pub mod served;
pub mod stakes;
pub mod state_root;
pub mod supply;
pub mod tasks;
#[cfg(test)]
pub(crate) mod tests;
#[cfg(test)]
mod validators_tests;
pub mod validity;

use assay_node::{
    Fill,
    crypto::{Address, Hash},
    ledger::{Account, Operators, Stakes},
    types::{Amount, Block, Height},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Something that a run saw. `node` counts from 0; `at` is virtual time.
#[derive(Clone, Debug)]
pub enum Observation<'a> {
    /// A block became part of a node's chain, on top of the one before.
    Block {
        /// The block's identifier, as the node says.
        hash: Hash,
        /// The block.
        block: &'a Block,
    },
    /// A node took blocks back.
    Reverted {
        /// The last height that stayed.
        fork: Height,
    },
    /// A node's store was set aside after damage, or taken away, and is built anew. The blocks above `fork` are missing for
    /// now; they were not taken back.
    Rebuilding {
        /// The last height that it still has.
        fork: Height,
    },
    /// Bytes of a node's files were damaged at rest.
    Damaged,
    /// A node has met damage in what it stores.
    Noticed,
    /// The run is over, and a byte of a node's files is still as the damage left it.
    StillDamaged {
        /// The file.
        path: &'a str,
        /// The byte's place in it.
        offset: u64,
    },
    /// A block became confirmed on a node.
    Confirmed {
        /// Its height.
        height: Height,
        /// Its identifier.
        hash: Hash,
        /// Identifiers of its transactions.
        transactions: &'a [Hash],
        /// The node's own state at that height; `None` when the node has taken the block back since.
        state: Option<&'a StoredState>,
    },
    /// A node stopped though nothing stopped it, or one of its tasks panicked.
    Failed {
        /// What it said.
        reason: &'a str,
    },
    /// A node's API was asked about a transaction that had been confirmed a while before.
    Answered {
        /// The transaction.
        id: Hash,
        /// Whether it was said to be confirmed.
        confirmed: bool,
        /// What was said.
        said: &'a str,
    },
    /// How full a node's queues, caches and tables are, as it says itself.
    Load {
        /// Each of them.
        fills: &'a [Fill],
    },
    /// The state of the cluster, at regular times.
    Sample(&'a Sample),
    /// The run is over. The canonical chains of all running nodes, by height.
    End {
        /// The last sample.
        sample: &'a Sample,
        /// Identifiers of all transactions in the chain of each running node.
        included: &'a BTreeMap<usize, BTreeSet<Hash>>,
    },
}

/// What a node's store says of its state at one height.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredState {
    /// Root of the stored tree.
    pub root: Hash,
    /// The stored record of tokens in circulation.
    pub supply: Amount,
    /// All accounts that the chain has touched.
    pub accounts: BTreeMap<Address, Account>,
    /// The stored record of bonds; empty on a chain without.
    pub stakes: Stakes,
    /// On a chain with operators.
    pub operators: Option<Operators>,
}

/// The cluster at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Height and confirmed height of each node; `None` when it does not run.
    pub nodes: Vec<Option<(Height, Height)>>,
    /// How long no fault has been on; `None` while one is, or is still to come.
    pub healed_for: Option<Duration>,
}

/// Whether an observation concerned a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// It was held against the property.
    Yes,
    /// It says nothing about it.
    No,
}

/// A property that does not hold, in one sentence with the figures.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Violation(pub String);

/// One property.
pub trait Invariant {
    /// Its name in reports.
    fn name(&self) -> &'static str;
    /// What it says, in one sentence.
    fn about(&self) -> &'static str;
    /// What was measured while it held, in one sentence, for properties that are about quantities.
    fn measured(&self) -> Option<String> {
        None
    }
    /// Holds one observation of `node` against the property.
    ///
    /// # Errors
    /// [`Violation`].
    fn check(&mut self, node: usize, seen: &Observation<'_>) -> Result<Checked, Violation>;
}
