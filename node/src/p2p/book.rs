//! Which peers are known, where they listen, and when to dial them again. Pure.
//!
//! Bootstrap peers are dialled for ever, others until they fail too often. A dial that fails is tried again after 1, 2, 4
//! and at most [`REDIAL_MAX`] seconds, so that a healed partition is noticed within that time.
//!
//! What a peer tells of others is hearsay. It is tried before it is passed on, a peer may fill only [`TOLD_MAX`] places with
//! it, it never changes where a bootstrap peer is, and [`LEARNT_DIALS_MAX`] keeps it from taking all dials.

use libp2p::{Multiaddr, PeerId, core::ConnectedPoint, multiaddr::Protocol};
use std::{collections::BTreeMap, net::IpAddr, time::Duration};
use tokio::time::Instant;

/// Peers known, at most; bootstrap peers do not count.
pub const KNOWN_PEERS_MAX: usize = 256;
/// Of these, peers that one peer has told of: eight liars fill the book, and not one.
pub const TOLD_MAX: usize = 32;
/// Addresses kept of one peer.
pub const ADDRESSES_PER_PEER_MAX: usize = 4;
/// Longest time between two dials of one peer.
pub const REDIAL_MAX: Duration = Duration::from_secs(8);
/// Failed dials after which a peer that is no bootstrap peer is forgotten.
pub const FAILURES_MAX: u32 = 8;
/// Dials of peers that are no bootstrap peers, under way at a time. An address that swallows packets takes ten seconds, and
/// half of the places for connections that are being set up are left for the others.
pub const LEARNT_DIALS_MAX: usize = 16;

#[derive(Debug)]
struct Known {
    addresses: Vec<Address>,
    origin: Origin,
    /// Where its last connection to us came from.
    came_from: Option<IpAddr>,
    failures: u32,
    next_dial: Option<Instant>,
    is_dialled: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Address {
    at: Multiaddr,
    /// A dial has met the peer there, or the operator says so.
    proven: bool,
    /// The peer itself says so.
    own_word: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Bootstrap,
    /// With who told of it first.
    Learnt(PeerId),
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

fn ip(address: &Multiaddr) -> Option<IpAddr> {
    match address.iter().next()? {
        Protocol::Ip4(ip) => Some(ip.into()),
        Protocol::Ip6(ip) => Some(ip.into()),
        _ => None,
    }
}

fn is_tcp(address: &Multiaddr) -> bool {
    let parts: Vec<_> = address.iter().collect();
    let has_port = matches!(parts.as_slice(), [_, Protocol::Tcp(port)] if *port != 0);
    has_port && ip(address).is_some_and(|ip| !ip.is_unspecified() && !ip.is_multicast())
}

impl AddressBook {
    /// A book with the bootstrap peers in it; `own` is never dialled.
    pub fn new(own: PeerId, bootstrap: &[Multiaddr]) -> Self {
        let mut book = Self { own, peers: BTreeMap::new() };
        for (peer, at) in bootstrap.iter().cloned().filter_map(split).filter(|(peer, _)| *peer != own) {
            let known = book.peers.entry(peer).or_insert_with(|| Known::new(Origin::Bootstrap));
            known.add(Address { at, proven: true, own_word: true });
        }
        book
    }

    /// Known peers that are no bootstrap peers.
    pub fn learnt(&self) -> usize {
        self.peers.values().filter(|known| known.origin != Origin::Bootstrap).count()
    }

    /// `from` says that `peer` listens at `address`; the two are one when a peer speaks of itself.
    pub fn learn(&mut self, from: PeerId, peer: PeerId, address: Multiaddr) {
        if is_tcp(&address)
            && let Some(known) = self.learnt_entry(from, peer)
        {
            known.add(Address { at: address, proven: false, own_word: from == peer });
        }
    }

    /// The entry of a peer that is no bootstrap peer; a new one if there is room for what `from` tells.
    fn learnt_entry(&mut self, from: PeerId, peer: PeerId) -> Option<&mut Known> {
        if !self.peers.contains_key(&peer) {
            let told = self.peers.values().filter(|known| known.origin == Origin::Learnt(from)).count();
            if peer == self.own || told >= TOLD_MAX || self.learnt() >= KNOWN_PEERS_MAX {
                return None;
            }
            self.peers.insert(peer, Known::new(Origin::Learnt(from)));
        }
        self.peers.get_mut(&peer).filter(|known| known.origin != Origin::Bootstrap)
    }

    /// Peers to dial now, with their addresses: those not `connected` whose time has come. Notes that they are dialled.
    pub fn due(&mut self, now: Instant, connected: impl Fn(&PeerId) -> bool) -> Vec<(PeerId, Vec<Multiaddr>)> {
        self.peers.retain(|peer, known| !known.addresses.is_empty() || connected(peer));
        let is_learnt = |known: &Known| known.origin != Origin::Bootstrap;
        let mut learnt = self.peers.values().filter(|known| is_learnt(known) && known.is_dialled).count();
        let mut due = Vec::new();
        for (peer, known) in &mut self.peers {
            if connected(peer) || known.is_dialled || known.next_dial.is_some_and(|at| at > now) {
                continue;
            }
            if is_learnt(known) {
                if learnt >= LEARNT_DIALS_MAX {
                    continue;
                }
                learnt += 1;
            }
            known.is_dialled = true;
            known.next_dial = Some(now + redial_after(known.failures));
            due.push((*peer, known.addresses.iter().map(|address| address.at.clone()).collect()));
        }
        due
    }

    /// There is a connection to the peer.
    pub fn reached(&mut self, peer: &PeerId, endpoint: &ConnectedPoint) {
        let peer = *peer;
        if let ConnectedPoint::Listener { send_back_addr, .. } = endpoint
            && let Some(known) = self.learnt_entry(peer, peer)
        {
            known.came_from = ip(send_back_addr);
        }
        let Some(known) = self.peers.get_mut(&peer) else { return };
        known.failures = 0;
        known.next_dial = None;
        known.is_dialled = false;
        if let ConnectedPoint::Dialer { address, .. } = endpoint {
            let dialled = split(address.clone()).map_or_else(|| address.clone(), |(_, at)| at);
            for address in known.addresses.iter_mut().filter(|address| address.at == dialled) {
                address.proven = true;
            }
        }
    }

    /// The peer's own dial is to come first: ours waits for the longest time.
    pub fn yield_to(&mut self, peer: &PeerId, now: Instant) {
        if let Some(known) = self.peers.get_mut(peer) {
            known.next_dial = Some(now + REDIAL_MAX);
        }
    }

    /// A dial was not begun after all.
    pub fn not_dialled(&mut self, peer: &PeerId) {
        if let Some(known) = self.peers.get_mut(peer) {
            known.is_dialled = false;
        }
    }

    /// A dial failed.
    pub fn failed(&mut self, peer: &PeerId, now: Instant) {
        if let Some(known) = self.peers.get_mut(peer) {
            known.is_dialled = false;
            known.failures = known.failures.saturating_add(1);
            known.next_dial = Some(now + redial_after(known.failures));
            if known.origin != Origin::Bootstrap && known.failures >= FAILURES_MAX {
                self.peers.remove(peer);
            }
        }
    }

    /// Up to `count` addresses of peers for which `tell` holds, each with its peer: those where a dial has met the peer, and
    /// those on the machine that it connected from.
    pub fn addresses(&self, count: usize, tell: impl Fn(&PeerId) -> bool) -> Vec<Multiaddr> {
        let told = self.peers.iter().filter(|(peer, _)| tell(peer));
        let each = told.flat_map(|(peer, known)| {
            let good = known.addresses.iter().filter(|address| known.vouches_for(address));
            good.map(|address| address.at.clone().with(Protocol::P2p(*peer)))
        });
        each.take(count).collect()
    }
}

impl Known {
    fn new(origin: Origin) -> Self {
        Known { addresses: Vec::new(), origin, came_from: None, failures: 0, next_dial: None, is_dialled: false }
    }

    /// Adds an address. When there is no room, the peer's own word takes the place of hearsay.
    fn add(&mut self, new: Address) {
        if let Some(old) = self.addresses.iter_mut().find(|old| old.at == new.at) {
            old.own_word |= new.own_word;
        } else if self.addresses.len() < ADDRESSES_PER_PEER_MAX {
            self.addresses.push(new);
        } else if new.own_word
            && let Some(hearsay) = self.addresses.iter_mut().find(|old| !old.own_word && !old.proven)
        {
            *hearsay = new;
        }
    }

    fn vouches_for(&self, address: &Address) -> bool {
        address.proven || address.own_word && self.came_from.is_some() && ip(&address.at) == self.came_from
    }
}

fn redial_after(failures: u32) -> Duration {
    Duration::from_secs(1 << failures.min(16)).min(REDIAL_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use libp2p::core::{Endpoint, transport::PortUse};
    use proptest::{collection::vec, prelude::*, test_runner::TestRunner};

    fn address(port: u16) -> Multiaddr {
        Multiaddr::empty().with(Protocol::Ip4([10, 0, 0, 1].into())).with(Protocol::Tcp(port))
    }

    fn dialled(port: u16) -> ConnectedPoint {
        ConnectedPoint::Dialer { address: address(port), role_override: Endpoint::Dialer, port_use: PortUse::New }
    }

    fn came_from(port: u16) -> ConnectedPoint {
        ConnectedPoint::Listener { local_addr: address(6000), send_back_addr: address(port) }
    }

    #[test]
    fn dials_back_off_and_start_afresh() {
        let (own, peer, start) = (PeerId::random(), PeerId::random(), Instant::now());
        let mut book = AddressBook::new(own, &[address(1).with(Protocol::P2p(peer))]);
        let at = |s| start + Duration::from_secs(s);
        assert_eq!(book.due(at(0), |_| false), [(peer, vec![address(1)])]);
        assert_eq!(book.due(at(20), |_| false), [], "it is being dialled");
        for (failed_at, next) in [(0, 2), (2, 6), (6, 14), (14, 22)] {
            book.failed(&peer, at(failed_at));
            assert_eq!(book.due(at(next) - Duration::from_millis(1), |_| false), []);
            assert_eq!(book.due(at(next), |_| false).len(), 1, "after the failure at {failed_at}");
        }
        book.reached(&peer, &dialled(1));
        assert_eq!(book.due(at(30), |_| true), [], "it is connected");
        assert_eq!(book.due(at(30), |_| false).len(), 1, "it went away");
        book.not_dialled(&peer);
        assert_eq!(book.due(at(31), |_| false).len(), 1, "the dial was not begun");
        book.reached(&peer, &dialled(1));
        book.yield_to(&peer, at(40));
        assert_eq!(book.due(at(47), |_| false), [], "the peer dials first");
        assert_eq!(book.due(at(48), |_| false).len(), 1, "it did not");
    }

    #[test]
    fn learnt_peers_are_bounded_and_forgotten() {
        let (mut book, teller) = (AddressBook::new(PeerId::random(), &[]), PeerId::random());
        let peer = PeerId::random();
        for nowhere in ["/ip4/0.0.0.0/tcp/6000", "/dns/example.org/tcp/6000", "/ip4/224.0.0.1/tcp/6000"] {
            book.learn(teller, peer, nowhere.parse().expect("an address"));
        }
        assert!(book.peers.is_empty(), "nobody can dial these");
        for port in 1..10 {
            book.learn(teller, peer, address(port));
        }
        assert_eq!(book.peers[&peer].addresses.len(), ADDRESSES_PER_PEER_MAX);
        for _ in 0..FAILURES_MAX {
            book.failed(&peer, Instant::now());
        }
        assert!(book.peers.is_empty());
        for _ in 0..TOLD_MAX + 10 {
            book.learn(teller, PeerId::random(), address(1));
        }
        assert_eq!(book.learnt(), TOLD_MAX, "one peer fills a part of the book");
        for _ in 0..KNOWN_PEERS_MAX {
            book.learn(PeerId::random(), PeerId::random(), address(1));
        }
        assert_eq!(book.learnt(), KNOWN_PEERS_MAX);
        assert_eq!(book.due(Instant::now(), |_| false).len(), LEARNT_DIALS_MAX);
    }

    #[test]
    fn hearsay_is_not_passed_on_and_gives_way() {
        let (own, teller, peer) = (PeerId::random(), PeerId::random(), PeerId::random());
        let mut book = AddressBook::new(own, &[address(1).with(Protocol::P2p(teller))]);
        let told = |book: &AddressBook| book.addresses(100, |known| *known == peer);
        for port in 2..10 {
            book.learn(teller, peer, address(port));
        }
        assert_eq!(told(&book), [], "nobody has met it there");
        book.learn(peer, peer, address(20));
        book.learn(peer, peer, "/ip4/10.0.0.9/tcp/20".parse().expect("an address"));
        assert_eq!(told(&book), [], "its word alone does not count either");
        book.reached(&peer, &came_from(50_000));
        assert_eq!(told(&book), [address(20).with(Protocol::P2p(peer))], "it came from that machine");
        book.reached(&peer, &dialled(5));
        assert!(told(&book).contains(&address(5).with(Protocol::P2p(peer))), "it was met there");

        book.learn(peer, teller, address(66));
        assert_eq!(book.peers[&teller].addresses.len(), 1, "a bootstrap peer is where the operator says");
        book.learn(teller, own, address(66));
        assert!(!book.peers.contains_key(&own));
    }

    /// Addresses, nearly addresses, and other text.
    fn texts() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            Just(String::new()),
            Just("ip4/10.0.0.1".into()),
            Just("ip6/::ffff:1.2.3.4".into()),
            Just("dns4/example.org".into()),
            Just("p2p-circuit".into()),
            Just("unix/a%2Fb".into()),
            any::<u8>().prop_map(|n| format!("ip4/{n}.{n}.{n}.{n}")),
            any::<u16>().prop_map(|port| format!("tcp/{port}")),
            any::<[u8; 32]>()
                .prop_map(|digest| format!("p2p/{}", PeerId::from_multihash(code_of(digest)).expect("it is one"))),
            "[a-z0-9./%:]{0,12}",
            ".{0,8}",
        ];
        vec(part, 0..6).prop_map(|parts| format!("/{}", parts.join("/")))
    }

    fn code_of(digest: [u8; 32]) -> libp2p::multihash::Multihash<64> {
        libp2p::multihash::Multihash::wrap(0x12, &digest).expect("32 bytes fit")
    }

    #[test]
    fn whatever_peers_tell_is_bounded_and_can_be_dialled() {
        let (own, teller) = (PeerId::random(), PeerId::random());
        let mut runner = TestRunner::deterministic();
        let checked = runner.run(&vec(texts(), 0..80), |texts| {
            let mut book = AddressBook::new(own, &[]);
            for (peer, address) in texts.iter().filter_map(|text| text.parse().ok()).filter_map(split) {
                book.learn(teller, peer, address);
            }
            prop_assert!(book.learnt() <= TOLD_MAX);
            for (_, addresses) in book.due(Instant::now(), |_| false) {
                prop_assert!(!addresses.is_empty() && addresses.iter().all(is_tcp));
            }
            prop_assert_eq!(book.addresses(usize::MAX, |_| true), []);
            Ok(())
        });
        checked.expect("it holds for all");
    }
}
