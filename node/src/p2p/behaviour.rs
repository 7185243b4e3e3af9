//! The protocols of a node and their settings.

use super::{StartError, codec::SyncCodec, wire};
use crate::{
    chain::sync::ANSWER_MS_MAX,
    types::{ChainId, Consensus},
};
use libp2p::{
    allow_block_list,
    connection_limits::{self, ConnectionLimits},
    gossipsub::{self, MessageAuthenticity},
    identify, identity, ping,
    request_response::{self, ProtocolSupport},
    swarm::NetworkBehaviour,
};
use std::time::Duration;

/// Connections to one peer: both may dial at once, and an old one may not have noticed its end.
pub const CONNECTIONS_PER_PEER_MAX: u32 = 3;
/// Of so many connections, those that only this node itself may open. Whoever connects to it under many names fills the
/// others, and it still reaches the peers that it chooses. None where there is one place only.
pub fn outgoing_reserved(connections_max: u32) -> u32 {
    (connections_max / OUTGOING_PART).max(1).min(connections_max.saturating_sub(1))
}

/// A quarter: with the default limit, 16 peers of one's own choice are enough for gossip's mesh of 6.
const OUTGOING_PART: u32 = 4;
/// Connections that are being set up, in each direction.
const PENDING_MAX: u32 = 32;
/// Requests under way on one connection.
const REQUESTS_PER_CONNECTION_MAX: usize = 16;
/// How often a peer is pinged, and how long it may take to answer.
const PING: Duration = Duration::from_secs(10);

/// What is gossiped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// New blocks.
    Blocks,
    /// New transactions.
    Transactions,
    /// Proposals and votes, on a chain with validators.
    Agreement,
}

impl Topic {
    /// The topics of a chain.
    pub fn of(consensus: Consensus) -> &'static [Topic] {
        match consensus {
            Consensus::Pow | Consensus::Poot => &[Topic::Blocks, Topic::Transactions],
            // A block is made known by the agreement on it.
            Consensus::Pos => &[Topic::Transactions, Topic::Agreement],
        }
    }

    /// The topic's name on the wire; each chain has its own.
    pub fn on(self, chain: &ChainId) -> gossipsub::IdentTopic {
        gossipsub::IdentTopic::new(match self {
            Topic::Blocks => format!("/assay/{chain}/blocks/1"),
            Topic::Transactions => format!("/assay/{chain}/transactions/1"),
            Topic::Agreement => format!("/assay/{chain}/agreement/1"),
        })
    }
}

/// All protocols of a node.
#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    pub limits: connection_limits::Behaviour,
    pub bans: allow_block_list::Behaviour<allow_block_list::BlockedPeers>,
    pub gossip: gossipsub::Behaviour,
    pub sync: request_response::Behaviour<SyncCodec>,
    pub identify: identify::Behaviour,
    pub ping: ping::Behaviour,
}

impl Behaviour {
    pub fn new(
        key: &identity::Keypair,
        chain: &ChainId,
        consensus: Consensus,
        connections_max: u32,
    ) -> Result<Self, StartError> {
        let limits = ConnectionLimits::default()
            .with_max_pending_incoming(Some(PENDING_MAX))
            .with_max_pending_outgoing(Some(PENDING_MAX))
            .with_max_established_per_peer(Some(CONNECTIONS_PER_PEER_MAX))
            .with_max_established(Some(connections_max))
            .with_max_established_incoming(Some(connections_max - outgoing_reserved(connections_max)));
        let sync = request_response::Behaviour::with_codec(
            SyncCodec,
            [(wire::SYNC_PROTOCOL, ProtocolSupport::Full)],
            request_response::Config::default()
                .with_request_timeout(Duration::from_millis(ANSWER_MS_MAX))
                .with_max_concurrent_streams(REQUESTS_PER_CONNECTION_MAX),
        );
        Ok(Self {
            limits: connection_limits::Behaviour::new(limits),
            bans: allow_block_list::Behaviour::default(),
            gossip: gossip(chain, consensus)?,
            sync,
            identify: identify::Behaviour::new(wire::identify_settings(chain, key)),
            ping: ping::Behaviour::new(ping::Config::new().with_interval(PING).with_timeout(PING)),
        })
    }
}

fn gossip(chain: &ChainId, consensus: Consensus) -> Result<gossipsub::Behaviour, StartError> {
    let wrong = |error: &dyn std::fmt::Display| StartError::Settings(error.to_string());
    let config = wire::gossip_settings().build().map_err(|error| wrong(&error))?;
    let mut gossip =
        gossipsub::Behaviour::new(MessageAuthenticity::Anonymous, config).map_err(|error| wrong(&error))?;
    for topic in Topic::of(consensus) {
        gossip.subscribe(&topic.on(chain)).map_err(|error| wrong(&error))?;
    }
    Ok(gossip)
}
