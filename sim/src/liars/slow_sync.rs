//! Streams and connections of the peer protocol that are opened, get a byte now and then, and never finish.

use super::{Answer, Deed, Liar, wire::Said};
use crate::net::TcpStream;
use assay_node::chain::sync::Request;
use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};
use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use tokio::io::AsyncWriteExt;

/// Streams to each peer that are opened at a time.
const STREAMS: usize = 20;
/// Connections to each peer that are opened at a time, and never say who they are.
const CONNECTIONS: usize = 20;
/// Time after each byte.
const PACE: Duration = Duration::from_secs(1);
/// Bytes of a message that nobody waits for to its end: more than an hour's.
const BYTES: usize = 4000;

pub(super) struct SlowSync;

impl Deed for SlowSync {
    fn every(&self) -> Duration {
        Duration::from_secs(5)
    }

    fn act(&mut self, liar: &mut Liar) {
        for peer in liar.connected() {
            for _ in 0..STREAMS {
                liar.ask(&peer, slowly());
            }
        }
        for address in liar.peers.iter().filter_map(|(_, address)| socket(address)) {
            for _ in 0..CONNECTIONS {
                liar.did(1);
                tokio::task::spawn_local(trickle(address));
            }
        }
    }

    fn answer(&mut self, _: &mut Liar, _: PeerId, _: &Request) -> Answer {
        Answer::Say(slowly())
    }
}

fn slowly() -> Said {
    Said { bytes: vec![1; BYTES], pace: Some(PACE) }
}

/// A byte a second of the first handshake, until the other side has enough.
async fn trickle(address: SocketAddr) {
    let Ok(mut stream) = TcpStream::connect(address).await else { return };
    for byte in b"\x13/multistream/1.0.0\n".iter().cycle().take(BYTES) {
        if stream.write_all(&[*byte]).await.is_err() {
            return;
        }
        tokio::time::sleep(PACE).await;
    }
}

fn socket(address: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = address.iter();
    match (parts.next()?, parts.next()?) {
        (Protocol::Ip4(ip), Protocol::Tcp(port)) => Some(SocketAddr::new(IpAddr::V4(ip), port)),
        _ => None,
    }
}
