//! The protocols of a node and their settings.

use super::{GOSSIP_BYTES_MAX, StartError, codec::SyncCodec};
use crate::{
    chain::sync::ANSWER_MS_MAX,
    types::{ChainId, Consensus},
};
use libp2p::{
    StreamProtocol, allow_block_list,
    connection_limits::{self, ConnectionLimits},
    gossipsub::{self, MessageAuthenticity, ValidationMode},
    identify, identity, ping,
    request_response::{self, ProtocolSupport},
    swarm::NetworkBehaviour,
};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// Connections to one peer: both may dial at once, and an old one may not have noticed its end.
const CONNECTIONS_PER_PEER_MAX: u32 = 3;
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
            Consensus::Pow => &[Topic::Blocks, Topic::Transactions],
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
            .with_max_established(Some(connections_max));
        let sync = request_response::Behaviour::with_codec(
            SyncCodec,
            [(StreamProtocol::new("/assay/sync/1"), ProtocolSupport::Full)],
            request_response::Config::default()
                .with_request_timeout(Duration::from_millis(ANSWER_MS_MAX))
                .with_max_concurrent_streams(REQUESTS_PER_CONNECTION_MAX),
        );
        let identify = identify::Config::new(format!("/assay/{chain}/1"), key.public())
            .with_agent_version(concat!("assay-node/", env!("CARGO_PKG_VERSION")).to_owned());
        Ok(Self {
            limits: connection_limits::Behaviour::new(limits),
            bans: allow_block_list::Behaviour::default(),
            gossip: gossip(chain, consensus)?,
            sync,
            identify: identify::Behaviour::new(identify),
            ping: ping::Behaviour::new(ping::Config::new().with_interval(PING).with_timeout(PING)),
        })
    }
}

/// Messages are known by their content, so that one block published by two nodes is one message, and are passed on only
/// once the chain has judged them. They carry no signature of their own: a block has its work, a transaction its sender's
/// signature, and whoever passes on a bad one answers for it.
fn gossip(chain: &ChainId, consensus: Consensus) -> Result<gossipsub::Behaviour, StartError> {
    let wrong = |error: &dyn std::fmt::Display| StartError::Settings(error.to_string());
    let config = gossipsub::ConfigBuilder::default()
        .validate_messages()
        .validation_mode(ValidationMode::Anonymous)
        .max_transmit_size(GOSSIP_BYTES_MAX)
        .message_id_fn(|message: &gossipsub::Message| {
            let mut hasher = Sha256::new();
            hasher.update(message.topic.as_str());
            hasher.update(&message.data);
            let digest: [u8; 32] = hasher.finalize().into();
            gossipsub::MessageId::from(digest.to_vec())
        })
        .build()
        .map_err(|error| wrong(&error))?;
    let mut gossip =
        gossipsub::Behaviour::new(MessageAuthenticity::Anonymous, config).map_err(|error| wrong(&error))?;
    for topic in Topic::of(consensus) {
        gossip.subscribe(&topic.on(chain)).map_err(|error| wrong(&error))?;
    }
    Ok(gossip)
}
