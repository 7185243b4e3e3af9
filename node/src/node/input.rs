//! What the chain task is told.

use super::view::SubmitFailure;
use crate::{
    chain::{Template, sync::Status},
    consensus::{
        poot::{Answer, Asking},
        pos::Message,
    },
    crypto::{Address, Hash},
    p2p::Gossip,
    types::{Block, Nonce, Seal, Transaction},
};
use libp2p::PeerId;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Inputs that wait for the chain task, at most. Peers and clients wait or are refused beyond it.
pub const INPUTS_MAX: usize = 1024;

/// One input of the chain task.
#[derive(Debug)]
pub(crate) enum Input {
    /// A first connection to a peer.
    Connected(PeerId),
    /// The last connection to a peer is closed.
    Disconnected(PeerId),
    /// A peer told its status.
    Status(PeerId, Status),
    /// A question to a peer got no answer.
    Unanswered(PeerId),
    /// The answer to a range request.
    Range(PeerId, Vec<Block>),
    /// A block by gossip.
    GossipBlock(Gossip, Box<Block>),
    /// A transaction by gossip.
    GossipTransaction(Gossip, Box<Transaction>),
    /// A proposal or a vote by gossip.
    GossipAgreement(Gossip, Box<Message>),
    /// An operator asks this node to be its witness; so many bytes have come from it since it was last told.
    Asking { peer: PeerId, asking: Box<Asking>, received: u64, reply: oneshot::Sender<Answer> },
    /// A peer has said what it is the witness of.
    Witnessed(PeerId, Box<Answer>),
    /// The miner found a seal.
    Sealed(Arc<Template>, Seal),
    /// A client's transaction.
    Submit { transaction: Box<Transaction>, reply: oneshot::Sender<Result<Hash, SubmitFailure>> },
    /// Is this transaction waiting?
    Waiting { id: Hash, reply: oneshot::Sender<Option<Transaction>> },
    /// Which nonce is free?
    NextNonce { sender: Address, account: Nonce, reply: oneshot::Sender<Nonce> },
}
