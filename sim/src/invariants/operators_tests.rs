//! The properties on a chain with operators: they fire on each broken rule, and the second reading of the rules of tasks comes
//! to the same as the node's.

use super::{Checked, Invariant, Observation, Violation, tasks::Tasks, validity::Validity};
use crate::entropy;
use assay_node::{
    consensus::poot,
    crypto::{Hash, Keypair},
    ledger::{self, execute_genesis},
    types::{
        Amount, Block, Body, ChainParams, Consensus, Genesis, Header, Height, Nonce, Payload, Period, PootParams, Rank,
        Seal, Slot, TOKEN, Task, TaskProof, Testimony, Timestamp, Transaction, Witness,
    },
};

fn key(n: u8) -> Keypair {
    Keypair::from_secret([n + 1; 32])
}

/// Four operators and one account; slots of a second, periods of three, of which four count.
fn genesis() -> Genesis {
    let poot = PootParams {
        leader_timeout_ms: 500,
        cooldown_slots: 2,
        period_slots: 3,
        window_periods: 4,
        relay_megabytes_max: 50,
        ..PootParams::default()
    };
    Genesis {
        chain_id: "test".parse().expect("a chain's name"),
        timestamp: Timestamp(1000),
        params: ChainParams { consensus: Consensus::Poot, block_interval_ms: 1000, poot, ..ChainParams::default() },
        accounts: [(key(9).address(), Amount(100_000 * TOKEN.0))].into(),
        validators: Default::default(),
        operators: (0..4).map(|n| key(n).public()).collect(),
    }
}

fn first(genesis: &Genesis) -> Block {
    genesis.block(execute_genesis(genesis).expect("memory does not fail").state_root)
}

/// The next block, right but for its state root, led by the operator of `rank` as soon as it may.
fn block(genesis: &Genesis, parent: &Block, tasks: &Tasks, rank: Rank) -> Block {
    let order = tasks.order(&genesis.chain_id, &genesis.params.poot);
    let leader = (0..4).map(key).find(|key| key.address() == order[rank as usize]).expect("it is an operator");
    let mut header = Header {
        height: parent.header.height.next(),
        parent: parent.hash(),
        timestamp: poot::opening(&genesis.params, genesis.params.slot(parent.header.timestamp), rank),
        proposer: leader.address(),
        ..parent.header.clone()
    };
    header.lead(rank, &leader);
    Block { header, transactions: Vec::new() }
}

fn check(validity: &mut Validity, block: &Block) -> Result<Checked, Violation> {
    validity.check(0, &Observation::Block { hash: block.hash(), block })
}

#[test]
fn leaders_and_stand_ins_make_a_right_chain() {
    let genesis = genesis();
    let mut parent = first(&genesis);
    let (mut validity, mut tasks) = (Validity::new(&genesis, &parent), Tasks::new(&genesis));
    for rank in [0, 0, 3, 1, 0, 2] {
        let next = block(&genesis, &parent, &tasks, rank);
        assert_eq!(check(&mut validity, &next), Ok(Checked::Yes));
        let slot = genesis.params.slot(next.header.timestamp).0;
        tasks.begin_block(&genesis.params.poot, slot, parent.header.height.0, parent.hash());
        tasks.end_block(&next.header.proposer);
        parent = next;
    }
}

#[test]
fn fires_on_who_may_not_lead() {
    let genesis = genesis();
    let (first, tasks) = (first(&genesis), Tasks::new(&genesis));
    let refusal = |change: &dyn Fn(&mut Block)| {
        let mut block = block(&genesis, &first, &tasks, 1);
        change(&mut block);
        let violation = check(&mut Validity::new(&genesis, &first), &block).expect_err("it is wrong").0;
        violation.split_once("at height 1 ").expect("every message names the height").1.to_owned()
    };
    let order = tasks.order(&genesis.chain_id, &genesis.params.poot);
    let lead_as = |block: &mut Block, rank| {
        let leader = (0..4).map(key).find(|key| key.address() == block.header.proposer).expect("it is an operator");
        block.header.lead(rank, &leader);
    };
    let promoted = refusal(&|block| lead_as(block, 0));
    assert_eq!(promoted, format!("is led by {} as rank 0, which is {:?}", order[1], Some(order[0])));
    let early = refusal(&|block| {
        block.header.timestamp.0 -= 1;
        lead_as(block, 1);
    });
    assert_eq!(early, "is led at 2499, and rank 1 may lead from 2500 on");
    let unsigned = refusal(&|block| block.header.timestamp.0 += 1);
    assert_eq!(unsigned, format!("is not signed by {}", order[1]));
    let nobody = refusal(&|block| {
        block.header.proposer = key(9).address();
        block.header.lead(1, &key(9));
    });
    assert!(nobody.starts_with(&format!("is led by {} as rank 1", key(9).address())), "{nobody}");
    assert_eq!(refusal(&|block| block.header.seal = Seal::Genesis), "is led by nobody");
}

fn hash(height: u64) -> Hash {
    Hash([height as u8; 32])
}

fn proof(dice: &mut entropy::Stream, now: u64, height: u64) -> Payload {
    let mut roll = |below| entropy::below(dice, below);
    let period = (now + 1).saturating_sub(roll(4));
    let signs = |megabytes, by: u64, of: u64| -> Witness {
        let testimony = Testimony { operator: key(of as u8).address(), period: Period(period), megabytes };
        testimony.sign(&genesis().chain_id, &key(by as u8))
    };
    let task = match roll(5) {
        0 => Task::Uptime,
        1 => {
            let height = height.saturating_sub(roll(8));
            Task::Validation { height: Height(height), block: hash(height + roll(8) / 7) }
        }
        2 => Task::Storage { witness: signs(None, roll(5), roll(5)) },
        _ => {
            let megabytes = roll(60) as u32;
            Task::Relay { megabytes, witness: signs(Some(megabytes + roll(8) as u32 / 7), roll(5), roll(5)) }
        }
    };
    if roll(12) == 0 { Payload::Register } else { Payload::Task { proof: TaskProof { period: Period(period), task } } }
}

#[test]
fn both_readings_of_the_rules_of_tasks_agree() {
    let genesis = genesis();
    let (chain, params) = (&genesis.chain_id, &genesis.params.poot);
    let (mut applied, mut refused, mut ready) = (0, 0, 0);
    for seed in 0..50 {
        let mut dice = entropy::stream(seed, "tasks", "test");
        let (mut first, mut second) = (ledger::Operators::of(&genesis), Tasks::new(&genesis));
        let mut slot = 1;
        for height in 1..60u64 {
            slot += 1 + entropy::below(&mut dice, 2) * entropy::below(&mut dice, 3);
            first.begin_block(params, Slot(slot), Height(height - 1), hash(height - 1));
            second.begin_block(params, slot, height - 1, hash(height - 1));
            for _ in 0..entropy::below(&mut dice, 9) {
                let who = key(entropy::below(&mut dice, 6) as u8);
                let body = Body {
                    chain_id: chain.clone(),
                    sender: who.public(),
                    nonce: Nonce(0),
                    fee: Amount(0),
                    valid_until: Height(100),
                    payload: proof(&mut dice, slot / params.period_slots, height - 1),
                };
                let tx: Transaction = body.sign(&who);
                let before = second.clone();
                let ours = match &tx.body.payload {
                    Payload::Task { proof } => first.prove(params, chain, &who.public(), proof).is_ok(),
                    _ => first.register(params, who.public()).is_ok(),
                };
                let theirs = second.apply(params, chain, &tx).is_ok();
                assert_eq!(ours, theirs, "seed {seed}, height {height}: {:?}", tx.body.payload);
                if !theirs {
                    second = before;
                }
                applied += u64::from(ours);
                refused += u64::from(!ours);
            }
            let leader = key(entropy::below(&mut dice, 4) as u8).address();
            first.end_block(&leader);
            second.end_block(&leader);
            assert_eq!(second.differs(params, &first), None, "seed {seed}, height {height}");
            let next = Slot(slot + 1);
            let order = poot::ranking(chain, params, &first, next);
            assert_eq!(second.order(chain, params), order, "seed {seed}, height {height}");
            let standings = poot::standings(chain, params, &first, next);
            ready += standings.iter().filter(|(standing, _)| matches!(standing, poot::Standing::Ready(_))).count();
        }
    }
    assert!(applied > 1000 && refused > 1000, "{applied} applied, {refused} refused: both must be tried");
    assert!(ready > 1000, "{ready} times somebody was ready");
}

#[test]
fn a_record_that_differs_is_noticed() {
    let genesis = genesis();
    let params = &genesis.params.poot;
    let mut second = Tasks::new(&genesis);
    let mut right = ledger::Operators::of(&genesis);
    assert_eq!(second.differs(params, &right), None);
    right.begin_block(params, Slot(4), Height(0), hash(0));
    assert_eq!(second.differs(params, &right), Some("other last blocks"));
    second.begin_block(params, 4, 0, hash(0));
    let leader = key(2).address();
    right.end_block(&leader);
    assert_eq!(second.differs(params, &right), Some("other last leaders"));
    second.end_block(&leader);
    let uptime = TaskProof { period: Period(1), task: Task::Uptime };
    right.prove(params, &genesis.chain_id, &key(1).public(), &uptime).expect("it is right");
    assert_eq!(second.differs(params, &right), Some("other tasks"));
    right.members.remove(&key(3).address());
    assert_eq!(second.differs(params, &right), Some("other operators"));
}
