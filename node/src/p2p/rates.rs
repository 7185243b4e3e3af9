//! How much of one peer's is looked at, in a time. Pure.
//!
//! Each peer has an allowance of gossip messages and one of requests, which fills up again as time passes. What is beyond
//! it is dropped before anything is computed for it, and counts as an offence of one point, so that a peer that goes on
//! is banned and one that stumbles is not.
//!
//! Bound: an entry for each connected peer, whose number the connection limits bound.

use libp2p::PeerId;
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// An allowance: so many at once, and so many more a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// At once, after a pause.
    pub burst: u32,
    /// More for each second.
    pub per_second: u32,
}

/// Gossip messages of one peer. A block of a thousand transactions every ten seconds, all of them from one peer, is half of
/// it; after a partition heals, they come at once.
pub const GOSSIP_MAX: Allowance = Allowance { burst: 600, per_second: 200 };

/// Requests of one peer. One that catches up asks for a range as soon as it has the last, a few times a second.
pub const REQUESTS_MAX: Allowance = Allowance { burst: 60, per_second: 20 };

/// What is left of one allowance, in thousandths of a message.
#[derive(Clone, Copy, Debug)]
struct Left {
    milli: u64,
    at: Instant,
}

impl Left {
    fn full(allowance: Allowance, now: Instant) -> Self {
        Self { milli: u64::from(allowance.burst) * 1000, at: now }
    }

    fn take(&mut self, allowance: Allowance, now: Instant) -> bool {
        let since = now.saturating_duration_since(self.at);
        // Whole milliseconds only; the rest stays for the next time.
        let gained = since.as_millis() as u64 * u64::from(allowance.per_second);
        self.milli = self.milli.saturating_add(gained).min(u64::from(allowance.burst) * 1000);
        self.at += Duration::from_millis(since.as_millis() as u64);
        let is_left = self.milli >= 1000;
        self.milli -= if is_left { 1000 } else { 0 };
        is_left
    }
}

/// The allowances of all connected peers.
#[derive(Debug, Default)]
pub struct Rates {
    peers: BTreeMap<PeerId, (Left, Left)>,
}

impl Rates {
    /// Takes one gossip message of the peer. False when it has none left.
    pub fn gossip(&mut self, peer: PeerId, now: Instant) -> bool {
        self.of(peer, now).0.take(GOSSIP_MAX, now)
    }

    /// Takes one request of the peer. False when it has none left.
    pub fn request(&mut self, peer: PeerId, now: Instant) -> bool {
        self.of(peer, now).1.take(REQUESTS_MAX, now)
    }

    /// The peer is gone for longer than its allowances take to fill up, or is banned: keeping them would be of no use.
    pub fn retain(&mut self, keep: impl Fn(&PeerId) -> bool) {
        self.peers.retain(|peer, _| keep(peer));
    }

    /// How many peers have an entry.
    pub fn len(&self) -> usize {
        self.peers.len()
    }

    /// Whether none has.
    pub fn is_empty(&self) -> bool {
        self.peers.is_empty()
    }

    fn of(&mut self, peer: PeerId, now: Instant) -> &mut (Left, Left) {
        self.peers.entry(peer).or_insert_with(|| (Left::full(GOSSIP_MAX, now), Left::full(REQUESTS_MAX, now)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_so_many_a_second() {
        let (mut rates, peer, start) = (Rates::default(), PeerId::random(), Instant::now());
        let taken = |rates: &mut Rates, at| (0..10_000).filter(|_| rates.request(peer, at)).count() as u32;
        assert_eq!(taken(&mut rates, start), REQUESTS_MAX.burst);
        assert_eq!(taken(&mut rates, start + Duration::from_secs(1)), REQUESTS_MAX.per_second);
        assert_eq!(taken(&mut rates, start + Duration::from_secs(3600)), REQUESTS_MAX.burst, "no more than a burst");
        assert!(rates.gossip(peer, start), "the two are apart");
        assert!(rates.request(PeerId::random(), start), "and so are two peers");
    }

    #[test]
    fn short_times_add_up() {
        let (mut rates, peer, start) = (Rates::default(), PeerId::random(), Instant::now());
        while rates.request(peer, start) {}
        let at = |ms: u64| start + Duration::from_millis(ms);
        let taken = (1..=1000).filter(|ms| rates.request(peer, at(*ms))).count() as u32;
        assert_eq!(taken, REQUESTS_MAX.per_second);
    }

    #[test]
    fn peers_that_are_gone_are_forgotten() {
        let (mut rates, peer) = (Rates::default(), PeerId::random());
        rates.gossip(peer, Instant::now());
        rates.retain(|_| false);
        assert!(rates.is_empty());
    }
}
