//! The forms that bytes from outside take, with samples of each, and what may be asked of any bytes. The tests of the
//! decoders use them, and the fuzz targets in `node/fuzz`.
#![allow(dead_code, reason = "each program that has this module uses a part of it")]

pub mod play;
pub mod samples;
pub mod used;

use assay_node::{
    api::{
        BODY_BYTES_MAX,
        model::{AccountProofInfo, TransactionProofInfo},
    },
    chain::sync::ADDRESS_BYTES_MAX,
    consensus::pos::Entry,
    encode,
    ledger::{Account, Operator, Recent, Stakes, Supply},
    p2p::{GOSSIP_BYTES_MAX, REQUEST_BYTES_MAX, RESPONSE_BYTES_MAX},
    types::{Block, TRANSACTION_BYTES_MAX, Transaction, Work},
};
use borsh::{BorshDeserialize, BorshSerialize};
use libp2p::Multiaddr;
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;

/// A form that bytes take.
pub struct Form {
    /// Its name, which is that of its fuzz target.
    pub name: &'static str,
    /// Bytes of it that a node looks at, at most.
    pub bytes_max: usize,
    /// Whether the bytes are a value. Does with it all that a node does before it looks at its own state.
    ///
    /// # Panics
    /// When the value has another encoding as well, or when what is done with it panics.
    pub check: fn(&[u8]) -> bool,
    /// Encoded values.
    pub samples: Vec<Vec<u8>>,
}

/// What anybody can send to a node or, as a node, to a client.
pub fn of_peers() -> Vec<Form> {
    let form = |name, bytes_max, check, samples| Form { name, bytes_max, check, samples };
    vec![
        form("block", GOSSIP_BYTES_MAX, |bytes| binary(bytes, used::block), encoded(&samples::blocks())),
        form(
            "transaction",
            TRANSACTION_BYTES_MAX,
            |bytes| binary(bytes, used::transaction),
            encoded(&[samples::transactions(), samples::shown()].concat()),
        ),
        form("agreement", GOSSIP_BYTES_MAX, |bytes| binary(bytes, used::message), encoded(&samples::messages())),
        form(
            "request",
            REQUEST_BYTES_MAX as usize,
            |bytes| binary(bytes, used::request),
            encoded(&samples::requests()),
        ),
        form(
            "response",
            RESPONSE_BYTES_MAX as usize,
            |bytes| binary(bytes, used::response),
            encoded(&samples::responses()),
        ),
        form("genesis", GENESIS_BYTES_MAX, |bytes| binary(bytes, used::genesis), encoded(&samples::documents())),
        form("play", PLAY_BYTES_MAX, |bytes| binary(bytes, play::play), encoded(&play::samples())),
        form("address", ADDRESS_BYTES_MAX, address, samples::addresses().into_iter().map(String::into_bytes).collect()),
        form("transaction_json", BODY_BYTES_MAX, transaction_json, json(&samples::transactions())),
        form(
            "proof_json",
            PROOF_BYTES_MAX,
            proof_json,
            [json(&samples::account_proofs()), json(&samples::inclusions())].concat(),
        ),
    ]
}

/// What a node reads from its own disk.
pub fn of_disks() -> Vec<Form> {
    fn form<T: BorshSerialize + BorshDeserialize + Debug>(name: &'static str, samples: &[T]) -> Form {
        let check = |bytes: &[u8]| binary::<T>(bytes, |_| ());
        Form { name, bytes_max: usize::MAX, check, samples: encoded(samples) }
    }
    vec![
        form::<(Work, Block)>("stored block", &[(Work(3), samples::agreed())]),
        form::<Entry>("log entry", &samples::entries()),
        form::<Stakes>("stakes", &[samples::stakes()]),
        form::<Account>("account", &[samples::account()]),
        form::<Supply>("supply", &[samples::supply()]),
        form::<Operator>("operator", &[samples::operators().0]),
        form::<Recent>("last blocks", &[samples::operators().1]),
    ]
}

/// A document with the largest set of validators, and some hundred accounts.
const GENESIS_BYTES_MAX: usize = 16 * 1024;
/// Some dozens of messages, few of them with a long block.
const PLAY_BYTES_MAX: usize = 64 * 1024;
/// A proof has at most 256 siblings.
const PROOF_BYTES_MAX: usize = 256 * 1024;

fn encoded<T: BorshSerialize>(values: &[T]) -> Vec<Vec<u8>> {
    values.iter().map(encode).collect()
}

fn json<T: Serialize>(values: &[T]) -> Vec<Vec<u8>> {
    values.iter().map(|value| serde_json::to_vec(value).expect("it has a JSON form")).collect()
}

/// The canonical encoding: what decodes encodes to the same bytes.
fn binary<T: BorshSerialize + BorshDeserialize + Debug>(bytes: &[u8], used: fn(&T)) -> bool {
    let Ok(value) = borsh::from_slice::<T>(bytes) else { return false };
    assert!(encode(&value) == bytes, "{value:?} is not encoded as it came: {}", hex::encode(bytes));
    used(&value);
    true
}

/// A text form has many writings, and each of them means what its canonical one means.
fn text<T: Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) -> Option<T> {
    let value: T = serde_json::from_slice(bytes).ok()?;
    let again: T = serde_json::from_slice(&serde_json::to_vec(&value).expect("it has a JSON form")).expect("it is one");
    assert_eq!(again, value);
    Some(value)
}

fn transaction_json(bytes: &[u8]) -> bool {
    let Some(transaction) = text::<Transaction>(bytes) else { return false };
    assert!(binary(&encode(&transaction), used::transaction), "what has a JSON form has a binary one: {transaction:?}");
    true
}

fn proof_json(bytes: &[u8]) -> bool {
    if let Some(proof) = text::<AccountProofInfo>(bytes) {
        let _is_right = proof.verify(proof.state_root);
        return true;
    }
    let Some(proof) = text::<TransactionProofInfo>(bytes) else { return false };
    let _is_right = proof.verify(proof.transactions_root);
    true
}

fn address(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes)
        .is_ok_and(|text| used::address(text).is_some_and(|address: Multiaddr| !address.is_empty()))
}
