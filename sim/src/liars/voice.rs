//! A validator's voice with a twist: the node's own machine of agreement decides what an honest validator would say, and the
//! lie makes something else of it.

use super::{Deed, Liar, now};
use assay_node::{
    consensus::pos::{Agreement, Content, Judgement, Message, Output, Wait},
    crypto::Hash,
    ledger,
    p2p::Topic,
    types::{Block, Certificate, Proposal, Seal, Signed, Step, Timestamp, Vote},
};
use std::{collections::BTreeMap, time::Duration};

/// What becomes of what an honest validator would say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Twist {
    /// Each vote is cast twice, for two things.
    DoubleVote,
    /// Two blocks are proposed in one round.
    TwoProposals,
    /// It votes for every proposal, in every round, whatever it has voted for before.
    Forgetful,
    /// It proposes and keeps the block to itself.
    Withhold,
    /// It proposes blocks whose state root is wrong.
    WrongState,
    /// Its signatures are wrong.
    WrongSignature,
    /// It proposes blocks from the future.
    FalseTime,
}

/// A validator that lies.
pub(super) struct Voice {
    twist: Twist,
    machine: Option<Agreement>,
    timers: BTreeMap<Wait, Duration>,
}

impl Voice {
    pub fn new(twist: Twist) -> Self {
        Self { twist, machine: None, timers: BTreeMap::new() }
    }

    /// Begins the height after the follower's head, unless it is under way.
    fn keep_up(&mut self, liar: &mut Liar) {
        let Ok(head) = liar.view.store.head() else { return };
        let height = head.height.next();
        let machine = self.machine.get_or_insert_with(|| {
            let params = liar.view.store.genesis().params.pos.clone();
            Agreement::new(liar.chain.clone(), params, Some(liar.account.clone()))
        });
        if machine.height() >= height {
            return;
        }
        let Ok(validators) = ledger::validators(&*liar.view.store, height) else { return };
        self.timers.clear();
        let outputs = machine.begin(height, validators, Vec::new(), &judge(head.hash));
        self.act_on(liar, outputs);
    }

    fn act_on(&mut self, liar: &mut Liar, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send(message) => {
                    for said in self.twisted(liar, *message) {
                        liar.publish(Topic::Agreement, assay_node::encode(&said));
                    }
                }
                Output::Wait(wait, after) => drop(self.timers.insert(wait, now() + after)),
                Output::Cancel(wait) => drop(self.timers.remove(&wait)),
                Output::CancelAll => self.timers.clear(),
                Output::WantBlock { round } => {
                    let Some(block) = liar.forge.draft_for_round(round) else { continue };
                    let Some(machine) = &mut self.machine else { continue };
                    let outputs = machine.propose(round, block);
                    self.act_on(liar, outputs);
                }
                // Its follower learns of decisions, and it keeps no log.
                Output::Log(_) | Output::Round { .. } | Output::Decided(_) | Output::Equivocated(_) => {}
            }
        }
    }

    /// What is said instead of `message`.
    fn twisted(&self, liar: &Liar, message: Message) -> Vec<Message> {
        let (key, chain, copy) = (&liar.account, &liar.chain, message.copy);
        let say = |content| Message { content, copy };
        match (self.twist, &message.content) {
            (Twist::DoubleVote, Content::Vote(signed)) => {
                let other = if signed.ballot.block.is_some() { None } else { Some(Hash([9; 32])) };
                let vote = Vote { block: other, ..signed.ballot.clone() };
                vec![message.clone(), say(Content::Vote(Signed::new(vote, chain, key)))]
            }
            (Twist::TwoProposals, Content::Proposal(signed, block)) => {
                let mut other = block.as_ref().clone();
                other.header.timestamp = Timestamp(other.header.timestamp.0 + 1);
                vec![message.clone(), say(propose(signed, other, liar))]
            }
            (Twist::WrongState, Content::Proposal(signed, block)) => {
                let mut wrong = block.as_ref().clone();
                wrong.header.state_root = Hash([9; 32]);
                vec![say(propose(signed, wrong, liar))]
            }
            (Twist::FalseTime, Content::Proposal(signed, block)) => {
                let mut wrong = block.as_ref().clone();
                wrong.header.timestamp = Timestamp(wrong.header.timestamp.0 + 600_000);
                vec![say(propose(signed, wrong, liar))]
            }
            (Twist::Withhold, Content::Proposal(..)) => Vec::new(),
            // Its votes are those of the forgetful, which are cast when a proposal comes.
            (Twist::Forgetful, Content::Vote(_)) => Vec::new(),
            (Twist::WrongSignature, Content::Vote(signed)) => {
                let mut wrong = signed.clone();
                wrong.signature.0[7] ^= 1;
                vec![say(Content::Vote(wrong))]
            }
            _ => vec![message],
        }
    }
}

/// What the machine would propose, with another block.
fn propose(signed: &Signed<Proposal>, block: Block, liar: &Liar) -> Content {
    let ballot = Proposal { block: block.hash(), ..signed.ballot.clone() };
    Content::Proposal(Signed::new(ballot, &liar.chain, &liar.account), Box::new(block))
}

/// A liar believes every block that stands on its head.
fn judge(head: Hash) -> impl Fn(&Block) -> Judgement {
    move |block| if block.header.parent == head { Judgement::Valid } else { Judgement::Invalid }
}

impl Deed for Voice {
    fn every(&self) -> Duration {
        Duration::from_millis(50)
    }

    fn act(&mut self, liar: &mut Liar) {
        self.keep_up(liar);
        let due = self.timers.iter().filter(|(_, at)| **at <= now()).map(|(wait, at)| (*at, *wait)).min();
        let Some(((_, wait), machine)) = due.zip(self.machine.as_mut()) else { return };
        self.timers.remove(&wait);
        let outputs = machine.on_elapsed(wait);
        self.act_on(liar, outputs);
    }

    fn hear(&mut self, liar: &mut Liar, message: Message) {
        if let (Twist::Forgetful, Content::Proposal(signed, block)) = (self.twist, &message.content) {
            for step in [Step::Prevote, Step::Precommit] {
                let Proposal { height, round, .. } = signed.ballot;
                let vote = Vote { height, round, step, block: Some(block.hash()), validator: liar.account.address() };
                let content = Content::Vote(Signed::new(vote, &liar.chain, &liar.account));
                liar.publish(Topic::Agreement, assay_node::encode(&Message { content, copy: 0 }));
            }
        }
        let Ok(head) = liar.view.store.head() else { return };
        let Some(machine) = &mut self.machine else { return };
        let (_, outputs) = machine.on_message(message, &judge(head.hash));
        self.act_on(liar, outputs);
    }
}

impl super::forge::Forge {
    /// The next block on the nodes' head, for a round: right in all but that nobody has agreed on it.
    pub fn draft_for_round(&self, round: u32) -> Option<Block> {
        let mut block = self.draft(&super::forge::Branch::default(), None, Vec::new())?.block;
        block.header.seal = Seal::Pos { round, certificate: Certificate::default() };
        Some(block)
    }
}
