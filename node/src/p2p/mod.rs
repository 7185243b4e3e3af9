//! The network between nodes: libp2p with noise, yamux, gossipsub, identify, ping and request-response.
//!
//! | protocol | carries | bound |
//! |---|---|---|
//! | gossipsub `blocks`, `transactions` | new blocks and transactions, judged before they are passed on | [`GOSSIP_BYTES_MAX`] |
//! | gossipsub `agreement` | proposals with their blocks, and votes; on a chain with validators | [`GOSSIP_BYTES_MAX`] |
//! | request-response `/assay/sync/1` | status, ranges of blocks, peer addresses | [`REQUEST_BYTES_MAX`], [`RESPONSE_BYTES_MAX`] |
//! | ping | whether a peer is there; a silent one is disconnected and dialled again | one under way |
//! | identify | where a peer listens | 4 addresses a peer |
//!
//! Under malicious input: connections are limited in number and per peer, with places that only this node may fill, streams
//! per connection, messages in size and, per peer, in [`rates`]. Addresses that peers tell are tried before they are
//! believed or passed on, and none crowds out those of others. A peer that breaks rules gets [`scores`] until it is banned
//! for a while. What this module cannot do: it keeps no one from connecting with
//! ever new identities.

mod behaviour;
mod book;
mod codec;
mod driver;
pub mod rates;
pub mod scores;
pub mod wire;

pub use behaviour::{CONNECTIONS_PER_PEER_MAX, Topic, outgoing_reserved};
pub use book::KNOWN_PEERS_MAX;
pub use codec::{REQUEST_BYTES_MAX, REQUEST_READ_MAX, RESPONSE_BYTES_MAX};
pub use driver::{Driver, QUESTIONS_MAX, RANGES_MAX};

use crate::{
    chain::{Offence, Verdict, sync::Request},
    types::BLOCK_BYTES_MAX,
};
use libp2p::{Multiaddr, PeerId, gossipsub::MessageId, noise};

/// Commands that wait for the network task, at most; what is above is dropped and counted.
pub const COMMANDS_MAX: usize = 1024;
/// A gossip message with its topic.
pub const GOSSIP_BYTES_MAX: usize = BLOCK_BYTES_MAX + 4096;

/// A gossip message that waits for its verdict, and who passed it on.
#[derive(Clone, Debug)]
pub(crate) struct Gossip {
    pub id: MessageId,
    pub from: PeerId,
}

/// What the chain asks of the network.
#[derive(Debug)]
pub(crate) enum Command {
    /// Gossip this.
    Publish(Topic, Vec<u8>),
    /// Ask a peer.
    Ask(PeerId, Request),
    /// A peer broke a rule.
    Penalise(PeerId, Offence),
    /// What to do with a gossip message.
    Judge(Gossip, Verdict),
}

/// Why the network cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on: in use, or not this machine's.
    #[error("cannot listen on p2p.listen = {address}: {cause}")]
    Listen {
        /// The address.
        address: Multiaddr,
        /// What the transport said.
        cause: String,
    },
    /// The node's key cannot be used for noise.
    #[error("the node's key cannot be used: {0}")]
    Key(#[from] noise::Error),
    /// A protocol's settings are out of its bounds: a defect of this release.
    #[error("the network's settings are wrong: {0}")]
    Settings(String),
}
