//! What two nodes must have in common to understand each other, below everything that one of them decides: how a connection
//! is secured and shared, and the protocols' names and settings. Whoever speaks to a node without being one starts here.

use super::GOSSIP_BYTES_MAX;
use crate::{seams::RawTransport, types::ChainId};
use libp2p::{
    PeerId, StreamProtocol, Transport,
    core::{muxing::StreamMuxerBox, transport::Boxed, upgrade},
    gossipsub::{self, ValidationMode},
    identify, identity, noise, yamux,
};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// The protocol of [`Request`](crate::chain::sync::Request) and [`Response`](crate::chain::sync::Response): one borsh value
/// each way, after which its sender closes its side of the stream.
pub const SYNC_PROTOCOL: StreamProtocol = StreamProtocol::new("/assay/sync/1");

/// Time for a connection to be set up, handshakes included.
pub const CONNECT_MAX: Duration = Duration::from_secs(10);

/// Streams of one connection, of all protocols: gossip and identify have a few, sync 16 each way, and what is closed lingers.
pub const STREAMS_PER_CONNECTION_MAX: usize = 128;

/// Messages of gossip that wait for one slow peer; further ones to it are dropped.
pub const GOSSIP_QUEUE_MAX: usize = 512;

/// Adds noise and yamux to a transport of plain byte streams.
///
/// # Errors
/// When `key` cannot sign for noise.
pub fn secure(
    transport: RawTransport,
    key: &identity::Keypair,
) -> Result<Boxed<(PeerId, StreamMuxerBox)>, noise::Error> {
    let mut streams = yamux::Config::default();
    streams.set_max_num_streams(STREAMS_PER_CONNECTION_MAX);
    let transport = transport
        .upgrade(upgrade::Version::V1Lazy)
        .authenticate(noise::Config::new(key)?)
        .multiplex(streams)
        .timeout(CONNECT_MAX);
    Ok(transport.boxed())
}

/// Settings of gossip. Messages are known by their content, so that one block published by two nodes is one message, and
/// are passed on only once the chain has judged them. They carry no signature of their own: a block has its work, a
/// transaction its sender's signature, and whoever passes on a bad one answers for it.
pub fn gossip_settings() -> gossipsub::ConfigBuilder {
    let mut settings = gossipsub::ConfigBuilder::default();
    settings
        .validate_messages()
        .validation_mode(ValidationMode::Anonymous)
        .max_transmit_size(GOSSIP_BYTES_MAX)
        .connection_handler_queue_len(GOSSIP_QUEUE_MAX)
        .message_id_fn(|message: &gossipsub::Message| {
            let mut hasher = Sha256::new();
            hasher.update(message.topic.as_str());
            hasher.update(&message.data);
            let digest: [u8; 32] = hasher.finalize().into();
            gossipsub::MessageId::from(digest.to_vec())
        });
    settings
}

/// Settings of identify for a member of `chain`.
pub fn identify_settings(chain: &ChainId, key: &identity::Keypair) -> identify::Config {
    identify::Config::new(format!("/assay/{chain}/1"), key.public())
        .with_agent_version(concat!("assay-node/", env!("CARGO_PKG_VERSION")).to_owned())
}
