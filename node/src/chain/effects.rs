//! What the core asks of its driver, and what it reports.

use super::{sync::Request, tree::Route};
use crate::{
    crypto::Hash,
    ledger::StateUpdate,
    types::{Block, Difficulty, Header, Height, Transaction, Work},
};
use libp2p::PeerId;
use std::sync::Arc;

/// Something for the driver to do, in the order given.
#[derive(Debug)]
pub enum Effect {
    /// Write this atomically and durably, then call [`super::Core::committed`]. No other input may come in between.
    Commit(Box<Commit>),
    /// Gossip a block of our own.
    PublishBlock(Arc<Block>),
    /// Gossip a transaction that was submitted here.
    PublishTransaction(Box<Transaction>),
    /// Ask a peer; the answer or its failure comes back as an input.
    Ask(PeerId, Request),
    /// A peer broke a rule.
    Penalise(PeerId, Offence),
    /// What the miner should work on from now on; `None` to rest.
    Mine(Option<Arc<Template>>),
    /// Tell whoever listens.
    Notify(ChainEvent),
}

/// Where a block or a transaction came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// This node's miner, or a client of its API.
    Local,
    /// A peer, by gossip or as the answer to a request.
    Peer(PeerId),
    /// A database that this node had before, whose blocks are taken over.
    Salvage,
    /// The validators, this node perhaps among them, have agreed on it.
    Agreement,
}

/// What gossip should do with a message: pass it on, drop it, or drop it and blame the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Good and new.
    Accept,
    /// Known, too early to tell, or our own fault.
    Ignore,
    /// Against the rules.
    Reject,
}

/// What a peer did wrong; the driver turns it into a score.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offence {
    /// A block against the rules.
    InvalidBlock(String),
    /// A transaction against the rules.
    InvalidTransaction(String),
    /// No answer in time, or one to another question.
    UselessAnswer(String),
    /// A proposal or a vote against the rules.
    InvalidBallot(String),
    /// Bytes that are no message of the protocol.
    Malformed(String),
    /// More messages than it may send in a time.
    Flood(&'static str),
    /// A message that it began and did not finish in time.
    Stalled,
    /// A member of another chain.
    OtherChain,
}

/// One atomic change of the chain: blocks to add, after those above `route.fork` are taken back.
#[derive(Clone, Debug)]
pub struct Commit {
    /// Where the new branch leaves the canonical chain.
    pub route: Route,
    /// The branch, the lowest first, with what each changes in the state.
    pub blocks: Vec<CommitBlock>,
}

/// A block with what to store for it.
#[derive(Clone, Debug)]
pub struct CommitBlock {
    /// Its identifier.
    pub hash: Hash,
    /// The block.
    pub block: Arc<Block>,
    /// Work of the chain up to it.
    pub work: Work,
    /// Its changes of the state.
    pub update: StateUpdate,
}

/// A block that lacks only its seal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Digest of the header without the seal.
    pub unsealed: Hash,
    /// Difficulty the seal must meet.
    pub difficulty: Difficulty,
    /// The header, with a seal to be replaced.
    pub header: Header,
    /// The transactions.
    pub transactions: Vec<Transaction>,
}

/// Something that happened to the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChainEvent {
    /// This node sealed a block.
    Produced {
        /// Its height.
        height: Height,
        /// Its identifier.
        hash: Hash,
    },
    /// Blocks were taken back; the next [`ChainEvent::Head`] says what replaced them.
    Reorganised {
        /// Blocks taken back.
        depth: u64,
        /// The last block that stayed.
        fork: Height,
        /// The head before.
        old_head: Hash,
    },
    /// Blocks that were confirmed are among those of the [`ChainEvent::Reorganised`] before.
    ConfirmedReverted {
        /// The last block that stayed.
        fork: Height,
        /// The highest height that had been confirmed.
        confirmed: Height,
    },
    /// A block was added; one event for each block.
    Head {
        /// Its height.
        height: Height,
        /// Its identifier.
        hash: Hash,
        /// Identifiers of its transactions.
        transactions: Vec<Hash>,
    },
    /// The chain was read again from the store, which was opened again or is built anew: what was known of it no longer
    /// counts.
    Reloaded {
        /// The head that it has now.
        height: Height,
        /// Whether the store has lost blocks that it had, and gets them back.
        rebuilding: bool,
    },
    /// Everything up to here is confirmed.
    Confirmed {
        /// The highest confirmed height.
        height: Height,
        /// The block there.
        hash: Hash,
    },
}
