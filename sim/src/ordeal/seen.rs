//! What is seen of a node from outside or from within, wherever it runs.

use crate::invariants::StoredState;
use assay_node::{
    StorageState,
    chain::ChainEvent,
    crypto::{Address, Hash},
    types::{Block, Consensus, Height},
};
use std::{collections::BTreeSet, sync::Arc};

/// Something that a node's chain did.
#[derive(Clone, Debug)]
pub enum Seen {
    /// Its chain was read: it has started, has reported more at once than a listener can take, or can be seen from outside
    /// only.
    Read {
        /// Up to here it is as it was seen before.
        fork: Height,
        /// The blocks above, the lowest first.
        blocks: Vec<Arc<Block>>,
        /// The highest confirmed height.
        confirmed: Height,
        /// Whether the node says that its store lost blocks and gets them back, or its data directory was taken away: then
        /// what is missing was not taken back.
        rebuilding: bool,
    },
    /// It reported an event; a new head comes with its block, unless that was taken back in the same step.
    Event(ChainEvent, Option<Arc<Block>>),
}

/// What one node showed at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// How often it was started.
    pub starts: u64,
    /// Height of its head.
    pub height: Height,
    /// Its highest confirmed height.
    pub confirmed: Height,
    /// Connected peers.
    pub peers: u64,
    /// Transactions that wait.
    pub mempool: u64,
    /// What its storage can do.
    pub storage: StorageState,
    /// What its storage has met since it was started.
    pub met: Met,
    /// Blocks and transactions that came from peers since it was started.
    pub received: u64,
}

/// What a node's storage has met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Met {
    /// Damage to what is stored.
    pub damage: u64,
    /// Damage, failures, and times without space or speed.
    pub all: u64,
}

/// A node at the end of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Last {
    /// Height of its head; 0 when it does not run.
    pub height: Height,
    /// Its highest confirmed height.
    pub confirmed: Height,
    /// Its head; none when it does not run.
    pub head: Option<Hash>,
    /// How often it was started.
    pub starts: u64,
}

/// A look into a running node's store, for a harness that can.
pub trait Inside {
    /// The state that it stores for the block `hash` at `height`, with these accounts. None when it does not have that
    /// block on its chain any more, or cannot be asked.
    fn state(
        &mut self,
        height: Height,
        hash: &Hash,
        accounts: &BTreeSet<Address>,
        consensus: Consensus,
    ) -> Option<StoredState>;
}

/// A node that is seen from outside only.
#[derive(Clone, Copy, Debug)]
pub struct Outside;

impl Inside for Outside {
    fn state(&mut self, _: Height, _: &Hash, _: &BTreeSet<Address>, _: Consensus) -> Option<StoredState> {
        None
    }
}
