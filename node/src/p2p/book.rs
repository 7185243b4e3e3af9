//! Which peers are known, where they listen, and when to dial them again. Pure.
//!
//! Bootstrap peers are dialled for ever, others until they fail too often. A dial that fails is tried again after 1, 2, 4
//! and at most [`REDIAL_MAX`] seconds, so that a healed partition is noticed within that time.

use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// Peers known, at most; bootstrap peers do not count.
pub const KNOWN_PEERS_MAX: usize = 256;
/// Addresses kept of one peer.
pub const ADDRESSES_PER_PEER_MAX: usize = 4;
/// Longest time between two dials of one peer.
pub const REDIAL_MAX: Duration = Duration::from_secs(8);
/// Failed dials after which a peer that is no bootstrap peer is forgotten.
pub const FAILURES_MAX: u32 = 8;

#[derive(Debug)]
struct Known {
    addresses: Vec<Multiaddr>,
    origin: Origin,
    failures: u32,
    next_dial: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Bootstrap,
    Learnt,
}

/// The known peers.
#[derive(Debug)]
pub(super) struct AddressBook {
    own: PeerId,
    peers: BTreeMap<PeerId, Known>,
}

/// The address without and the peer of its trailing `/p2p/PEER`.
pub(super) fn split(mut address: Multiaddr) -> Option<(PeerId, Multiaddr)> {
    match address.pop() {
        Some(Protocol::P2p(peer)) => Some((peer, address)),
        _ => None,
    }
}

fn is_tcp(address: &Multiaddr) -> bool {
    let parts: Vec<_> = address.iter().collect();
    match parts.as_slice() {
        [Protocol::Ip4(ip), Protocol::Tcp(port)] => !ip.is_unspecified() && *port != 0,
        [Protocol::Ip6(ip), Protocol::Tcp(port)] => !ip.is_unspecified() && *port != 0,
        _ => false,
    }
}

impl AddressBook {
    /// A book with the bootstrap peers in it; `own` is never dialled.
    pub fn new(own: PeerId, bootstrap: &[Multiaddr]) -> Self {
        let mut book = Self { own, peers: BTreeMap::new() };
        for (peer, address) in bootstrap.iter().cloned().filter_map(split) {
            book.insert(peer, address, Origin::Bootstrap);
        }
        book
    }

    /// A peer is said to listen at `address`.
    pub fn learn(&mut self, peer: PeerId, address: Multiaddr) {
        let known = self.peers.contains_key(&peer);
        let learnt = self.peers.values().filter(|known| known.origin == Origin::Learnt).count();
        if is_tcp(&address) && (known || learnt < KNOWN_PEERS_MAX) {
            self.insert(peer, address, Origin::Learnt);
        }
    }

    fn insert(&mut self, peer: PeerId, address: Multiaddr, origin: Origin) {
        if peer == self.own {
            return;
        }
        let new = Known { addresses: Vec::new(), origin, failures: 0, next_dial: None };
        let known = self.peers.entry(peer).or_insert(new);
        if !known.addresses.contains(&address) && known.addresses.len() < ADDRESSES_PER_PEER_MAX {
            known.addresses.push(address);
        }
    }

    /// Peers to dial now, with their addresses: those not `connected` whose time has come. Notes that they are dialled.
    pub fn due(&mut self, now: Instant, connected: impl Fn(&PeerId) -> bool) -> Vec<(PeerId, Vec<Multiaddr>)> {
        let mut due = Vec::new();
        for (peer, known) in &mut self.peers {
            if !connected(peer) && known.next_dial.is_none_or(|at| at <= now) {
                known.next_dial = Some(now + redial_after(known.failures));
                due.push((*peer, known.addresses.clone()));
            }
        }
        due
    }

    /// A dial succeeded.
    pub fn reached(&mut self, peer: &PeerId) {
        if let Some(known) = self.peers.get_mut(peer) {
            known.failures = 0;
            known.next_dial = None;
        }
    }

    /// A dial failed.
    pub fn failed(&mut self, peer: &PeerId, now: Instant) {
        if let Some(known) = self.peers.get_mut(peer) {
            known.failures = known.failures.saturating_add(1);
            known.next_dial = Some(now + redial_after(known.failures));
            if known.origin == Origin::Learnt && known.failures >= FAILURES_MAX {
                self.peers.remove(peer);
            }
        }
    }

    /// Up to `count` addresses of peers for which `tell` holds, each with its peer.
    pub fn addresses(&self, count: usize, tell: impl Fn(&PeerId) -> bool) -> Vec<Multiaddr> {
        let told = self.peers.iter().filter(|(peer, _)| tell(peer));
        let each = told.flat_map(|(peer, known)| known.addresses.iter().map(|a| a.clone().with(Protocol::P2p(*peer))));
        each.take(count).collect()
    }
}

fn redial_after(failures: u32) -> Duration {
    Duration::from_secs(1 << failures.min(16)).min(REDIAL_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> Multiaddr {
        Multiaddr::empty().with(Protocol::Ip4([10, 0, 0, 1].into())).with(Protocol::Tcp(port))
    }

    #[test]
    fn dials_back_off_and_start_afresh() {
        let (own, peer, start) = (PeerId::random(), PeerId::random(), Instant::now());
        let mut book = AddressBook::new(own, &[address(1).with(Protocol::P2p(peer))]);
        let at = |s| start + Duration::from_secs(s);
        assert_eq!(book.due(at(0), |_| false), [(peer, vec![address(1)])]);
        assert_eq!(book.due(at(0), |_| false), [], "it is being dialled");
        for (failed_at, next) in [(0, 2), (2, 6), (6, 14), (14, 22)] {
            book.failed(&peer, at(failed_at));
            assert_eq!(book.due(at(next) - Duration::from_millis(1), |_| false), []);
            assert_eq!(book.due(at(next), |_| false).len(), 1, "after the failure at {failed_at}");
        }
        book.reached(&peer);
        assert_eq!(book.due(at(30), |_| true), [], "it is connected");
        assert_eq!(book.due(at(30), |_| false).len(), 1, "it went away");
    }

    #[test]
    fn learnt_peers_are_bounded_and_forgotten() {
        let mut book = AddressBook::new(PeerId::random(), &[]);
        let peer = PeerId::random();
        book.learn(peer, "/ip4/0.0.0.0/tcp/6000".parse().expect("an address"));
        book.learn(peer, "/dns/example.org/tcp/6000".parse().expect("an address"));
        assert!(book.peers.is_empty(), "nobody can dial these");
        for port in 1..10 {
            book.learn(peer, address(port));
        }
        assert_eq!(book.addresses(100, |_| true).len(), ADDRESSES_PER_PEER_MAX);
        for _ in 0..FAILURES_MAX {
            book.failed(&peer, Instant::now());
        }
        assert!(book.peers.is_empty());
        for _ in 0..KNOWN_PEERS_MAX + 10 {
            book.learn(PeerId::random(), address(1));
        }
        assert_eq!(book.peers.len(), KNOWN_PEERS_MAX);
    }
}
