//! Catching up by ranges: whom to ask, for what, and when to give up on an answer. Pure.
//!
//! Peers tell each other their [`Status`] when they meet and every [`STATUS_INTERVAL_MS`]. The one that claims the most
//! work above ours is asked for the blocks after the last one we have in common, found by a locator; one range is under
//! way at a time. A peer that answers with nothing useful rests for [`REST_MS`]. One that does not answer, or has less than
//! it claims, rests twice as long each time, up to [`REST_MS_MAX`], so that a liar with the greatest claim takes little of
//! our time.
//!
//! Times are of a clock that never steps, not the wall clock.
//!
//! Bounds: [`PEERS_MAX`] peers, [`RANGE_BLOCKS_MAX`] blocks and [`RANGE_BYTES_MAX`] bytes an answer, [`LOCATOR_MAX`] hashes,
//! [`ADDRESSES_MAX`] addresses of [`ADDRESS_BYTES_MAX`] bytes.

use crate::{
    consensus::poot::{Answer, Asking},
    crypto::Hash,
    types::{Block, Height, Timestamp, Work, bounded},
};
use borsh::{BorshDeserialize, BorshSerialize};
use libp2p::PeerId;
use std::{collections::BTreeMap, io};

/// Peers whose status is kept; connection limits are lower.
pub const PEERS_MAX: usize = 256;
/// Blocks in one answer, at most.
pub const RANGE_BLOCKS_MAX: u32 = 128;
/// Bytes of blocks in one answer, at most; one block more than this is always sent.
pub const RANGE_BYTES_MAX: usize = 1024 * 1024;
/// Hashes in a locator, at most.
pub const LOCATOR_MAX: usize = 64;
/// Addresses in one answer, at most.
pub const ADDRESSES_MAX: usize = 32;
/// Bytes of an address as text, at most: a name of 253 bytes, its protocols and a peer id.
pub const ADDRESS_BYTES_MAX: usize = 512;
/// Time between two exchanges of status with a peer, in milliseconds.
pub const STATUS_INTERVAL_MS: u64 = 10_000;
/// Time for an answer, in milliseconds.
pub const ANSWER_MS_MAX: u64 = 10_000;
/// Time for which a useless peer is not asked, in milliseconds.
pub const REST_MS: u64 = 30_000;

/// The longest such time.
pub const REST_MS_MAX: u64 = 16 * REST_MS;

/// A question to a peer.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Request {
    /// This is my status; what is yours?
    Status(Status),
    /// Blocks above the first of these hashes that is on your chain, the lowest first.
    Blocks {
        /// Hashes from the asker's head down.
        locator: Vec<Hash>,
        /// How many, at most.
        count: u32,
    },
    /// Addresses of other peers.
    Addresses,
    /// Be my witness. On a chain with operators.
    Witness(Box<Asking>),
}

/// The answer to a [`Request`].
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Response {
    /// To [`Request::Status`].
    Status(Status),
    /// To [`Request::Blocks`].
    Blocks(Vec<Block>),
    /// To [`Request::Addresses`]: multiaddresses with a peer id.
    Addresses(#[borsh(deserialize_with = "addresses")] Vec<String>),
    /// To [`Request::Witness`].
    Witness(Box<Answer>),
}

fn addresses<R: io::Read>(reader: &mut R) -> io::Result<Vec<String>> {
    bounded::texts(reader, ADDRESSES_MAX, ADDRESS_BYTES_MAX)
}

/// What a node says of its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Status {
    /// The genesis block; peers of another chain part.
    pub genesis: Hash,
    /// The head.
    pub head: Hash,
    /// The head's height.
    pub height: Height,
    /// Work of the whole chain.
    pub work: Work,
}

#[derive(Clone, Copy, Debug)]
struct Peer {
    status: Option<Status>,
    asked_status: Timestamp,
    rests_until: Timestamp,
    /// How long it rests the next time that it keeps what it claims to have.
    next_rest_ms: u64,
}

/// Who is there, what they claim, and what is under way.
#[derive(Debug, Default)]
pub struct Sync {
    peers: BTreeMap<PeerId, Peer>,
    pending: Option<(PeerId, Timestamp)>,
    has_heard: bool,
}

impl Sync {
    /// A peer connected.
    pub fn connected(&mut self, peer: PeerId) {
        if self.peers.len() < PEERS_MAX {
            let new =
                Peer { status: None, asked_status: Timestamp(0), rests_until: Timestamp(0), next_rest_ms: REST_MS };
            self.peers.entry(peer).or_insert(new);
        }
    }

    /// A peer is gone.
    pub fn disconnected(&mut self, peer: &PeerId) {
        self.peers.remove(peer);
        if self.pending.is_some_and(|(pending, _)| pending == *peer) {
            self.pending = None;
        }
    }

    /// A peer told its status. While it rests, what it claims does not count: it had its chance to prove it.
    pub fn told(&mut self, peer: PeerId, status: Status, now: Timestamp) {
        self.has_heard = true;
        if let Some(known) = self.peers.get_mut(&peer).filter(|known| known.rests_until <= now) {
            known.status = Some(status);
        }
    }

    /// A peer sent a block whose parent we do not have: it has a chain that we should see, whatever its status said.
    pub fn has_unknown(&mut self, peer: PeerId, head: Hash, height: Height, ours: Status, now: Timestamp) {
        let work = Work(ours.work.0 + 1);
        self.told(peer, Status { genesis: ours.genesis, head, height, work }, now);
    }

    /// The range that was asked for has come, or has failed.
    pub fn answered(&mut self, peer: &PeerId) {
        if self.pending.is_some_and(|(pending, _)| pending == *peer) {
            self.pending = None;
        }
    }

    /// Does not ask `peer` for a while, and forgets its claim.
    pub fn rest(&mut self, peer: &PeerId, now: Timestamp) {
        self.answered(peer);
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.status = None;
            peer.rests_until = Timestamp(now.0 + REST_MS);
        }
    }

    /// The same for a peer that keeps what it claims to have: twice as long each time.
    pub fn rest_longer(&mut self, peer: &PeerId, now: Timestamp) {
        self.rest(peer, now);
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.rests_until = Timestamp(now.0 + peer.next_rest_ms);
            peer.next_rest_ms = (2 * peer.next_rest_ms).min(REST_MS_MAX);
        }
    }

    /// A peer has given what it claimed to have.
    pub fn was_useful(&mut self, peer: &PeerId) {
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.next_rest_ms = REST_MS;
        }
    }

    /// The work that a peer claims.
    pub fn claim(&self, peer: &PeerId) -> Option<Work> {
        Some(self.peers.get(peer)?.status?.work)
    }

    /// Peers whose status is due to be asked for; notes that they are asked now.
    pub fn due_for_status(&mut self, now: Timestamp) -> Vec<PeerId> {
        let due = |peer: &Peer| peer.asked_status == Timestamp(0) || now.since(peer.asked_status) >= STATUS_INTERVAL_MS;
        let mut ids = Vec::new();
        for (id, peer) in self.peers.iter_mut().filter(|(_, peer)| due(peer)) {
            peer.asked_status = now;
            ids.push(*id);
        }
        ids
    }

    /// The peer whose answer is overdue, if there is one.
    pub fn overdue(&self, now: Timestamp) -> Option<PeerId> {
        self.pending.filter(|(_, since)| now.since(*since) > ANSWER_MS_MAX).map(|(peer, _)| peer)
    }

    /// Whom to ask for a range now: the peer that claims the most work above ours, unless one is asked already.
    pub fn next(&mut self, now: Timestamp, ours: Work) -> Option<PeerId> {
        if self.pending.is_some() {
            return None;
        }
        let claims = self.peers.iter().filter(|(_, peer)| peer.rests_until <= now);
        let claims = claims.filter_map(|(id, peer)| Some((peer.status?.work, *id)));
        let (work, peer) = claims.max()?;
        if work <= ours {
            return None;
        }
        self.pending = Some((peer, now));
        Some(peer)
    }

    /// The work and height that each connected peer claims; none of those that have told nothing, or rest.
    pub fn claims(&self) -> impl Iterator<Item = (Work, Height)> {
        self.peers.values().filter_map(|peer| peer.status).map(|status| (status.work, status.height))
    }

    /// The most work and height that a connected peer claims.
    pub fn best_claim(&self) -> Option<(Work, Height)> {
        self.claims().max()
    }

    /// Whether any peer has told its status, ever.
    pub fn has_heard(&self) -> bool {
        self.has_heard
    }

    /// Who is connected.
    pub fn peers(&self) -> impl Iterator<Item = PeerId> {
        self.peers.keys().copied()
    }

    /// Connected peers.
    pub fn peer_count(&self) -> usize {
        self.peers.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(work: u128) -> Status {
        Status { genesis: Hash::default(), head: Hash([work as u8; 32]), height: Height(work as u64), work: Work(work) }
    }

    fn peers(claims: &[u128]) -> (Sync, Vec<PeerId>) {
        let mut sync = Sync::default();
        let key = |n: u8| libp2p::identity::Keypair::ed25519_from_bytes([n; 32]).expect("32 bytes are a key");
        let ids: Vec<_> = (1..=claims.len()).map(|n| key(n as u8).public().to_peer_id()).collect();
        for (id, work) in ids.iter().zip(claims) {
            sync.connected(*id);
            sync.told(*id, status(*work), Timestamp(1));
        }
        (sync, ids)
    }

    #[test]
    fn asks_the_heaviest_and_one_at_a_time() {
        let (mut sync, ids) = peers(&[5, 9, 7]);
        let now = Timestamp(1000);
        assert_eq!(sync.next(now, Work(9)), None, "nobody has more");
        assert_eq!(sync.next(now, Work(8)), Some(ids[1]));
        assert_eq!(sync.next(now, Work(4)), None, "one is under way");
        sync.answered(&ids[1]);
        sync.rest(&ids[1], now);
        assert_eq!(sync.next(now, Work(4)), Some(ids[2]), "the useless one rests");
    }

    #[test]
    fn gives_up_on_late_answers_and_lost_peers() {
        let (mut sync, ids) = peers(&[5, 9]);
        assert_eq!(sync.next(Timestamp(1000), Work(0)), Some(ids[1]));
        assert_eq!(sync.overdue(Timestamp(1000 + ANSWER_MS_MAX)), None);
        assert_eq!(sync.overdue(Timestamp(1001 + ANSWER_MS_MAX)), Some(ids[1]));
        sync.disconnected(&ids[1]);
        assert_eq!(sync.overdue(Timestamp(1001 + ANSWER_MS_MAX)), None);
        assert_eq!(sync.next(Timestamp(20_000), Work(0)), Some(ids[0]));
    }

    #[test]
    fn one_that_keeps_what_it_claims_rests_ever_longer() {
        let (mut sync, ids) = peers(&[9]);
        let mut now = Timestamp(1000);
        for rest_ms in [REST_MS, 2 * REST_MS, 4 * REST_MS, 8 * REST_MS, REST_MS_MAX, REST_MS_MAX] {
            assert_eq!(sync.next(now, Work(1)), Some(ids[0]));
            sync.rest_longer(&ids[0], now);
            let early = Timestamp(now.0 + rest_ms - 1);
            sync.told(ids[0], status(9), early);
            assert_eq!((sync.next(early, Work(1)), sync.best_claim()), (None, None), "its claim does not count");
            now = Timestamp(now.0 + rest_ms);
            sync.told(ids[0], status(9), now);
        }
        sync.was_useful(&ids[0]);
        sync.rest_longer(&ids[0], now);
        sync.told(ids[0], status(9), Timestamp(now.0 + REST_MS));
        assert_eq!(sync.next(Timestamp(now.0 + REST_MS), Work(1)), Some(ids[0]), "it begins anew");
    }

    #[test]
    fn asks_for_status_when_it_is_due() {
        let (mut sync, ids) = peers(&[1]);
        assert_eq!(sync.due_for_status(Timestamp(1000)), ids);
        assert_eq!(sync.due_for_status(Timestamp(1000 + STATUS_INTERVAL_MS - 1)), []);
        assert_eq!(sync.due_for_status(Timestamp(1000 + STATUS_INTERVAL_MS)), ids);
    }
}
