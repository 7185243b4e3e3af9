//! Addresses that lead nowhere or elsewhere: peers that do not exist, real peers where they are not, and the asker itself.
//! Told to whoever asks, and by identify; the liar comes back again and again so that it is asked.

use super::{Answer, Deed, Liar, new_name};
use crate::entropy;
use assay_node::chain::sync::{ADDRESSES_MAX, Request, Response};
use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};
use std::time::Duration;

/// Addresses that identify tells at a time.
const IDENTIFIED: usize = 20;

pub(super) struct PoisonAddresses;

impl Deed for PoisonAddresses {
    fn every(&self) -> Duration {
        Duration::from_secs(5)
    }

    fn act(&mut self, liar: &mut Liar) {
        for _ in 0..IDENTIFIED {
            let address = nowhere(liar);
            liar.wire.add_external_address(address);
        }
        for peer in liar.connected() {
            // Both sides dial again, and ask for addresses again.
            let _gone = liar.wire.disconnect_peer_id(peer);
        }
    }

    fn answer(&mut self, liar: &mut Liar, peer: PeerId, request: &Request) -> Answer {
        let Request::Addresses = request else { return Answer::Honest };
        liar.did(1);
        let others: Vec<_> = liar.peers.clone();
        let told = (0..ADDRESSES_MAX).map(|n| {
            let stranger = new_name(&mut liar.stream).public().to_peer_id();
            match n % 4 {
                // A real peer where it is not.
                0 => nowhere(liar).with(Protocol::P2p(others[n % others.len()].0)),
                // The asker, or another real peer, under a name that is not its own.
                1 => at(&others[n % others.len()].1).with(Protocol::P2p(stranger)),
                2 => others.iter().find(|(other, _)| *other == peer).map_or_else(
                    || nowhere(liar).with(Protocol::P2p(stranger)),
                    |(_, address)| at(address).with(Protocol::P2p(stranger)),
                ),
                _ => nowhere(liar).with(Protocol::P2p(stranger)),
            }
        });
        let told = told.map(|address| address.to_string()).collect();
        Answer::Say(assay_node::encode(&Response::Addresses(told)).into())
    }
}

/// The address without its name.
fn at(address: &Multiaddr) -> Multiaddr {
    address.iter().filter(|part| !matches!(part, Protocol::P2p(_))).collect()
}

/// An address where nobody is.
fn nowhere(liar: &mut Liar) -> Multiaddr {
    let draw = entropy::below(&mut liar.stream, u64::from(u16::MAX)) as u16;
    let [high, low] = draw.to_be_bytes();
    Multiaddr::empty().with(Protocol::Ip4([10, 200, high, low].into())).with(Protocol::Tcp(1 + draw))
}
