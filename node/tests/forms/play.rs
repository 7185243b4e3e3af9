//! An agreement of four validators, one of which lies as the bytes say. Bytes that are changed at random are signed by nobody,
//! so here the liar signs whatever it is made to say: that is what gets to the machine.

use super::samples::{Ground, chain, key, proposed};
use assay_node::{
    consensus::pos::{Agreement, Content, Entry, Judgement, Message, Output, Wait},
    crypto::{Address, Hash, Signature},
    ledger,
    types::{Block, Certificate, Consensus, Height, Round, Seal, Signed, Step, ValidatorSet, Vote},
};
use borsh::{BorshDeserialize, BorshSerialize};
use std::{
    collections::{BTreeMap, BTreeSet, btree_map},
    sync::LazyLock,
};

/// The node's own place among the validators; 2 and 3 are honest.
const OWN: u8 = 1;
const LIAR: u8 = 4;

#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub enum Act {
    /// The liar says this.
    Lie(Content),
    /// Both of the honest validators vote in the round of the node, unless they have: for the block, or for none.
    Vote { step: Step, is_for_block: bool },
    /// The first of what the node waits for is over.
    Elapse,
}

/// What happens, one after the other.
#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub struct Play(pub Vec<Act>);

static GROUND: LazyLock<Ground> = LazyLock::new(|| Ground::new(Consensus::Pos));
static BLOCK: LazyLock<Block> = LazyLock::new(proposed);

struct Stage {
    machine: Agreement,
    validators: ValidatorSet,
    waits: BTreeSet<Wait>,
    log: Vec<Entry>,
    /// The last block that was proposed.
    block: Option<Hash>,
    /// What the node and the honest ones have signed, for each height, round and step.
    votes: BTreeMap<(Height, Round, Step, Address), Signed<Vote>>,
}

/// What the chain would say; it is in the hands of whoever makes the block.
fn judge(block: &Block) -> Judgement {
    match block.header.timestamp.0 {
        0 => Judgement::Invalid,
        1 => Judgement::Early,
        2 => Judgement::Unknown,
        _ => Judgement::Valid,
    }
}

fn block(height: Height, round: Round) -> Block {
    let mut block = BLOCK.clone();
    block.header.height = height;
    block.header.seal = Seal::Pos { round, certificate: Certificate::default() };
    block
}

/// Plays it.
///
/// # Panics
/// When the machine does, when it contradicts itself, or when it accuses somebody who is honest.
pub fn play(play: &Play) {
    let validators = ledger::validators(&GROUND.state(), Height(1)).expect("they are in the state");
    let machine = Agreement::new(chain(), GROUND.rules.params.pos.clone(), Some(key(OWN)));
    let (waits, log, votes) = (BTreeSet::new(), Vec::new(), BTreeMap::new());
    let mut stage = Stage { machine, validators, waits, log, block: None, votes };
    stage.begin(Height(1));
    for act in &play.0 {
        match act {
            Act::Lie(content) => {
                if let Some(content) = stage.signed(content.clone()) {
                    stage.say(content);
                }
            }
            Act::Vote { step, is_for_block } => stage.vote(*step, *is_for_block),
            Act::Elapse => {
                if let Some(wait) = stage.waits.pop_first() {
                    let outputs = stage.machine.on_elapsed(wait);
                    stage.act(outputs);
                }
            }
        }
    }
    // After a crash it reads what it has logged, and goes on from there.
    let (height, log) = (stage.machine.height(), std::mem::take(&mut stage.log));
    stage.machine = Agreement::new(chain(), GROUND.rules.params.pos.clone(), Some(key(OWN)));
    let outputs = stage.machine.begin(height, stage.validators.clone(), log, &judge);
    stage.act(outputs);
}

impl Stage {
    fn begin(&mut self, height: Height) {
        self.waits.clear();
        self.log.clear();
        self.block = None;
        let outputs = self.machine.begin(height, self.validators.clone(), Vec::new(), &judge);
        self.act(outputs);
    }

    fn say(&mut self, content: Content) {
        let block = match &content {
            Content::Proposal(signed, _) => Some(signed.ballot.block),
            _ => None,
        };
        let (_, outputs) = self.machine.on_message(Message { content, copy: 0 }, &judge);
        self.block = block.filter(|hash| self.machine.block(hash).is_some()).or(self.block);
        self.act(outputs);
    }

    fn vote(&mut self, step: Step, is_for_block: bool) {
        for n in [2, 3] {
            let Some(round) = self.machine.round() else { return };
            let (height, validator, block) =
                (self.machine.height(), key(n).address(), self.block.filter(|_| is_for_block));
            let place = (height, round, step, validator);
            if let btree_map::Entry::Vacant(free) = self.votes.entry(place) {
                let signed = Signed::new(Vote { height, round, step, block, validator }, &chain(), &key(n));
                free.insert(signed.clone());
                self.say(Content::Vote(signed));
            }
        }
    }

    fn act(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Log(entry) => self.log.push(*entry),
                Output::Wait(wait, _) => drop(self.waits.insert(wait)),
                Output::Cancel(wait) => drop(self.waits.remove(&wait)),
                Output::CancelAll => self.waits.clear(),
                Output::Round { .. } => {}
                Output::Send(message) => {
                    if let Content::Vote(signed) = message.content {
                        let Vote { height, round, step, validator, .. } = signed.ballot;
                        let said = self.votes.entry((height, round, step, validator)).or_insert_with(|| signed.clone());
                        assert_eq!(said.ballot, signed.ballot, "it contradicts itself");
                    }
                }
                Output::WantBlock { round } => {
                    let block = block(self.machine.height(), round);
                    self.block = Some(block.hash());
                    let outputs = self.machine.propose(round, block);
                    self.act(outputs);
                }
                Output::Equivocated(proof) => assert_eq!(proof.validator(), key(LIAR).address(), "{proof:?}"),
                Output::Decided(block) => self.begin(block.header.height.next()),
            }
        }
    }

    /// What the liar makes of it: the height is the present one, or the next or any, and the signatures are its own, or
    /// those that others have given.
    fn signed(&self, mut content: Content) -> Option<Content> {
        let liar = key(LIAR);
        let now = self.machine.height();
        let place = |height: Height| match height.0 {
            1 => now,
            2 => now.next(),
            _ => height,
        };
        // The samples have signatures of honest validators for what these have not said here.
        let sign = |vote: Vote| match vote.validator == liar.address() {
            true => Signed::new(vote, &chain(), &liar).signature,
            false => {
                let said = self.votes.get(&(vote.height, vote.round, vote.step, vote.validator));
                said.filter(|said| said.ballot == vote).map_or(Signature([0; 64]), |said| said.signature)
            }
        };
        match &mut content {
            Content::Vote(signed) => {
                (signed.ballot.height, signed.ballot.validator) = (place(signed.ballot.height), liar.address());
                // For what is proposed, if it is for what the samples vote for.
                signed.ballot.block = signed.ballot.block.map(|hash| self.block.unwrap_or(hash));
                *signed = Signed::new(signed.ballot.clone(), &chain(), &liar);
            }
            Content::Proposal(signed, block) => {
                let ballot = &mut signed.ballot;
                (ballot.height, ballot.validator) = (place(ballot.height), liar.address());
                let is_its_turn =
                    |round: &Round| self.validators.proposer(ballot.height, *round).address() == liar.address();
                ballot.round = (0..4).filter_map(|more| ballot.round.checked_add(more)).find(is_its_turn)?;
                block.header.height = ballot.height;
                ballot.block = block.hash();
                *signed = Signed::new(ballot.clone(), &chain(), &liar);
            }
            Content::Polka(proof) => {
                proof.height = place(proof.height);
                proof.block = self.block.unwrap_or(proof.block);
                let votes: Vec<_> = proof.signatures.iter().map(|(who, _)| proof.vote(*who)).collect();
                for ((_, signature), vote) in proof.signatures.iter_mut().zip(votes) {
                    *signature = sign(vote);
                }
            }
            Content::Round(proof) => {
                proof.height = place(proof.height);
                let votes: Vec<_> = proof.signed().collect();
                for ((_, _, _, signature), vote) in proof.votes.iter_mut().zip(votes) {
                    *signature = sign(vote.ballot);
                }
            }
        }
        Some(content)
    }
}

/// Plays in which rounds pass, blocks are agreed on, and the liar says one thing of each kind.
pub fn samples() -> Vec<Play> {
    let votes = |is_for_block| [Step::Prevote, Step::Precommit].map(|step| Act::Vote { step, is_for_block });
    let lies = || super::samples::messages().into_iter().map(|message| Act::Lie(message.content));
    let elapse = |n| std::iter::repeat_with(|| Act::Elapse).take(n);
    let rounds = (0..3).flat_map(|_| elapse(1).chain(votes(false)).chain(elapse(1)));
    vec![
        Play(lies().chain(elapse(3)).collect()),
        Play(rounds.chain(lies()).chain(votes(true)).collect()),
        Play((0..3).flat_map(|_| lies().take(1).chain(votes(true)).chain(lies().skip(1)).chain(elapse(2))).collect()),
    ]
}
