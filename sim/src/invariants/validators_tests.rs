//! The properties on a chain with validators: they fire on each broken rule, and the second reading of the rules of stakes
//! comes to the same as the node's.

use super::{Checked, Invariant, Observation, Violation, stakes::Stakes, validity::Validity};
use assay_node::{
    crypto::{Address, Hash, Keypair},
    ledger::{self, execute_genesis},
    types::{
        Amount, Ballot, Block, Body, Certificate, ChainParams, Consensus, Equivocation, Genesis, Header, Height, Nonce,
        Payload, PosParams, Seal, Signed, Step, TOKEN, Timestamp, Transaction, Vote,
    },
};

fn key(n: u8) -> Keypair {
    Keypair::from_secret([n + 1; 32])
}

/// Four validators with 5000 tokens each, and one account that has none bonded; epochs of two blocks.
fn genesis() -> Genesis {
    let pos = PosParams { epoch_blocks: 2, unbonding_blocks: 6, ..PosParams::default() };
    Genesis {
        chain_id: "test".parse().expect("a chain's name"),
        timestamp: Timestamp(1000),
        params: ChainParams { consensus: Consensus::Pos, pos, ..ChainParams::default() },
        accounts: [(key(9).address(), Amount(100_000 * TOKEN.0))].into(),
        validators: (0..4).map(|n| (key(n).public(), Amount(5000 * TOKEN.0))).collect(),
        operators: Default::default(),
    }
}

fn first(genesis: &Genesis) -> Block {
    genesis.block(execute_genesis(genesis).expect("memory does not fail").state_root)
}

/// The next block, right but for its state root, signed by `signers`.
fn block(genesis: &Genesis, parent: &Block, set: &Stakes, transactions: Vec<Transaction>, signers: &[u8]) -> Block {
    let height = parent.header.height.next();
    let header = Header {
        height,
        parent: parent.hash(),
        timestamp: Timestamp(parent.header.timestamp.0 + 1),
        proposer: set.set().proposer(height, 0).address(),
        seal: Seal::Pos { round: 0, certificate: Certificate::default() },
        ..parent.header.clone()
    };
    let mut block = Block { header, transactions };
    block.header.transactions_root = block.transactions_root();
    sign(genesis, &mut block, signers);
    block
}

fn sign(genesis: &Genesis, block: &mut Block, signers: &[u8]) {
    let (height, hash) = (block.header.height, block.hash());
    let mut agreed = Certificate::default();
    for key in signers.iter().map(|n| key(*n)) {
        let vote = agreed.vote(height, hash, key.address());
        agreed.signatures.push((key.address(), key.sign(&vote.digest(&genesis.chain_id))));
    }
    let Seal::Pos { certificate, .. } = &mut block.header.seal else {
        panic!("blocks of this chain have certificates")
    };
    *certificate = agreed;
}

fn check(validity: &mut Validity, block: &Block) -> Result<Checked, Violation> {
    validity.check(0, &Observation::Block { hash: block.hash(), block })
}

fn stake(nonce: u64, amount: u64) -> Transaction {
    let body = Body {
        chain_id: genesis().chain_id,
        sender: key(9).public(),
        nonce: Nonce(nonce),
        fee: Amount(1),
        valid_until: Height(100),
        payload: Payload::Stake { amount: Amount(amount * TOKEN.0) },
    };
    body.sign(&key(9))
}

#[test]
fn three_of_four_make_a_right_block() {
    let genesis = genesis();
    let (first, set) = (first(&genesis), Stakes::new(&genesis));
    let mut validity = Validity::new(&genesis, &first);
    let one = block(&genesis, &first, &set, Vec::new(), &[0, 1, 2]);
    assert_eq!(check(&mut validity, &one), Ok(Checked::Yes));
}

#[test]
fn fires_on_what_is_not_agreed_on() {
    let genesis = genesis();
    let (first, set) = (first(&genesis), Stakes::new(&genesis));
    let refusal = |change: &dyn Fn(&mut Block)| {
        let mut block = block(&genesis, &first, &set, Vec::new(), &[0, 1, 2]);
        change(&mut block);
        let violation = check(&mut Validity::new(&genesis, &first), &block).expect_err("it is wrong").0;
        let what = violation.split_once("at height 1 ").expect("every message names the height").1.to_owned();
        what.replace(&key(3).address().to_string(), "THREE").replace(&key(7).address().to_string(), "SEVEN")
    };
    assert_eq!(
        refusal(&|block| sign(&genesis, block, &[0, 1])),
        "is signed by 10000 of 20000, which is not more than two thirds"
    );
    let twice = refusal(&|block| sign(&genesis, block, &[0, 1, 1]));
    assert_eq!(twice, "is signed by 10000 of 20000, which is not more than two thirds");
    assert_eq!(refusal(&|block| sign(&genesis, block, &[0, 1, 7])), "is signed by SEVEN, who is no validator");
    let forged = refusal(&|block| {
        sign(&genesis, block, &[0, 1, 3]);
        let Seal::Pos { certificate, .. } = &mut block.header.seal else { panic!("it has a certificate") };
        certificate.signatures[2].1.0[5] ^= 1;
    });
    assert_eq!(forged, "has a forged signature of THREE");
    let other = refusal(&|block| {
        block.header.proposer = Address([9; 20]);
        sign(&genesis, block, &[0, 1, 2]);
    });
    assert!(other.contains("and it was the turn of"), "{other}");
    let old = refusal(&|block| {
        block.header.timestamp = Timestamp(1000);
        sign(&genesis, block, &[0, 1, 2]);
    });
    assert_eq!(old, "has the timestamp 1000, and its parent 1000");
    let worked = refusal(&|block| block.header.seal = Seal::Genesis);
    assert_eq!(worked, "has no certificate");
}

#[test]
fn fires_on_a_set_that_changes_a_height_early() {
    let genesis = genesis();
    let (first, mut set) = (first(&genesis), Stakes::new(&genesis));
    let mut validity = Validity::new(&genesis, &first);
    // The newcomer bonds as much as three of the others in block 1, and votes from block 3 on.
    let one = block(&genesis, &first, &set, vec![stake(0, 15_000)], &[0, 1, 2]);
    check(&mut validity, &one).expect("it is right");
    set.apply(&genesis.params.pos, &genesis.chain_id, 1, &one.transactions[0]).expect("it is enough");
    set.end_block(&genesis.params.pos, 1);
    let early = block(&genesis, &one, &set, Vec::new(), &[0, 1, 9]);
    let violation = check(&mut validity, &early).expect_err("it votes too early").0;
    assert!(violation.ends_with("who is no validator"), "{violation}");
    let two = block(&genesis, &one, &set, Vec::new(), &[0, 1, 2]);
    check(&mut validity, &two).expect("it is right");
    set.end_block(&genesis.params.pos, 2);
    let late = block(&genesis, &two, &set, Vec::new(), &[0, 1, 2]);
    let violation = check(&mut validity, &late).expect_err("three of the old ones are too few now").0;
    assert!(violation.ends_with("is signed by 15000 of 35000, which is not more than two thirds"), "{violation}");
    let three = block(&genesis, &two, &set, Vec::new(), &[0, 1, 9]);
    check(&mut validity, &three).expect("25000 of 35000 are enough");
}

/// SplitMix64.
fn roll(state: &mut u64, below: u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) % below
}

fn double_vote(n: u8, height: u64) -> Equivocation {
    let vote = |block: u8| {
        let (block, validator) = (Some(Hash([block; 32])), key(n).address());
        let vote = Vote { height: Height(height), round: 0, step: Step::Prevote, block, validator };
        Signed::new(vote, &genesis().chain_id, &key(n))
    };
    Equivocation::of_votes(vote(1), vote(2))
}

#[test]
fn both_readings_of_the_rules_of_stakes_agree() {
    let genesis = genesis();
    let pos = &genesis.params.pos;
    let (mut applied, mut refused) = (0, 0);
    for seed in 0..50 {
        let mut dice = seed;
        let (mut first, mut second) = (ledger::Stakes::of(&genesis), Stakes::new(&genesis));
        for height in 1..60u64 {
            for _ in 0..roll(&mut dice, 3) {
                let who = roll(&mut dice, 6) as u8;
                let amount = Amount((1 + roll(&mut dice, 6)) * 500 * TOKEN.0);
                let proof = double_vote(who, (height + 2).saturating_sub(roll(&mut dice, 10)));
                let payload = match roll(&mut dice, 5) {
                    0 | 1 => Payload::Stake { amount },
                    2 | 3 => Payload::Unstake { amount },
                    _ => Payload::Evidence { proof: Box::new(proof) },
                };
                let body = Body {
                    chain_id: genesis.chain_id.clone(),
                    sender: key(who).public(),
                    nonce: Nonce(0),
                    fee: Amount(0),
                    valid_until: Height(100),
                    payload,
                };
                let tx = body.sign(&key(who));
                let (before, sender, at) = (second.clone(), tx.body.sender, Height(height));
                let ours = match &tx.body.payload {
                    Payload::Stake { amount } => first.stake(pos, sender, *amount).is_ok(),
                    Payload::Unstake { amount } => first.unstake(pos, at, sender, *amount).is_ok(),
                    Payload::Evidence { proof } => first.punish(pos, &genesis.chain_id, at, proof).is_ok(),
                    Payload::Transfer { .. } | Payload::Register | Payload::Task { .. } => {
                        unreachable!("there are none here")
                    }
                };
                // How many amounts may wait at once is a bound on size, which a second reading does not need.
                let theirs = second.apply(pos, &genesis.chain_id, height, &tx).is_ok();
                if !ours {
                    second = before;
                }
                let is_bound = matches!(tx.body.payload, Payload::Unstake { .. }) && theirs && !ours;
                assert!(ours == theirs || is_bound, "seed {seed}, height {height}: {:?}", tx.body.payload);
                applied += u64::from(ours);
                refused += u64::from(!ours);
            }
            let free = first.end_block(pos, Height(height));
            let free: Vec<_> = free.into_iter().map(|(address, amount)| (address, amount.0)).collect();
            assert_eq!(second.end_block(pos, height), free, "seed {seed}, height {height}");
            assert_eq!(second.differs(&first), None, "seed {seed}, height {height}");
        }
    }
    assert!(applied > 500 && refused > 500, "{applied} applied, {refused} refused: both must be tried");
}

#[test]
fn a_record_that_differs_is_noticed() {
    let genesis = genesis();
    let second = Stakes::new(&genesis);
    let right = ledger::Stakes::of(&genesis);
    assert_eq!(second.differs(&right), None);
    let mut other = right.clone();
    other.bonds.values_mut().for_each(|bond| bond.amount.0 += 1);
    assert_eq!(second.differs(&other), Some("other bonds"));
    let mut other = right.clone();
    other.active = Default::default();
    assert_eq!(second.differs(&other), Some("other validators"));
    let mut other = right;
    other.unstake(&genesis.params.pos, Height(1), key(0).public(), Amount(TOKEN.0)).expect("it is bonded");
    other.bonds = ledger::Stakes::of(&genesis).bonds;
    assert_eq!(second.differs(&other), Some("other bonds that are taken back"));
}
