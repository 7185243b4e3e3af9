use super::stake::*;
use crate::{
    crypto::{Hash, Keypair},
    types::{
        Amount, ChainId, Consensus, Equivocation, EquivocationError, Genesis, Height, PosParams, Signed, Step, TOKEN,
        Timestamp, Vote,
    },
};

fn tokens(n: u64) -> Amount {
    Amount(n * TOKEN.0)
}

fn key(n: u8) -> Keypair {
    Keypair::from_secret([n; 32])
}

fn chain() -> ChainId {
    "test".parse().expect("it is a chain id")
}

fn params() -> PosParams {
    PosParams { epoch_blocks: 10, unbonding_blocks: 20, ..PosParams::default() }
}

/// Validators 1 to 3 with 1000, 2000 and 3000 tokens.
fn start() -> Stakes {
    let mut genesis = Genesis {
        chain_id: chain(),
        timestamp: Timestamp(0),
        params: Default::default(),
        accounts: Default::default(),
        validators: (1..=3).map(|n| (key(n).public(), tokens(1000 * u64::from(n)))).collect(),
        operators: Default::default(),
    };
    genesis.params.consensus = Consensus::Pos;
    genesis.params.pos = params();
    genesis.validate().expect("it is valid");
    Stakes::of(&genesis)
}

fn double_vote(key: &Keypair, height: u64) -> Equivocation {
    let vote = |block: u8| {
        let block = Some(Hash([block; 32]));
        let vote = Vote { height: Height(height), round: 0, step: Step::Prevote, block, validator: key.address() };
        Signed::new(vote, &chain(), key)
    };
    Equivocation::of_votes(vote(1), vote(2))
}

#[test]
fn the_set_changes_between_epochs_only() {
    let mut stakes = start();
    stakes.stake(&params(), key(4).public(), tokens(5000)).expect("it is enough");
    stakes.unstake(&params(), Height(3), key(1).public(), tokens(1000)).expect("it is bonded");
    let before = stakes.active.clone();
    for height in 3..10 {
        assert!(stakes.end_block(&params(), Height(height)).is_empty());
        assert_eq!(stakes.active, before, "height {height} is within the epoch");
    }
    assert!(stakes.end_block(&params(), Height(10)).is_empty());
    let mut now: Vec<_> = stakes.active.iter().map(|validator| (validator.stake, validator.key)).collect();
    now.sort();
    let expected = [(2000, 2), (3000, 3), (5000, 4)].map(|(stake, n)| (tokens(stake), key(n).public()));
    assert_eq!(now, expected);
}

#[test]
fn what_is_taken_out_is_free_after_its_time() {
    let mut stakes = start();
    let total = stakes.total();
    stakes.unstake(&params(), Height(3), key(3).public(), tokens(500)).expect("it is bonded");
    assert_eq!(stakes.total(), total, "it is not free yet");
    assert!(stakes.end_block(&params(), Height(22)).is_empty());
    assert_eq!(stakes.end_block(&params(), Height(23)), [(key(3).address(), tokens(500))]);
    assert_eq!(stakes.total(), Amount(total.0 - tokens(500).0));
}

#[test]
fn bonds_have_bounds() {
    let mut stakes = start();
    let min = params().stake_min;
    let got = tokens(999);
    assert_eq!(stakes.stake(&params(), key(9).public(), got), Err(StakeError::TooSmall { got, min }));
    let left = stakes.unstake(&params(), Height(1), key(2).public(), tokens(1500));
    assert_eq!(left, Err(StakeError::TooSmall { got: tokens(500), min }));
    let more = stakes.unstake(&params(), Height(1), key(2).public(), tokens(2001));
    assert_eq!(more, Err(StakeError::NotBonded { got: tokens(2000), wanted: tokens(2001) }));
    for _ in 0..UNBONDING_MAX {
        stakes.unstake(&params(), Height(1), key(3).public(), tokens(10)).expect("there is room");
    }
    let one_more = stakes.unstake(&params(), Height(1), key(3).public(), tokens(10));
    assert_eq!(one_more, Err(StakeError::TooMany(UNBONDING_MAX)));
    assert_eq!(stakes.total(), tokens(6000));
}

#[test]
fn who_contradicts_itself_is_slashed_once() {
    let mut stakes = start();
    stakes.unstake(&params(), Height(3), key(3).public(), tokens(1000)).expect("it is bonded");
    let proof = double_vote(&key(3), 5);
    assert_eq!(stakes.punish(&params(), &chain(), Height(6), &proof), Ok(tokens(150)), "5 % of 2000 and of 1000");
    assert_eq!(stakes.bonds[&key(3).address()].amount, tokens(1900));
    assert_eq!(stakes.unbonding[0].amount, tokens(950));
    assert_eq!(stakes.punish(&params(), &chain(), Height(6), &proof), Err(StakeError::Punished));
    assert_eq!(stakes.total(), tokens(5850));
}

#[test]
fn evidence_has_an_age_and_an_accused() {
    let mut stakes = start();
    let before = stakes.clone();
    let age = |got| Err(StakeError::Age { from: Height(10), to: Height(30), got: Height(got) });
    assert_eq!(stakes.punish(&params(), &chain(), Height(30), &double_vote(&key(1), 9)), age(9));
    assert_eq!(stakes.punish(&params(), &chain(), Height(30), &double_vote(&key(1), 31)), age(31));
    let stranger = stakes.punish(&params(), &chain(), Height(30), &double_vote(&key(8), 20));
    assert_eq!(stranger, Err(StakeError::Unknown(key(8).address())));
    let Equivocation::Votes(a, _) = double_vote(&key(1), 20) else { unreachable!("it is of votes") };
    let same = stakes.punish(&params(), &chain(), Height(30), &Equivocation::Votes(a.clone(), a));
    assert_eq!(same, Err(EquivocationError::NoContradiction.into()));
    assert_eq!(stakes, before);
    // Used evidence is remembered for as long as it would be good.
    stakes.punish(&params(), &chain(), Height(30), &double_vote(&key(1), 20)).expect("it is good");
    stakes.end_block(&params(), Height(40));
    assert_eq!(stakes.punished.len(), 1);
    stakes.end_block(&params(), Height(41));
    assert_eq!(stakes.punished.len(), 0);
}

#[test]
fn a_chain_keeps_its_last_validators() {
    let mut stakes = start();
    for n in 1..=3 {
        let all = stakes.bonds[&key(n).address()].amount;
        stakes.unstake(&params(), Height(1), key(n).public(), all).expect("it is bonded");
    }
    let before = stakes.active.clone();
    stakes.end_block(&params(), Height(10));
    assert_eq!(stakes.active, before);
}
