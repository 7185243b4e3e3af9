use super::operators::*;
use crate::{
    crypto::{Hash, Keypair, Signature, SignatureError},
    types::{
        ChainId, Consensus, Genesis, Height, OPERATORS_MAX, Period, PootParams, Slot, TOKEN, Task, TaskProof,
        Testimony, Timestamp, Witness,
    },
};

fn key(n: u8) -> Keypair {
    Keypair::from_secret([n; 32])
}

fn chain() -> ChainId {
    "test".parse().expect("it is a chain id")
}

/// Periods of three slots, of which five count.
fn params() -> PootParams {
    PootParams { period_slots: 3, window_periods: 5, ..PootParams::default() }
}

/// Operators 1 to 3, in slot 0.
fn start() -> Operators {
    let mut genesis = Genesis {
        chain_id: chain(),
        timestamp: Timestamp(0),
        params: Default::default(),
        accounts: Default::default(),
        validators: Default::default(),
        operators: (1..=3).map(|n| key(n).public()).collect(),
    };
    genesis.params.consensus = Consensus::Poot;
    genesis.params.poot = params();
    genesis.validate().expect("it is valid");
    Operators::of(&genesis)
}

fn hash(height: u64) -> Hash {
    Hash([height as u8; 32])
}

/// One block a slot, from the last one up to `slot`, led by operator 1.
fn run_to(operators: &mut Operators, slot: u64) {
    while operators.recent.slot.0 < slot {
        let below = operators.recent.slot.0;
        operators.begin_block(&params(), Slot(below + 1), Height(below), hash(below));
        operators.end_block(&key(1).address());
    }
}

fn prove(operators: &mut Operators, n: u8, period: u64, task: Task) -> Result<(), TaskError> {
    operators.prove(&params(), &chain(), &key(n).public(), &TaskProof { period: Period(period), task })
}

fn witness(of: u8, by: u8, period: u64, megabytes: Option<u32>) -> Witness {
    let testimony = Testimony { operator: key(of).address(), period: Period(period), megabytes };
    testimony.sign(&chain(), &key(by))
}

#[test]
fn each_task_counts_once_in_a_period() {
    let mut operators = start();
    run_to(&mut operators, 8);
    let validation = Task::Validation { height: Height(5), block: hash(5) };
    let storage = Task::Storage { witness: witness(2, 3, 1, None) };
    let relay = Task::Relay { megabytes: 7, witness: witness(2, 3, 1, Some(7)) };
    for task in [Task::Uptime, validation, storage, relay] {
        prove(&mut operators, 2, 1, task.clone()).expect("it is right");
        assert_eq!(prove(&mut operators, 2, 1, task), Err(TaskError::Again(Period(1))));
    }
    let one = &operators.members[&key(2).address()];
    assert_eq!(one.credits(&params(), Period(2)), 3, "seven megabytes are worth two");
    assert_eq!(one.density_permille(&params(), Period(2)), 200);
    assert!(one.is_eligible(&params(), Period(2)));
    assert_eq!(operators.members[&key(3).address()].credits(&params(), Period(2)), 0, "a witness gains nothing");
}

#[test]
fn a_proof_is_of_this_period_or_the_last() {
    let mut operators = start();
    run_to(&mut operators, 14);
    let period = |got| Err(TaskError::Period { from: Period(3), to: Period(4), got: Period(got) });
    assert_eq!(prove(&mut operators, 2, 2, Task::Uptime), period(2));
    assert_eq!(prove(&mut operators, 2, 5, Task::Uptime), period(5));
    assert_eq!(prove(&mut operators, 2, 3, Task::Uptime), Ok(()));
    assert_eq!(prove(&mut operators, 2, 4, Task::Uptime), Ok(()));
    operators.register(&params(), key(4).public()).expect("there is room");
    let before = prove(&mut operators, 4, 3, Task::Uptime);
    assert_eq!(before, Err(TaskError::Period { from: Period(4), to: Period(4), got: Period(3) }));
}

#[test]
fn what_is_before_the_window_does_not_count() {
    let mut operators = start();
    run_to(&mut operators, 4);
    prove(&mut operators, 2, 1, Task::Uptime).expect("it is right");
    let counted = |operators: &Operators, now| {
        let one = &operators.members[&key(2).address()];
        (one.credits(&params(), Period(now)), one.density_permille(&params(), Period(now)))
    };
    assert_eq!(counted(&operators, 0), (0, 0), "nor what is to come");
    assert_eq!(counted(&operators, 1), (1, 200));
    assert_eq!(counted(&operators, 5), (1, 200));
    assert_eq!(counted(&operators, 6), (0, 0));
    run_to(&mut operators, 20);
    assert_eq!(operators.members[&key(2).address()].tallies.len(), 1);
    prove(&mut operators, 2, 6, Task::Uptime).expect("it is right");
    let tallies: Vec<_> = operators.members[&key(2).address()].tallies.keys().copied().collect();
    assert_eq!(tallies, [Period(6)], "what no longer counts is gone");
}

#[test]
fn megabytes_are_worth_a_credit_for_each_begun_five() {
    let mut operators = start();
    run_to(&mut operators, 4);
    for (period, megabytes) in [(0, 21), (1, 1)] {
        let task = Task::Relay { megabytes, witness: witness(2, 1, period, Some(megabytes)) };
        prove(&mut operators, 2, period, task).expect("it is right");
    }
    assert_eq!(operators.members[&key(2).address()].credits(&params(), Period(1)), 5, "22 of them");
    let max = params().relay_megabytes_max;
    for got in [0, max as u32 + 1] {
        let task = Task::Relay { megabytes: got, witness: witness(3, 1, 1, Some(got)) };
        assert_eq!(prove(&mut operators, 3, 1, task), Err(TaskError::Megabytes { max, got }));
    }
}

#[test]
fn a_witness_is_another_operator_and_has_signed_this() {
    let mut operators = start();
    run_to(&mut operators, 4);
    let mut refused = |witness| prove(&mut operators, 2, 1, Task::Storage { witness }).expect_err("it proves nothing");
    assert_eq!(refused(witness(2, 2, 1, None)), TaskError::OwnWitness);
    assert_eq!(refused(witness(2, 9, 1, None)), TaskError::Unknown(key(9).address()));
    let forged = [
        witness(3, 1, 1, None),
        witness(2, 1, 0, None),
        witness(2, 1, 1, Some(1)),
        Witness { operator: key(3).address(), ..witness(2, 1, 1, None) },
        Witness { signature: Signature([0; 64]), ..witness(2, 1, 1, None) },
    ];
    for witness in forged {
        assert_eq!(refused(witness), TaskError::Witness(SignatureError), "{witness:?}");
    }
    let more = Task::Relay { megabytes: 9, witness: witness(2, 1, 1, Some(8)) };
    assert_eq!(prove(&mut operators, 2, 1, more), Err(TaskError::Witness(SignatureError)));
}

#[test]
fn validation_is_of_a_block_of_the_period() {
    let mut operators = start();
    run_to(&mut operators, 8);
    for (height, block) in [(5, hash(6)), (2, hash(2)), (6, hash(6)), (99, hash(99))] {
        let (height, period) = (Height(height), Period(1));
        let refused = prove(&mut operators, 2, 1, Task::Validation { height, block });
        assert_eq!(refused, Err(TaskError::Block { height, period }));
    }
    assert_eq!(operators.recent.beacon(&params(), Period(1)), Some((Height(3), hash(3))));
    assert_eq!(operators.recent.last(&params(), Period(1)), Some((Height(5), hash(5))));
    assert_eq!(operators.recent.beacon(&params(), Period(0)), None, "it is too long ago");
    assert!(operators.recent.blocks.len() <= 2 * params().period_slots as usize);
}

#[test]
fn a_leader_rests() {
    let mut operators = start();
    run_to(&mut operators, 4);
    let one = &operators.members[&key(1).address()];
    let params = PootParams { cooldown_slots: 16, ..params() };
    assert_eq!(one.last_led, Some(Slot(4)));
    assert!(one.rests(&params, Slot(5)) && one.rests(&params, Slot(20)) && !one.rests(&params, Slot(21)));
    assert!(!operators.members[&key(2).address()].rests(&params, Slot(5)));
}

#[test]
fn there_is_room_for_a_number_of_operators() {
    let mut operators = start();
    assert_eq!(operators.register(&params(), key(1).public()), Err(TaskError::Registered));
    let strangers = 4..=OPERATORS_MAX as u8;
    for n in strangers {
        assert_eq!(operators.register(&params(), key(n).public()).map(|price| price.0), Ok(1000 * TOKEN.0));
    }
    assert_eq!(operators.register(&params(), key(200).public()), Err(TaskError::TooMany));
    let stranger = key(201).address();
    assert_eq!(prove(&mut operators, 201, 0, Task::Uptime), Err(TaskError::Unknown(stranger)));
}
