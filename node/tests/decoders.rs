//! What peers and disks send is decoded from bytes that anybody may have made: nothing of it panics, and a value has one
//! encoding, so that what decodes encodes to the same bytes.

use assay_node::{
    chain::sync::{Request, Response, Status},
    consensus::{
        poot::{Answer, Asking},
        pos::{Content, Entry, Message, PolkaProof, RoundProof, RoundReason, Wait, WaitKind},
    },
    crypto::{Address, Hash, Keypair},
    encode,
    ledger::{Account, Operator, Operators, Recent, Stakes, Supply},
    types::{
        Amount, Block, Body, Certificate, ChainId, Consensus, Difficulty, Equivocation, Genesis, Header, Height, Nonce,
        Payload, Period, Proposal, Seal, Signed, Slot, Step, TOKEN, Task, TaskProof, Testimony, Timestamp, Transaction,
        Vote, Witness, Work,
    },
};
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};

type Form = (&'static str, fn(&[u8]) -> Option<Vec<u8>>, Vec<Vec<u8>>);

fn decode<T: borsh::BorshDeserialize + borsh::BorshSerialize>(bytes: &[u8]) -> Option<Vec<u8>> {
    borsh::from_slice::<T>(bytes).ok().map(|value| encode(&value))
}

fn key() -> Keypair {
    Keypair::from_secret([3; 32])
}

fn chain() -> ChainId {
    "test".parse().expect("it is a chain id")
}

fn vote(block: Option<u8>) -> Signed<Vote> {
    let block = block.map(|byte| Hash([byte; 32]));
    let vote = Vote { height: Height(7), round: 2, step: Step::Precommit, block, validator: key().address() };
    Signed::new(vote, &chain(), &key())
}

fn transaction(payload: Payload) -> Transaction {
    let (sender, fee, valid_until) = (key().public(), Amount(3), Height(99));
    Body { chain_id: chain(), sender, nonce: Nonce(1), fee, valid_until, payload }.sign(&key())
}

fn transactions() -> Vec<Transaction> {
    let proof = Box::new(Equivocation::of_votes(vote(Some(1)), vote(None)));
    let payloads = [
        Payload::Transfer { to: Address([1; 20]), amount: Amount(5) },
        Payload::Stake { amount: Amount(5) },
        Payload::Unstake { amount: Amount(5) },
        Payload::Evidence { proof },
        Payload::Register,
    ];
    let tasks = [
        Task::Uptime,
        Task::Validation { height: Height(5), block: Hash([5; 32]) },
        Task::Storage { witness: witness(None) },
        Task::Relay { megabytes: 7, witness: witness(Some(7)) },
    ];
    let shown = tasks.map(|task| Payload::Task { proof: TaskProof { period: Period(2), task } });
    payloads.into_iter().chain(shown).map(transaction).collect()
}

fn witness(megabytes: Option<u32>) -> Witness {
    let testimony = Testimony { operator: Address([1; 20]), period: Period(2), megabytes };
    testimony.sign(&chain(), &key())
}

fn led() -> Block {
    let mut block = block(Seal::Genesis);
    block.header.lead(3, &key());
    block
}

fn of_operators() -> Genesis {
    let mut genesis = Genesis { validators: Default::default(), ..genesis() };
    genesis.params.consensus = Consensus::Poot;
    genesis.operators = [key().public()].into();
    genesis
}

/// An operator's record and that of the last blocks.
fn records() -> (Operator, Recent) {
    let genesis = of_operators();
    let mut operators = Operators::of(&genesis);
    operators.begin_block(&genesis.params.poot, Slot(9), Height(3), Hash([3; 32]));
    operators.end_block(&key().address());
    let proof = TaskProof { period: Period(1), task: Task::Uptime };
    operators.prove(&genesis.params.poot, &chain(), &key().public(), &proof).expect("it is right");
    let one = operators.members.pop_first().expect("there is one");
    (one.1, operators.recent)
}

fn block(seal: Seal) -> Block {
    let header = Header {
        height: Height(7),
        parent: Hash([2; 32]),
        transactions_root: Hash([3; 32]),
        state_root: Hash([4; 32]),
        timestamp: Timestamp(5),
        proposer: key().address(),
        seal,
    };
    Block { header, transactions: transactions() }
}

fn agreed() -> Block {
    let signatures = vec![(key().address(), vote(Some(1)).signature)];
    block(Seal::Pos { round: 1, certificate: Certificate { round: 2, signatures } })
}

fn proposal() -> Signed<Proposal> {
    let validator = key().address();
    let ballot = Proposal { height: Height(7), round: 2, block: Hash([1; 32]), proof_round: Some(1), validator };
    Signed::new(ballot, &chain(), &key())
}

fn genesis() -> Genesis {
    let mut genesis = Genesis {
        chain_id: chain(),
        timestamp: Timestamp(1),
        params: Default::default(),
        accounts: [(key().address(), Amount(5))].into(),
        validators: [(key().public(), Amount(5000 * TOKEN.0))].into(),
        operators: Default::default(),
    };
    genesis.params.consensus = Consensus::Pos;
    genesis
}

fn forms() -> Vec<Form> {
    let polka = PolkaProof { height: Height(7), round: 2, block: Hash([1; 32]), signatures: vec![] };
    let votes = vec![(Step::Prevote, None, key().address(), vote(None).signature)];
    let round = RoundProof { height: Height(7), round: 2, reason: RoundReason::Skip, votes };
    let contents = [
        Content::Proposal(proposal(), Box::new(agreed())),
        Content::Vote(vote(None)),
        Content::Polka(polka.clone()),
        Content::Round(round),
    ];
    let messages = contents.map(|content| encode(&Message { content, copy: 1 }));
    let entries = [
        Entry::Vote(vote(Some(3))),
        Entry::Proposal(proposal()),
        Entry::Block {
            round: 1,
            proof_round: None,
            proposer: key().address(),
            block: Box::new(agreed()),
            is_valid: true,
        },
        Entry::Polka(polka),
        Entry::Elapsed(Wait { kind: WaitKind::Prevotes, round: 1 }),
    ];
    let status = Status { genesis: Hash([1; 32]), head: Hash([2; 32]), height: Height(3), work: Work(4) };
    let peer = libp2p::identity::Keypair::ed25519_from_bytes([5; 32]).expect("32 bytes are a key");
    let peer = peer.public().to_peer_id();
    let requests = [
        Request::Status(status),
        Request::Blocks { locator: vec![Hash([1; 32]); 3], count: 5 },
        Request::Addresses,
        Request::Witness(Box::new(Asking::new(&chain(), &key(), &peer, Period(2), Some(Hash([6; 32]))))),
    ];
    let responses = [
        Response::Status(status),
        Response::Blocks(vec![agreed(), block(Seal::Pow { difficulty: Difficulty(9), nonce: 8 })]),
        Response::Addresses(vec!["/ip4/127.0.0.1/tcp/1".into()]),
        Response::Witness(Box::new(Answer { storage: Some(witness(None)), relay: Some((7, witness(Some(7)))) })),
    ];
    let work = Seal::Pow { difficulty: Difficulty(9), nonce: 8 };
    vec![
        ("block", decode::<Block>, vec![encode(&block(work)), encode(&agreed()), encode(&led())]),
        ("stored block", decode::<(Work, Block)>, vec![encode(&(Work(3), agreed()))]),
        ("transaction", decode::<Transaction>, transactions().iter().map(encode).collect()),
        ("agreement", decode::<Message>, messages.into()),
        ("log entry", decode::<Entry>, entries.iter().map(encode).collect()),
        ("request", decode::<Request>, requests.iter().map(encode).collect()),
        ("response", decode::<Response>, responses.iter().map(encode).collect()),
        ("genesis", decode::<Genesis>, vec![encode(&genesis()), encode(&of_operators())]),
        ("stakes", decode::<Stakes>, vec![encode(&Stakes::of(&genesis()))]),
        ("operator", decode::<Operator>, vec![encode(&records().0)]),
        ("last blocks", decode::<Recent>, vec![encode(&records().1)]),
        ("account", decode::<Account>, vec![encode(&Account { balance: Amount(5), nonce: Nonce(6) })]),
        ("supply", decode::<Supply>, vec![encode(&Supply { height: Height(1), total: Amount(2) })]),
    ]
}

#[test]
fn values_come_back_from_their_encoding() {
    for (name, decode, samples) in forms() {
        for sample in samples {
            assert_eq!(decode(&sample), Some(sample.clone()), "{name}");
            assert_eq!(decode(&[&sample[..], &[0]].concat()), None, "{name}: a byte too many");
            for len in 0..sample.len() {
                assert_ne!(decode(&sample[..len]).as_deref(), Some(&sample[..]), "{name}: {len} bytes of it");
            }
        }
    }
}

#[test]
fn bytes_of_anybody_do_not_panic_and_have_one_meaning() {
    let mut runner = TestRunner::deterministic();
    for (name, decode, samples) in forms() {
        runner
            .run(&vec(any::<u8>(), 0..600), |bytes| {
                prop_assert!(decode(&bytes).is_none_or(|again| again == bytes), "{name}: {bytes:?}");
                Ok(())
            })
            .unwrap_or_else(|error| panic!("{error}"));
        let changes = vec((any::<prop::sample::Index>(), any::<u8>()), 1..8);
        for sample in samples {
            runner
                .run(&changes, |changes| {
                    let mut bytes = sample.clone();
                    for (place, byte) in changes {
                        let place = place.index(bytes.len());
                        bytes[place] = byte;
                    }
                    prop_assert!(decode(&bytes).is_none_or(|again| again == bytes), "{name}: {bytes:?}");
                    Ok(())
                })
                .unwrap_or_else(|error| panic!("{error}"));
        }
    }
}
