//! How badly peers behave, and for how long they are banned. Pure.
//!
//! An offence adds points, which fade by one a second. At [`BAN_POINTS`] the peer is banned for [`BAN_TIME`].
//!
//! | offence | points | because |
//! |---|---|---|
//! | another chain | 100 | it will not change |
//! | an invalid block | 50 | costs us validation; honest nodes judge before they pass on |
//! | an invalid ballot | 50 | the same: its signature is checked first |
//! | an invalid transaction | 10 | the same, and cheaper |
//! | bytes that mean nothing | 50 | no release ever sent them |
//! | a useless answer | 5 | happens to honest peers that are slow or cut off |
//! | a message that was not finished | 5 | the same |
//! | a message too many | 1 | costs next to nothing, since it is dropped unread |
//!
//! Bounds: [`PEERS_MAX`] peers with points; the least guilty is forgotten first. [`BANS_MAX`] banned peers; the ban that
//! would end first ends early.

use crate::chain::Offence;
use libp2p::PeerId;
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// Points at which a peer is banned.
pub const BAN_POINTS: u64 = 100;
/// How long a peer stays banned.
pub const BAN_TIME: Duration = Duration::from_secs(600);
/// Peers whose points are kept.
pub const PEERS_MAX: usize = 1024;

/// Peers that are banned at a time. An attacker with more names than this has each of them banned for a shorter time.
pub const BANS_MAX: usize = 1024;

/// Points for one offence.
pub fn points(offence: &Offence) -> u64 {
    match offence {
        Offence::OtherChain => 100,
        Offence::InvalidBlock(_) | Offence::InvalidBallot(_) => 50,
        Offence::InvalidTransaction(_) => 10,
        Offence::Malformed(_) => 50,
        Offence::UselessAnswer(_) | Offence::Stalled => 5,
        Offence::Flood(_) => 1,
    }
}

/// A name for one kind of offence, for metrics.
pub fn name(offence: &Offence) -> &'static str {
    match offence {
        Offence::OtherChain => "other_chain",
        Offence::InvalidBlock(_) => "invalid_block",
        Offence::InvalidBallot(_) => "invalid_ballot",
        Offence::InvalidTransaction(_) => "invalid_transaction",
        Offence::Malformed(_) => "malformed",
        Offence::UselessAnswer(_) => "useless_answer",
        Offence::Stalled => "stalled",
        Offence::Flood(_) => "flood",
    }
}

/// The names of all kinds.
pub const NAMES: [&str; 8] = [
    "other_chain",
    "invalid_block",
    "invalid_ballot",
    "invalid_transaction",
    "malformed",
    "useless_answer",
    "stalled",
    "flood",
];

/// The points of all peers.
#[derive(Debug, Default)]
pub struct Scores {
    points: BTreeMap<PeerId, (u64, Instant)>,
    banned: BTreeMap<PeerId, Instant>,
}

impl Scores {
    /// Notes an offence at `now`. True when the peer is to be banned from now on.
    pub fn add(&mut self, peer: PeerId, offence: &Offence, now: Instant) -> bool {
        let (old, at) = self.points.get(&peer).copied().unwrap_or((0, now));
        let total = faded(old, at, now) + points(offence);
        if total < BAN_POINTS {
            self.points.insert(peer, (total, now));
            self.forget_excess(now);
            return false;
        }
        self.points.remove(&peer);
        if self.banned.len() >= BANS_MAX
            && let Some(first) = self.banned.iter().min_by_key(|(_, until)| **until).map(|(first, _)| *first)
        {
            self.banned.insert(first, now);
        }
        self.banned.insert(peer, now + BAN_TIME);
        true
    }

    /// How many peers are banned.
    pub fn bans(&self) -> usize {
        self.banned.len()
    }

    /// Peers whose ban ends by `now`; they start afresh.
    pub fn released(&mut self, now: Instant) -> Vec<PeerId> {
        let released: Vec<_> = self.banned.iter().filter(|(_, until)| **until <= now).map(|(peer, _)| *peer).collect();
        self.banned.retain(|_, until| *until > now);
        released
    }

    /// Whether the peer is banned.
    pub fn is_banned(&self, peer: &PeerId) -> bool {
        self.banned.contains_key(peer)
    }

    fn forget_excess(&mut self, now: Instant) {
        if self.points.len() > PEERS_MAX {
            let least = self.points.iter().min_by_key(|(_, (points, at))| faded(*points, *at, now));
            if let Some(peer) = least.map(|(peer, _)| *peer) {
                self.points.remove(&peer);
            }
        }
    }
}

fn faded(points: u64, at: Instant, now: Instant) -> u64 {
    points.saturating_sub(now.saturating_duration_since(at).as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong() -> Offence {
        Offence::InvalidBlock("test".into())
    }

    #[test]
    fn points_add_up_to_a_ban_that_ends() {
        let (mut scores, peer, start) = (Scores::default(), PeerId::random(), Instant::now());
        assert!(!scores.add(peer, &wrong(), start));
        assert!(scores.add(peer, &wrong(), start));
        assert!(scores.is_banned(&peer));
        assert_eq!(scores.released(start + BAN_TIME - Duration::from_secs(1)), []);
        assert_eq!(scores.released(start + BAN_TIME), [peer]);
        assert!(!scores.is_banned(&peer));
    }

    #[test]
    fn points_fade() {
        let (mut scores, peer, start) = (Scores::default(), PeerId::random(), Instant::now());
        assert!(!scores.add(peer, &wrong(), start));
        assert!(!scores.add(peer, &wrong(), start + Duration::from_secs(1)));
    }

    #[test]
    fn bans_are_bounded() {
        let (mut scores, start) = (Scores::default(), Instant::now());
        let first = PeerId::random();
        scores.add(first, &Offence::OtherChain, start);
        for n in 1..=BANS_MAX as u64 {
            scores.add(PeerId::random(), &Offence::OtherChain, start + Duration::from_millis(n));
        }
        let now = start + Duration::from_secs(5);
        assert_eq!(scores.released(now), [first], "its ban would have ended first");
        assert_eq!(scores.bans(), BANS_MAX);
    }
}
