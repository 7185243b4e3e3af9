//! A node whose clock is behind the others'.

use super::support::{Bed, at, genesis, peer, transfer};
use crate::{
    chain::{EARLY_BLOCKS_PEER_MAX, EARLY_WAIT_MS_MAX, Effect, Source, Verdict},
    crypto::Hash,
    types::{Block, Height, Timestamp},
};

/// When a block whose timestamp is that may be taken.
fn due(block: &Block) -> Timestamp {
    Timestamp(block.header.timestamp.0 - genesis().params.future_max_ms)
}

fn from(n: u8) -> Source {
    Source::Peer(peer(n))
}

#[test]
fn a_block_from_the_future_becomes_the_head_when_its_time_has_come() {
    let (mut fast, mut slow) = (Bed::new(1), Bed::new(2));
    let block = fast.mine(at(20_000));
    let early = Timestamp(due(&block).0 - 1);
    assert_eq!(slow.give(from(1), block.clone(), early), (Verdict::Ignore, Vec::new()));
    assert_eq!(slow.give(from(2), block.clone(), early), (Verdict::Ignore, Vec::new()), "it waits already");
    assert_eq!(slow.core.early_total(), 1);
    slow.tick(early);
    assert_eq!((slow.head().height, slow.core.early().0), (Height(0), 1));
    slow.tick(due(&block));
    assert_eq!((slow.head().hash, slow.core.early()), (block.hash(), (0, 0)));
    assert_eq!(slow.core.early_total(), 1, "that it no longer waits is no reason to forget it");
}

#[test]
fn a_block_that_is_due_is_not_held() {
    let (mut fast, mut slow) = (Bed::new(1), Bed::new(2));
    let block = fast.mine(at(20_000));
    assert_eq!(slow.give(from(1), block.clone(), due(&block)).0, Verdict::Accept);
    assert_eq!((slow.head().hash, slow.core.early()), (block.hash(), (0, 0)));
    assert_eq!(slow.core.early_total(), 0);
}

#[test]
fn a_block_further_ahead_than_any_may_wait_is_left_to_sync() {
    let (mut fast, mut slow) = (Bed::new(1), Bed::new(2));
    let block = fast.mine(at(1_000_000));
    let longest = Timestamp(due(&block).0 - EARLY_WAIT_MS_MAX);
    let too_early = Timestamp(longest.0 - 1);
    assert_eq!(slow.give(from(1), block.clone(), too_early), (Verdict::Ignore, Vec::new()));
    assert_eq!(slow.core.early(), (0, 0));
    slow.give(from(1), block.clone(), longest);
    assert_eq!(slow.core.early().0, 1, "and it is not taken for a wrong one");
}

#[test]
fn what_the_hash_does_not_cover_takes_no_place() {
    let (mut fast, mut slow) = (Bed::new(1), Bed::new(2));
    fast.submit(transfer(0));
    let whole = fast.mine(at(20_000));
    let cut = Block { transactions: Vec::new(), ..whole.clone() };
    assert_eq!((whole.transactions.len(), cut.hash()), (1, whole.hash()));
    assert_eq!(slow.give(from(1), cut, at(0)).0, Verdict::Reject);
    assert_eq!(slow.core.early(), (0, 0));
    slow.give(from(2), whole.clone(), at(0));
    slow.tick(due(&whole));
    assert_eq!(slow.head().hash, whole.hash());
}

#[test]
fn blocks_on_one_that_waits_come_by_sync() {
    let (mut fast, mut slow) = (Bed::new(1), Bed::new(2));
    let blocks = [fast.mine(at(20_000)), fast.mine(at(20_001))];
    slow.core.on_connected(peer(1));
    slow.give(from(1), blocks[0].clone(), at(0));
    let (verdict, effects) = slow.core.on_block(from(1), blocks[1].clone(), at(0), &slow.store);
    assert_eq!(verdict, Verdict::Ignore);
    assert!(matches!(effects[..], [Effect::Ask(..)]), "{effects:?}");
    assert_eq!(slow.core.early().0, 1);
}

#[test]
fn a_flood_of_one_peer_leaves_places_for_others() {
    let mut slow = Bed::new(9);
    let flood = |n: usize| Bed::new(n as u8 + 1).mine(at(20_000 + n as u64));
    for n in 0..EARLY_BLOCKS_PEER_MAX + 2 {
        slow.give(from(1), flood(n), at(0));
    }
    assert_eq!(slow.core.early().0, EARLY_BLOCKS_PEER_MAX);
    let good = Bed::new(200).mine(at(30_000));
    slow.give(from(2), good.clone(), at(0));
    assert_eq!(slow.core.early().0, EARLY_BLOCKS_PEER_MAX + 1);
    slow.tick(due(&good));
    assert_eq!(slow.core.early(), (0, 0));
}

#[test]
fn one_that_turns_out_wrong_is_blamed_on_who_sent_it() {
    let (mut fast, mut slow) = (Bed::new(1), Bed::new(2));
    let wrong = fast.mine_with(at(20_000), |block| block.header.state_root = Hash([7; 32]));
    assert_eq!(slow.give(from(1), wrong.clone(), at(0)).0, Verdict::Ignore, "its state is not known yet");
    let due = slow.core.take_due(due(&wrong));
    let [(source, block)] = &due[..] else { panic!("it is due") };
    assert_eq!((*source, block), (from(1), &wrong));
    assert_eq!(slow.give(*source, block.clone(), at(5_000)).0, Verdict::Reject);
    assert_eq!((slow.head().height, slow.core.early()), (Height(0), (0, 0)));
}
