//! What a node does with a value of somebody else. Nothing of it may panic; whether the value is refused does not matter.

use super::samples::{Ground, NOW, VALIDATORS, chain, key};
use assay_node::{
    chain::{
        sync::{Request, Response},
        validation::{self, BlockError, Unverified},
    },
    consensus::{
        Ancestors,
        pos::{Content, Message},
    },
    crypto::Hash,
    ledger::{self, Executed},
    types::{Ballot, Block, Consensus, Equivocation, Genesis, Header, Height, Payload, Seal, Signed, Transaction},
};
use libp2p::{Multiaddr, PeerId, multiaddr::Protocol, multihash::Multihash};
use std::sync::LazyLock;

static WORK: LazyLock<Ground> = LazyLock::new(|| Ground::new(Consensus::Pow));
static STAKE: LazyLock<Ground> = LazyLock::new(|| Ground::new(Consensus::Pos));
static TASKS: LazyLock<Ground> = LazyLock::new(|| Ground::new(Consensus::Poot));

fn ground(block: &Block) -> &'static Ground {
    match block.header.seal {
        Seal::Genesis | Seal::Pow { .. } => &WORK,
        Seal::Pos { .. } => &STAKE,
        Seal::Poot { .. } => &TASKS,
    }
}

struct Alone<'a>(&'a Header);

impl Ancestors for Alone<'_> {
    fn at(&self, height: Height) -> Option<&Header> {
        (height == self.0.height).then_some(self.0)
    }
}

/// The way of a block that stands on genesis.
///
/// # Errors
/// The first rule that it breaks.
pub fn judge(block: &Block) -> Result<Executed, BlockError> {
    let ground = ground(block);
    let below = ground.state();
    let verified = Unverified(block.clone())
        .check_header(&ground.rules, &ground.genesis, &Alone(&ground.genesis), NOW)?
        .authorise(&ground.rules, &below)?
        .check_body(&ground.rules, |_| false)?;
    validation::execute(verified.block(), &ground.rules, &below)
}

pub fn block(block: &Block) {
    let _refused = judge(block);
    // No one who changes bytes at random gets beyond the digests, and a liar does.
    let Ground { rules, .. } = ground(block);
    block.transactions.iter().for_each(transaction);
    let Header { parent, timestamp, proposer, .. } = block.header;
    let place = rules.place(Height(1), parent, timestamp, proposer);
    let _refused = ledger::execute(&ground(block).state(), place, &block.transactions);
    let _root: Hash = block.transactions_root();
    if let Seal::Pos { certificate, .. } = &block.header.seal {
        let validators = ledger::validators(&STAKE.state(), Height(1)).expect("they are in the state");
        let _refused = validators.check(&chain(), block.header.height, block.hash(), certificate);
    }
}

pub fn transaction(transaction: &Transaction) {
    let _refused = STAKE.rules.check_form(transaction);
    let _wrong = transaction.verify_signature();
    if let Payload::Evidence { proof } = &transaction.body.payload {
        evidence(proof);
    }
}

fn evidence(proof: &Equivocation) {
    let _height = proof.height();
    for n in 1..=VALIDATORS {
        let _wrong = proof.check(&chain(), &key(n).public());
    }
}

fn ballot<T: Ballot>(signed: &Signed<T>) {
    for n in 1..=VALIDATORS {
        let _wrong = signed.verify(&chain(), &key(n).public());
    }
}

pub fn message(message: &Message) {
    let _shown = (message.content.height(), message.content.name());
    match &message.content {
        Content::Proposal(signed, proposed) => {
            ballot(signed);
            block(proposed);
        }
        Content::Vote(signed) => ballot(signed),
        Content::Polka(proof) => {
            for (validator, signature) in &proof.signatures {
                ballot(&Signed { ballot: proof.vote(*validator), signature: *signature });
            }
        }
        Content::Round(proof) => proof.signed().for_each(|signed| ballot(&signed)),
    }
}

pub fn request(request: &Request) {
    if let Request::Witness(asking) = request {
        let peer = PeerId::from_multihash(Multihash::default()).expect("it is short enough");
        let _is_asked = asking.is_of(&chain(), &peer);
    }
}

pub fn response(response: &Response) {
    match response {
        Response::Status(_) | Response::Witness(_) => {}
        Response::Blocks(blocks) => blocks.iter().for_each(block),
        Response::Addresses(addresses) => addresses.iter().for_each(|text| drop(address(text))),
    }
}

pub fn genesis(genesis: &Genesis) {
    let _supply = genesis.supply();
    let _block = genesis.block(Hash::default()).hash();
    if genesis.validate().is_ok() {
        let executed = ledger::execute_genesis(genesis).expect("what is valid can be executed");
        let _block = genesis.block(executed.state_root).hash();
    }
}

/// What somebody tells of where others are: the place, if the text is one and names who is there.
pub fn address(text: &str) -> Option<Multiaddr> {
    let mut address: Multiaddr = text.parse().ok()?;
    let _shown = address.to_string();
    let again = Multiaddr::try_from(address.to_vec()).expect("what is one has an encoding");
    assert_eq!(again, address);
    let _parts: Vec<_> = address.iter().collect();
    match address.pop() {
        Some(Protocol::P2p(_)) => Some(address),
        _ => None,
    }
}
