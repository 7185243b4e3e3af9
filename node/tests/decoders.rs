//! What peers and disks send is decoded from bytes that anybody may have made: nothing of it panics, and a value has one
//! encoding, so that what decodes encodes to the same bytes.

use assay_node::{
    chain::sync::{Request, Response, Status},
    consensus::pos::{Content, Entry, Message, PolkaProof, RoundProof, RoundReason, Wait, WaitKind},
    crypto::{Address, Hash, Keypair},
    encode,
    ledger::{Account, Stakes, Supply},
    types::{
        Amount, Block, Body, Certificate, ChainId, Difficulty, Equivocation, Genesis, Header, Height, Nonce, Payload,
        Proposal, Seal, Signed, Step, TOKEN, Timestamp, Transaction, Vote, Work,
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
    ];
    payloads.map(transaction).into()
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
    genesis.params.consensus = assay_node::types::Consensus::Pos;
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
    let requests =
        [Request::Status(status), Request::Blocks { locator: vec![Hash([1; 32]); 3], count: 5 }, Request::Addresses];
    let responses = [
        Response::Status(status),
        Response::Blocks(vec![agreed(), block(Seal::Pow { difficulty: Difficulty(9), nonce: 8 })]),
        Response::Addresses(vec!["/ip4/127.0.0.1/tcp/1".into()]),
    ];
    let work = Seal::Pow { difficulty: Difficulty(9), nonce: 8 };
    vec![
        ("block", decode::<Block>, vec![encode(&block(work)), encode(&agreed())]),
        ("stored block", decode::<(Work, Block)>, vec![encode(&(Work(3), agreed()))]),
        ("transaction", decode::<Transaction>, transactions().iter().map(encode).collect()),
        ("agreement", decode::<Message>, messages.into()),
        ("log entry", decode::<Entry>, entries.iter().map(encode).collect()),
        ("request", decode::<Request>, requests.iter().map(encode).collect()),
        ("response", decode::<Response>, responses.iter().map(encode).collect()),
        ("genesis", decode::<Genesis>, vec![encode(&genesis())]),
        ("stakes", decode::<Stakes>, vec![encode(&Stakes::of(&genesis()))]),
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
