//! A liar's side of the wire: the node's own protocols ([`assay_node::p2p::wire`]), with bytes in the place of messages, so
//! that a liar can say anything, in any pieces, at any pace.

use assay_node::{
    p2p::{Topic, wire},
    seams::raw_transport,
    types::{ChainId, Consensus},
};
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::{
    StreamProtocol, Swarm,
    gossipsub::{self, MessageAuthenticity},
    identify, identity, ping,
    request_response::{self, ProtocolSupport},
    swarm::{self, NetworkBehaviour},
};
use std::{io, time::Duration};

/// Bytes that a liar reads of one message: more than any honest one has.
const READ_MAX: u64 = 4 << 20;
/// Requests of a liar on one connection at a time: far more than a node takes.
const STREAMS_MAX: usize = 1000;
/// A liar waits for longer than any node.
const PATIENCE: Duration = Duration::from_secs(3600);
/// A liar remembers nothing of what it has sent, and sends it again.
const MEMORY: Duration = Duration::from_millis(1);

/// Bytes, and how they are sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    pub bytes: Vec<u8>,
    /// Time after each byte; `None` sends all at once.
    pub pace: Option<Duration>,
}

impl From<Vec<u8>> for Said {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, pace: None }
    }
}

/// All protocols of a liar.
#[derive(NetworkBehaviour)]
pub(super) struct Wire {
    pub gossip: gossipsub::Behaviour,
    pub sync: request_response::Behaviour<Codec>,
    pub identify: identify::Behaviour,
    pub ping: ping::Behaviour,
}

/// A swarm that speaks to the nodes of `chain` under the name of `key`, on the running host's network.
pub(super) fn swarm(key: &identity::Keypair, chain: &ChainId, consensus: Consensus) -> Swarm<Wire> {
    let transport = wire::secure(raw_transport(crate::net::Tcp::default()), key).expect("an ed25519 key signs");
    let settings = wire::gossip_settings().duplicate_cache_time(MEMORY).build().expect("the node's own settings");
    let mut gossip = gossipsub::Behaviour::new(MessageAuthenticity::Anonymous, settings).expect("the same");
    for topic in Topic::of(consensus) {
        gossip.subscribe(&topic.on(chain)).expect("nothing refuses a topic");
    }
    let settings =
        request_response::Config::default().with_request_timeout(PATIENCE).with_max_concurrent_streams(STREAMS_MAX);
    let behaviour = Wire {
        gossip,
        sync: request_response::Behaviour::with_codec(Codec, [(wire::SYNC_PROTOCOL, ProtocolSupport::Full)], settings),
        identify: identify::Behaviour::new(wire::identify_settings(chain, key)),
        ping: ping::Behaviour::new(ping::Config::new()),
    };
    let settings = swarm::Config::with_tokio_executor().with_idle_connection_timeout(PATIENCE);
    Swarm::new(transport, behaviour, key.public().to_peer_id(), settings)
}

/// Reads and writes bytes as they are.
#[derive(Clone, Debug, Default)]
pub(super) struct Codec;

async fn read(io: &mut (impl AsyncRead + Unpin + Send)) -> io::Result<Said> {
    let mut bytes = Vec::new();
    io.take(READ_MAX).read_to_end(&mut bytes).await?;
    Ok(bytes.into())
}

async fn write(io: &mut (impl AsyncWrite + Unpin + Send), said: Said) -> io::Result<()> {
    match said.pace {
        None => io.write_all(&said.bytes).await?,
        Some(pace) => {
            for byte in said.bytes {
                io.write_all(&[byte]).await?;
                io.flush().await?;
                tokio::time::sleep(pace).await;
            }
        }
    }
    io.close().await
}

impl request_response::Codec for Codec {
    type Protocol = StreamProtocol;
    type Request = Said;
    type Response = Said;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Said>
    where
        T: AsyncRead + Unpin + Send,
    {
        read(io).await
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Said>
    where
        T: AsyncRead + Unpin + Send,
    {
        read(io).await
    }

    async fn write_request<T>(&mut self, _: &StreamProtocol, io: &mut T, said: Said) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, said).await
    }

    async fn write_response<T>(&mut self, _: &StreamProtocol, io: &mut T, said: Said) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, said).await
    }
}
