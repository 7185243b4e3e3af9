use super::*;
use crate::{
    crypto::{Address, Hash, Keypair},
    ledger::{Operator, Tally},
    types::{Consensus, Height, Period, PootParams},
};
use std::collections::BTreeMap;

/// Slots of a second, time-outs of half of one.
fn params() -> ChainParams {
    let poot = PootParams {
        leader_timeout_ms: 500,
        cooldown_slots: 4,
        period_slots: 10,
        window_periods: 10,
        ..PootParams::default()
    };
    ChainParams { consensus: Consensus::Poot, block_interval_ms: 1000, poot, ..ChainParams::default() }
}

fn chain() -> ChainId {
    "test".parse().expect("it is a chain id")
}

fn key(n: u8) -> Keypair {
    Keypair::from_secret([n; 32])
}

/// An operator that was up in the last `active` of ten periods before period 20 and has relayed `megabytes` in each.
fn operator(n: u8, active: u64, megabytes: u32, last_led: Option<u64>) -> (Address, Operator) {
    let tally = Tally { uptime: true, relayed: Some(megabytes), ..Tally::default() };
    let tallies = (20 - active..20).map(|period| (Period(period), tally)).collect();
    let one = Operator { key: key(n).public(), since: Slot(0), last_led: last_led.map(Slot), tallies };
    (key(n).address(), one)
}

fn operators(all: impl IntoIterator<Item = (Address, Operator)>, slot: u64) -> Operators {
    let mut operators = Operators { members: all.into_iter().collect(), ..Operators::default() };
    operators.recent.slot = Slot(slot);
    operators
}

fn order(operators: &Operators, slot: u64) -> Vec<u8> {
    let ranking = ranking(&chain(), &params().poot, operators, Slot(slot));
    let number = |address: &Address| (0..=50).find(|n| key(*n).address() == *address).expect("it is one of them");
    ranking.iter().map(number).collect()
}

#[test]
fn who_has_done_most_leads_and_who_has_led_rests() {
    let all = [
        operator(1, 9, 10, None),
        operator(2, 9, 50, Some(196)),
        operator(3, 9, 100, Some(195)),
        operator(4, 2, 1000, Some(197)),
        operator(5, 1, 1000, None),
        operator(6, 9, 400, Some(198)),
        operator(7, 0, 0, Some(100)),
    ];
    let operators = operators(all, 199);
    // 4 and 1 by credits; of those who rest 2, 6 the one that led first; 5 and 7 have done too little.
    assert_eq!(order(&operators, 200), [3, 1, 2, 4, 6, 5, 7]);
    assert_eq!(order(&operators, 201), [3, 2, 1, 4, 6, 5, 7], "2 has rested for four slots");
    assert_eq!(order(&operators, 203), [6, 4, 3, 2, 1, 5, 7], "all have");
}

#[test]
fn ties_are_broken_anew_in_each_slot() {
    let all: Vec<_> = (1..=4).map(|n| operator(n, 5, 10, None)).collect();
    let operators = operators(all, 199);
    let first: Vec<_> = (200..600).map(|slot| order(&operators, slot)[0]).collect();
    for n in 1..=4 {
        let led = first.iter().filter(|one| **one == n).count();
        assert!((60..140).contains(&led), "{n} is the first {led} times of 400");
    }
    let other = "other".parse().expect("it is a chain id");
    let elsewhere = |slot| ranking(&other, &params().poot, &operators, Slot(slot));
    assert!((200..220).any(|slot| elsewhere(slot) != ranking(&chain(), &params().poot, &operators, Slot(slot))));
}

struct Parent(Header);

impl Ancestors for Parent {
    fn at(&self, height: Height) -> Option<&Header> {
        (height == self.0.height).then_some(&self.0)
    }
}

fn header(height: u64, timestamp: u64) -> Header {
    Header {
        height: Height(height),
        parent: Hash::default(),
        transactions_root: Hash::default(),
        state_root: Hash::default(),
        timestamp: Timestamp(timestamp),
        proposer: Address([0; 20]),
        seal: Seal::Genesis,
    }
}

fn led(by: u8, rank: Rank, timestamp: u64) -> Header {
    let mut header = Header { proposer: key(by).address(), ..header(10, timestamp) };
    header.lead(rank, &key(by));
    header
}

#[test]
fn a_header_is_led_by_its_proposer_when_its_rank_may() {
    let (parent, now) = (Parent(header(9, 199_400)), Timestamp(201_000));
    let check = |header: &Header| check(&params(), header, &parent, now);
    assert_eq!(check(&led(1, 0, 200_000)), Ok(()));
    assert_eq!(check(&led(1, 3, 201_500)), Ok(()), "half a second ahead");
    let early = |rank, opens, got| Err(SealError::TooEarly { rank, opens: Timestamp(opens), got: Timestamp(got) });
    assert_eq!(check(&led(1, 0, 199_999)), early(0, 200_000, 199_999), "the slot of the parent is taken");
    assert_eq!(check(&led(1, 1, 200_499)), early(1, 200_500, 200_499));
    assert_eq!(check(&led(1, u32::MAX, 201_000)), early(u32::MAX, 200_000 + 500 * u64::from(u32::MAX), 201_000));
    let ahead = SealError::TooNew { got: Timestamp(201_501), ahead_ms: 501 };
    assert_eq!(check(&led(1, 0, 201_501)), Err(ahead));

    let good = led(1, 0, 200_000);
    let other = SealError::Signature(key(2).address());
    let mut stolen = Header { proposer: key(2).address(), ..good.clone() };
    assert_eq!(check(&stolen), Err(other.clone()), "the key is another's");
    if let Seal::Poot { key: sealed, .. } = &mut stolen.seal {
        *sealed = key(2).public();
    }
    assert_eq!(check(&stolen), Err(other), "the signature is another's");
    let changed = Header { timestamp: Timestamp(200_001), ..good.clone() };
    assert_eq!(check(&changed), Err(SealError::Signature(key(1).address())));
    let Seal::Poot { key, signature, .. } = good.seal.clone() else { panic!("it is sealed so") };
    let promoted = Header { seal: Seal::Poot { rank: 1, key, signature }, timestamp: Timestamp(200_600), ..good };
    assert!(matches!(check(&promoted), Err(SealError::Signature(_))), "the rank is signed too");
    assert!(matches!(check(&header(10, 200_000)), Err(SealError::Foreign(_))));
}

#[test]
fn a_rank_is_what_the_state_says() {
    let below = operators([operator(1, 9, 10, None), operator(2, 9, 50, None)], 199);
    let authorise = |header: &Header| authorise(&chain(), &params(), header, &below);
    assert_eq!(authorise(&led(2, 0, 200_000)), Ok(()));
    assert_eq!(authorise(&led(1, 1, 200_500)), Ok(()));
    let (one, two) = (key(1).address(), key(2).address());
    assert_eq!(authorise(&led(1, 0, 200_000)), Err(SealError::Rank { rank: 0, expected: Some(two), got: one }));
    assert_eq!(authorise(&led(1, 2, 201_000)), Err(SealError::Rank { rank: 2, expected: None, got: one }));
    let stranger = key(3).address();
    assert_eq!(authorise(&led(3, 1, 200_500)), Err(SealError::Rank { rank: 1, expected: Some(one), got: stranger }));
}

#[test]
fn a_better_rank_outweighs_all_that_could_have_led_after_it() {
    assert_eq!(weight(0), Difficulty(65_536));
    assert!((0..WEIGHTY_RANKS).all(|rank| weight(rank).0 == 2 * weight(rank + 1).0));
    assert_eq!(weight(WEIGHTY_RANKS), weight(99));
}

#[test]
fn an_answer_is_of_one_block_one_operator_and_one_period() {
    let block = |height| crate::types::Block { header: header(height, 5), transactions: Vec::new() };
    let (one, two) = (key(1).address(), key(2).address());
    let beacon = (Height(1000), Hash([1; 32]));
    let all: BTreeMap<_, _> = [
        answer(beacon, &one, &block(5)),
        answer(beacon, &two, &block(5)),
        answer(beacon, &one, &block(6)),
        answer((Height(1000), Hash([2; 32])), &one, &block(5)),
    ]
    .into_iter()
    .map(|answer| (answer, ()))
    .collect();
    assert_eq!(all.len(), 4);
    let heights = (0..200u8).map(|n| challenged(beacon, &key(n).address()).0);
    let (low, high) = heights.fold((u64::MAX, 0), |(low, high), height| (low.min(height), high.max(height)));
    assert!(low < 100 && (900..1000).contains(&high), "from {low} to {high}");
    assert_eq!(challenged((Height(0), Hash([1; 32])), &one), Height(0), "there is nothing below genesis");
}

#[test]
fn a_question_is_of_the_operator_under_its_name_among_peers() {
    let peer = |n: u8| {
        libp2p::identity::Keypair::ed25519_from_bytes([n; 32]).expect("32 bytes are a key").public().to_peer_id()
    };
    let asking = Asking::new(&chain(), &key(1), &peer(1), Period(4), Some(Hash([9; 32])));
    assert!(asking.is_of(&chain(), &peer(1)));
    assert!(!asking.is_of(&chain(), &peer(2)), "another may not repeat it");
    assert!(!Asking { period: Period(5), ..asking.clone() }.is_of(&chain(), &peer(1)));
    assert!(!Asking { answer: None, ..asking.clone() }.is_of(&chain(), &peer(1)));
    assert!(!Asking { key: key(2).public(), ..asking }.is_of(&chain(), &peer(1)));
}
