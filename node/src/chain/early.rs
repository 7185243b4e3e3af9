//! Blocks from the future: right in all else, ahead of this node's clock by more than the chain allows. They wait here until
//! their time has come and are then given to the core again, so that a clock that is behind costs a wait and not another
//! request. Pure.
//!
//! Under malicious input: a block gets here only after everything about it but its execution was checked, so each costs the
//! work of its difficulty, and what its hash does not cover cannot take its place. At most [`EARLY_BLOCKS_MAX`] blocks and
//! [`EARLY_BYTES_MAX`] bytes wait, [`EARLY_BLOCKS_PEER_MAX`] of one peer, none for longer than [`EARLY_WAIT_MS_MAX`] by a clock
//! that goes on. Whichever is furthest ahead gives way, of the peer that has too many or of all.
//!
//! What it cannot do: a block that stands on one that waits has no parent yet. It comes by sync, as does one that gave way.

use super::{core::Core, effects::Source, validation::Verified};
use crate::{
    consensus::SealError,
    crypto::Hash,
    types::{Block, Timestamp},
};
use libp2p::PeerId;
use std::{collections::BTreeMap, sync::Arc};

/// Blocks that wait, at most.
pub const EARLY_BLOCKS_MAX: usize = 64;

/// Their bytes, at most: those of half as many of the largest.
pub const EARLY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Blocks of one peer that wait, at most: sixteen peers are needed to fill all places.
pub const EARLY_BLOCKS_PEER_MAX: usize = 4;

/// How long a block may have to wait, in milliseconds. A clock that is behind by more than this, and what the chain allows,
/// is its operator's to set.
pub const EARLY_WAIT_MS_MAX: u64 = 120_000;

/// The blocks that wait, the next one first.
#[derive(Debug, Default)]
pub(super) struct Early {
    held: BTreeMap<(Timestamp, Hash), Held>,
    bytes: usize,
    /// Blocks that came too early since the start, whether there was a place for them or not.
    came: u64,
}

#[derive(Debug)]
struct Held {
    peer: PeerId,
    block: Arc<Block>,
    bytes: usize,
}

impl Early {
    /// Whether the block with this timestamp and identifier waits.
    pub fn contains(&self, timestamp: Timestamp, hash: Hash) -> bool {
        self.held.contains_key(&(timestamp, hash))
    }

    /// Blocks that wait, and their bytes.
    pub fn size(&self) -> (usize, usize) {
        (self.held.len(), self.bytes)
    }

    /// Holds a block that `peer` sent. Says whether there was a place for it.
    pub fn hold(&mut self, peer: PeerId, hash: Hash, block: Arc<Block>) -> bool {
        let place = (block.header.timestamp, hash);
        let bytes = crate::encode(block.as_ref()).len();
        self.bytes += bytes;
        self.came += 1;
        if let Some(same) = self.held.insert(place, Held { peer, block, bytes }) {
            self.bytes -= same.bytes;
        }
        let of_peer = self.held.iter().filter(|(_, held)| held.peer == peer).map(|(place, _)| *place);
        let of_peer: Vec<_> = of_peer.collect();
        if of_peer.len() > EARLY_BLOCKS_PEER_MAX {
            self.remove(of_peer.last().expect("there are several"));
        }
        while self.held.len() > EARLY_BLOCKS_MAX || self.bytes > EARLY_BYTES_MAX {
            let furthest = *self.held.keys().next_back().expect("there are too many");
            self.remove(&furthest);
        }
        self.held.contains_key(&place)
    }

    /// The blocks with timestamps up to `until`, and who sent them.
    pub fn take(&mut self, until: Timestamp) -> Vec<(PeerId, Arc<Block>)> {
        let mut due = Vec::new();
        while let Some(next) = self.held.first_entry().filter(|next| next.key().0 <= until) {
            let held = next.remove();
            self.bytes -= held.bytes;
            due.push((held.peer, held.block));
        }
        due
    }

    fn remove(&mut self, place: &(Timestamp, Hash)) {
        let held = self.held.remove(place).expect("only what waits is removed");
        self.bytes -= held.bytes;
    }
}

impl Core {
    /// Blocks that wait for their time, and their bytes.
    pub fn early(&self) -> (usize, usize) {
        self.early.size()
    }

    /// Blocks that came before their time since the start.
    pub fn early_total(&self) -> u64 {
        self.early.came
    }

    /// The blocks whose time has come. They are to be given to [`Core::on_block`], one by one and each with its effects, and
    /// are new to it.
    pub fn take_due(&mut self, now: Timestamp) -> Vec<(Source, Block)> {
        let until = Timestamp(now.0.saturating_add(self.rules.params.ahead_max_ms()));
        let due = self.early.take(until).into_iter();
        due.map(|(peer, block)| (Source::Peer(peer), Arc::unwrap_or_clone(block))).collect()
    }

    /// The clock that a block is judged by: one that may wait here is judged as of its own time, so that all but the clock is
    /// checked before it waits.
    pub(super) fn judged_at(&self, source: Source, timestamp: Timestamp, now: Timestamp) -> Timestamp {
        let wait_ms = timestamp.since(now).saturating_sub(self.rules.params.ahead_max_ms());
        match source {
            Source::Peer(_) if wait_ms <= EARLY_WAIT_MS_MAX => now.max(timestamp),
            _ => now,
        }
    }

    /// Whether a block that was judged as of its own time is too early by this node's clock. If so, it waits.
    pub(super) fn must_wait(&mut self, source: Source, verified: &Verified, now: Timestamp) -> bool {
        let (Source::Peer(peer), header) = (source, &verified.block().header) else { return false };
        if header.timestamp <= now {
            return false;
        }
        let ancestors = self.tree.ancestors(header.parent);
        match self.rules.engine.check(&self.rules.params, header, &ancestors, now) {
            Err(error @ SealError::TooNew { .. }) => {
                let has_place = self.early.hold(peer, verified.hash(), verified.block().clone());
                tracing::info!(block = %verified.hash(), height = %header.height, has_place, %error, "chain.block_waits");
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        crypto::Address,
        types::{Header, Height, Seal, Transaction},
    };

    fn peer(n: u8) -> PeerId {
        libp2p::identity::Keypair::ed25519_from_bytes([n; 32]).expect("32 bytes are a key").public().to_peer_id()
    }

    fn block(timestamp: u64, transactions: Vec<Transaction>) -> Arc<Block> {
        let header = Header {
            height: Height(1),
            parent: Hash::default(),
            transactions_root: Hash::default(),
            state_root: Hash::default(),
            timestamp: Timestamp(timestamp),
            proposer: Address([0; 20]),
            seal: Seal::Genesis,
        };
        Arc::new(Block { header, transactions })
    }

    fn hold(early: &mut Early, of: u8, timestamp: u64) -> bool {
        let block = block(timestamp, Vec::new());
        early.hold(peer(of), block.hash(), block)
    }

    fn timestamps(early: &Early) -> Vec<u64> {
        early.held.keys().map(|(timestamp, _)| timestamp.0).collect()
    }

    #[test]
    fn blocks_come_out_in_the_order_of_their_times_and_not_before() {
        let mut early = Early::default();
        for (of, timestamp) in [(1, 30), (2, 10), (1, 20), (2, 20)] {
            assert!(hold(&mut early, of, timestamp));
        }
        assert_eq!(timestamps(&early), [10, 20, 30], "one block has one place, whoever sends it");
        assert!(early.take(Timestamp(9)).is_empty());
        let due: Vec<_> = early.take(Timestamp(20)).iter().map(|(_, block)| block.header.timestamp.0).collect();
        assert_eq!((due, timestamps(&early)), (vec![10, 20], vec![30]));
        assert!(!early.contains(Timestamp(20), block(20, Vec::new()).hash()));
        assert!(early.contains(Timestamp(30), block(30, Vec::new()).hash()));
        early.take(Timestamp(30));
        assert_eq!(early.size(), (0, 0));
    }

    #[test]
    fn of_a_peer_with_too_many_the_furthest_gives_way() {
        let mut early = Early::default();
        assert!(hold(&mut early, 9, 1000));
        for timestamp in 1..=EARLY_BLOCKS_PEER_MAX as u64 {
            assert!(hold(&mut early, 1, 10 * timestamp));
        }
        assert!(!hold(&mut early, 1, 900), "it is the furthest of its peer");
        assert!(hold(&mut early, 1, 5));
        assert_eq!(timestamps(&early), [5, 10, 20, 30, 1000], "another peer's stays");
    }

    #[test]
    fn of_too_many_the_furthest_gives_way() {
        let mut early = Early::default();
        let count = EARLY_BLOCKS_MAX as u64;
        for n in 0..count {
            assert!(hold(&mut early, (n / EARLY_BLOCKS_PEER_MAX as u64) as u8, 100 + n));
        }
        assert!(!hold(&mut early, 200, 100 + count));
        assert!(hold(&mut early, 201, 1));
        assert_eq!(early.size().0, EARLY_BLOCKS_MAX);
        assert_eq!(timestamps(&early).last(), Some(&(100 + count - 2)));
    }

    #[test]
    fn bytes_are_bounded_and_counted() {
        use crate::{
            crypto::Keypair,
            types::{Amount, Body, Nonce, Payload},
        };
        let key = Keypair::from_secret([1; 32]);
        let payload = Payload::Transfer { to: key.address(), amount: Amount(1) };
        let (sender, chain_id) = (key.public(), "test".parse().expect("it is a chain id"));
        let body = Body { chain_id, sender, nonce: Nonce(0), fee: Amount(0), valid_until: Height(1), payload };
        let large = block(1, vec![body.sign(&key); 2000]);
        let size = crate::encode(large.as_ref()).len();
        let fit = EARLY_BYTES_MAX / size;
        assert!(fit < EARLY_BLOCKS_MAX, "{size} bytes are too few for this test");

        let mut early = Early::default();
        for n in 0..EARLY_BLOCKS_MAX {
            let mut next = large.as_ref().clone();
            next.header.timestamp = Timestamp(1 + n as u64);
            let held = early.hold(peer((n / EARLY_BLOCKS_PEER_MAX) as u8), next.hash(), Arc::new(next));
            assert_eq!(held, n < fit, "block {n}");
        }
        assert_eq!(early.size(), (fit, fit * size));
    }
}
