//! How much memory decoding may take: in proportion to the bytes that are there, never to what they claim will follow.
//!
//! A program of its own, since its allocator counts.

mod forms;

use assay_node::{
    chain::sync::{Request, Response},
    consensus::pos::Message,
    types::{Block, Genesis, Transaction},
};
use borsh::BorshDeserialize;
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    hint::black_box,
};

/// Bytes that decoding holds for each byte that it is given, at most. Values are wider than their encodings, up to 1.6 times
/// (a block without transactions), and a list that grows is copied into one of twice its size.
const PER_BYTE_MAX: usize = 5;
/// Bytes beyond that: what borsh reserves for a list, whose length is only claimed, in each of the lists that are open at
/// a time, and an error's text.
const REST_MAX: usize = 3 * 4096 + 512;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

fn count(more: usize, less: usize) {
    // The old place and the new one are both there for a moment.
    PEAK.set(PEAK.get().max(HELD.get() + more));
    HELD.set((HELD.get() + more).saturating_sub(less));
}

// SAFETY: every call is the system allocator's; what is counted touches no memory of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller's promises are those that it needs.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        // SAFETY: as above.
        unsafe { System.realloc(place, layout, size) }
    }
    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: as above.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes that `work` holds at a time, at most.
fn held(work: impl FnOnce()) -> usize {
    let before = HELD.get();
    PEAK.set(before);
    work();
    PEAK.get() - before
}

fn decode<T: BorshDeserialize>(bytes: &[u8]) -> usize {
    held(|| drop(black_box(borsh::from_slice::<T>(black_box(bytes)))))
}

type Decode = fn(&[u8]) -> usize;

/// What peers send, with the names of their forms.
const DECODERS: [(&str, Decode); 6] = [
    ("block", decode::<Block>),
    ("transaction", decode::<Transaction>),
    ("agreement", decode::<Message>),
    ("request", decode::<Request>),
    ("response", decode::<Response>),
    ("genesis", decode::<Genesis>),
];

fn check(name: &str, decode: Decode, bytes: &[u8]) {
    let (held, max) = (decode(bytes), PER_BYTE_MAX * bytes.len() + REST_MAX);
    assert!(held <= max, "{name}: {held} bytes for {}, and {max} are allowed", bytes.len());
}

fn samples(name: &str) -> Vec<Vec<u8>> {
    forms::of_peers().into_iter().find(|form| form.name == name).expect("there is such a form").samples
}

#[test]
fn what_is_held_is_counted() {
    assert_eq!(held(|| drop(black_box(Vec::<u8>::with_capacity(1000)))), 1000);
    assert_eq!(held(|| drop(black_box(vec![0u8; 1000]))), 1000);
    assert!(decode::<String>(&u32::MAX.to_le_bytes()) > 1 << 20, "borsh alone believes a text's length");
}

#[test]
fn a_length_that_is_only_claimed_reserves_little() {
    for (name, decode) in DECODERS {
        for sample in samples(name) {
            for at in 0..sample.len().saturating_sub(3) {
                for claim in [u32::MAX, u32::MAX / 2, 1 << 20] {
                    let mut bytes = sample.clone();
                    bytes[at..at + 4].copy_from_slice(&claim.to_le_bytes());
                    check(name, decode, &bytes);
                    check(name, decode, &bytes[..at + 4]);
                }
            }
        }
    }
}

#[test]
fn any_bytes_are_decoded_in_proportion() {
    let mut runner = TestRunner::deterministic();
    for (name, decode) in DECODERS {
        let samples = samples(name);
        let changed = (0..samples.len(), vec((any::<prop::sample::Index>(), any::<u8>()), 0..8));
        let changed = changed.prop_map(move |(place, changes)| {
            let mut bytes = samples[place].clone();
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes
        });
        let checked = runner.run(&prop_oneof![vec(any::<u8>(), 0..600), changed], |bytes| {
            check(name, decode, &bytes);
            Ok(())
        });
        checked.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

/// As many of the smallest parts as fit: where a value is widest beside its bytes.
#[test]
fn the_longest_lists_are_decoded_in_proportion() {
    use forms::samples::{genesis, messages, transactions, worked};
    let mut bare = worked();
    bare.transactions.clear();
    let mut full = worked();
    full.transactions = vec![transactions().remove(1); 2000];
    let mut proofs = messages();
    for message in &mut proofs {
        match &mut message.content {
            assay_node::consensus::pos::Content::Polka(proof) => proof.signatures = vec![proof.signatures[0]; 5000],
            assay_node::consensus::pos::Content::Round(proof) => proof.votes = vec![proof.votes[0]; 5000],
            _ => {}
        }
    }
    let mut accounts = genesis(assay_node::types::Consensus::Pow);
    let place = |n: u16| assay_node::crypto::Address([n.to_be_bytes(); 10].concat().try_into().expect("20 bytes"));
    accounts.accounts = (0..2000).map(|n| (place(n), assay_node::types::Amount(1))).collect();
    check("block", decode::<Block>, &assay_node::encode(&full));
    check("response", decode::<Response>, &assay_node::encode(&Response::Blocks(vec![bare; 9000])));
    check("genesis", decode::<Genesis>, &assay_node::encode(&accounts));
    for message in proofs {
        check("agreement", decode::<Message>, &assay_node::encode(&message));
    }
}

#[test]
fn an_answer_has_a_limited_number_of_short_addresses() {
    use assay_node::chain::sync::{ADDRESS_BYTES_MAX, ADDRESSES_MAX};
    let decoded = |count, len| {
        let bytes = assay_node::encode(&Response::Addresses(vec!["a".repeat(len); count]));
        borsh::from_slice::<Response>(&bytes).map_err(|error| error.to_string())
    };
    assert!(decoded(ADDRESSES_MAX, ADDRESS_BYTES_MAX).is_ok());
    assert_eq!(decoded(ADDRESSES_MAX + 1, 1), Err("33 texts, and 32 are allowed".into()));
    assert_eq!(decoded(1, ADDRESS_BYTES_MAX + 1), Err("513 bytes of text, and 512 are allowed".into()));
}
