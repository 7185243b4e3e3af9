//! One machine in the situations of Tendermint's pseudocode, named by its lines as in the paper, Algorithm 1. The situations are
//! those that malachite's own tests of its core put it into (`core-driver/tests/it/{basic,extra}.rs`), as far as they are not
//! about parts that this chain does not use; here they go through this chain's messages, signatures and log.

use super::support::{block, chain, equals, keys, params};
use crate::{
    chain::Verdict,
    consensus::pos::{
        Agreement, Content, Entry, Judgement, Message, Output, PolkaProof, RoundProof, RoundReason, Wait, WaitKind,
    },
    crypto::{Address, Hash, Keypair},
    types::{Block, Height, Proposal, Round, Signed, Step, ValidatorSet, Vote},
};

const HEIGHT: Height = Height(1);

/// Whose place the machine has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Me {
    /// It proposes in round 0, and the others in the rounds 1, 2 and 3.
    Proposer,
    /// It proposes in round 3, and the others in the rounds 0, 1 and 2.
    Follower,
}

/// A machine of one validator among equals, all others played by the test.
pub struct Bench {
    machine: Agreement,
    me: Keypair,
    others: Vec<Keypair>,
    set: ValidatorSet,
    heard: Vec<String>,
    pub verdicts: Vec<Verdict>,
}

/// Block A is made in round 0, B in round 1 and so on; X is against the rules.
fn lettered(letter: char) -> Block {
    let round = u32::from(letter) - u32::from('A');
    block(HEIGHT, Hash::default(), Address([1; 20]), round, u64::from(letter))
}

fn letter(hash: Hash) -> String {
    let found = ('A'..='Z').find(|letter| lettered(*letter).hash() == hash);
    found.map_or_else(|| "own".to_owned(), |letter| letter.to_string())
}

fn choice(block: Option<Hash>) -> String {
    block.map_or_else(|| "nil".to_owned(), letter)
}

fn judge(block: &Block) -> Judgement {
    if block.hash() == lettered('X').hash() { Judgement::Invalid } else { Judgement::Valid }
}

impl Bench {
    pub fn new(validators: u8, me: Me) -> Self {
        let keys = keys(validators);
        let set = equals(&keys);
        let turn = |round: u32| {
            let address = set.proposer(HEIGHT, round).address();
            keys.iter().find(|key| key.address() == address).expect("it is one of them").clone()
        };
        let (own, others) = match me {
            Me::Proposer => (0, 1..u32::from(validators)),
            Me::Follower => (u32::from(validators) - 1, 0..u32::from(validators) - 1),
        };
        Self::start(turn(own), others.map(turn).collect(), set, Vec::new())
    }

    fn start(me: Keypair, others: Vec<Keypair>, set: ValidatorSet, log: Vec<Entry>) -> Self {
        let mut machine = Agreement::new(chain(), params(), Some(me.clone()));
        let outputs = machine.begin(HEIGHT, set.clone(), log, &judge);
        let mut bench = Self { machine, me, others, set, heard: Vec::new(), verdicts: Vec::new() };
        bench.hear(outputs);
        bench
    }

    /// The same validator after a crash.
    pub fn again(&self, log: Vec<Entry>) -> Self {
        Self::start(self.me.clone(), self.others.clone(), self.set.clone(), log)
    }

    pub fn own(&self) -> Address {
        self.me.address()
    }

    fn hear(&mut self, outputs: Vec<Output>) -> Vec<Output> {
        for output in &outputs {
            let heard = match output {
                Output::Send(message) => match &message.content {
                    Content::Vote(Signed { ballot: Vote { round, step, block, .. }, .. }) => {
                        let step = if *step == Step::Prevote { "prevote" } else { "precommit" };
                        format!("{step} {round} {}", choice(*block))
                    }
                    Content::Proposal(Signed { ballot: Proposal { round, block, proof_round, .. }, .. }, _) => {
                        let proof = proof_round.map(|round| format!(" proved in {round}")).unwrap_or_default();
                        format!("propose {round} {}{proof}", letter(*block))
                    }
                    Content::Polka(proof) => format!("polka {} {}", proof.round, letter(proof.block)),
                    Content::Round(proof) => format!("proof of round {}", proof.round),
                },
                Output::Round { round, .. } => format!("round {round}"),
                Output::WantBlock { round } => format!("want {round}"),
                Output::Decided(block) => format!("decided {}", letter(block.hash())),
                Output::Equivocated(proof) => {
                    let place = self.others.iter().position(|key| key.address() == proof.validator());
                    format!("equivocated {}", place.expect("the machine does not accuse itself"))
                }
                Output::Log(_) | Output::Wait(..) | Output::Cancel(_) | Output::CancelAll => continue,
            };
            self.heard.push(heard);
        }
        outputs
    }

    /// What it said and did since this was last asked.
    pub fn said(&mut self) -> Vec<String> {
        std::mem::take(&mut self.heard)
    }

    fn tell(&mut self, content: Content) -> Vec<Output> {
        let (verdict, outputs) = self.machine.on_message(Message { content, copy: 0 }, &judge);
        self.verdicts.push(verdict);
        self.hear(outputs)
    }

    fn vote(&mut self, who: usize, round: Round, step: Step, block: Option<char>) -> Signed<Vote> {
        let block = block.map(|letter| lettered(letter).hash());
        let key = &self.others[who];
        Signed::new(Vote { height: HEIGHT, round, step, block, validator: key.address() }, &chain(), key)
    }

    pub fn prevote(&mut self, who: usize, round: Round, block: Option<char>) -> Vec<Output> {
        let vote = self.vote(who, round, Step::Prevote, block);
        self.tell(Content::Vote(vote))
    }

    pub fn precommit(&mut self, who: usize, round: Round, block: Option<char>) -> Vec<Output> {
        let vote = self.vote(who, round, Step::Precommit, block);
        self.tell(Content::Vote(vote))
    }

    /// The proposal of whose turn it is, which is one of the others.
    pub fn proposal(&mut self, round: Round, letter: char, proof_round: Option<Round>) -> Vec<Output> {
        let block = lettered(letter);
        let validator = self.set.proposer(HEIGHT, round).address();
        let key = self.others.iter().find(|key| key.address() == validator).expect("it is not the machine's turn");
        let ballot = Proposal { height: HEIGHT, round, block: block.hash(), proof_round, validator };
        let signed = Signed::new(ballot, &chain(), key);
        self.tell(Content::Proposal(signed, Box::new(block)))
    }

    fn elapsed(&mut self, kind: WaitKind, round: Round) -> Vec<Output> {
        let outputs = self.machine.on_elapsed(Wait { kind, round });
        self.hear(outputs)
    }

    pub fn elapsed_progress(&mut self, round: Round) -> Vec<Output> {
        self.elapsed(WaitKind::Progress, round)
    }

    pub fn elapsed_precommits_of_round_0(&mut self) -> Vec<Output> {
        self.elapsed(WaitKind::Precommits, 0)
    }

    fn propose(&mut self, round: Round, letter: char) {
        let outputs = self.machine.propose(round, lettered(letter));
        self.hear(outputs);
    }

    fn polka(&mut self, round: Round, letter: char, who: &[usize]) {
        let block = lettered(letter).hash();
        let votes: Vec<_> = who.iter().map(|who| self.vote(*who, round, Step::Prevote, Some(letter))).collect();
        let signatures = votes.iter().map(|vote| (vote.ballot.validator, vote.signature)).collect();
        self.tell(Content::Polka(PolkaProof { height: HEIGHT, round, block, signatures }));
    }

    fn round_proof(&mut self, round: Round, reason: RoundReason, votes: Vec<Signed<Vote>>) {
        let vote = |vote: &Signed<Vote>| (vote.ballot.step, vote.ballot.block, vote.ballot.validator, vote.signature);
        let votes = votes.iter().map(vote).collect();
        self.tell(Content::Round(RoundProof { height: HEIGHT, round, reason, votes }));
    }
}

fn follower() -> Bench {
    let mut bench = Bench::new(4, Me::Follower);
    assert_eq!(bench.said(), ["round 0"]);
    bench
}

#[test]
fn l14_the_proposer_proposes_and_decides() {
    let mut bench = Bench::new(4, Me::Proposer);
    assert_eq!(bench.said(), ["round 0", "want 0"]);
    bench.propose(0, 'A');
    assert_eq!(bench.said(), ["prevote 0 A", "propose 0 A"]);
    bench.prevote(0, 0, Some('A'));
    assert_eq!(bench.said(), [""; 0], "two of four are no quorum");
    bench.prevote(1, 0, Some('A'));
    assert_eq!(bench.said(), ["precommit 0 A"]);
    bench.precommit(0, 0, Some('A'));
    assert_eq!(bench.said(), [""; 0]);
    bench.precommit(1, 0, Some('A'));
    assert_eq!(bench.said(), ["decided A"]);
}

#[test]
fn l57_a_proposer_without_a_block_votes_nil() {
    let mut bench = Bench::new(4, Me::Proposer);
    bench.said();
    bench.elapsed(WaitKind::Proposal, 0);
    assert_eq!(bench.said(), ["prevote 0 nil"]);
}

#[test]
fn l22_a_valid_proposal_is_voted_for_and_decided() {
    let mut bench = follower();
    bench.proposal(0, 'A', None);
    assert_eq!(bench.said(), ["prevote 0 A"]);
    bench.prevote(0, 0, Some('A'));
    bench.prevote(1, 0, Some('A'));
    assert_eq!(bench.said(), ["precommit 0 A"]);
    bench.precommit(1, 0, Some('A'));
    bench.precommit(2, 0, Some('A'));
    assert_eq!(bench.said(), ["decided A"]);
}

#[test]
fn l26_an_invalid_proposal_is_voted_down() {
    let mut bench = follower();
    bench.proposal(0, 'X', None);
    assert_eq!(bench.said(), ["prevote 0 nil"]);
    assert_eq!(bench.verdicts.last(), Some(&Verdict::Reject));
}

#[test]
fn l34_different_prevotes_are_waited_for_and_then_given_up() {
    let mut bench = follower();
    bench.proposal(0, 'A', None);
    bench.prevote(0, 0, Some('A'));
    let outputs = bench.prevote(1, 0, None);
    let waits = |output: &Output| matches!(output, Output::Wait(Wait { kind: WaitKind::Prevotes, round: 0 }, _));
    assert!(outputs.iter().any(waits), "{outputs:?}");
    bench.said();
    bench.elapsed(WaitKind::Prevotes, 0);
    assert_eq!(bench.said(), ["precommit 0 nil"]);
}

#[test]
fn l44_two_thirds_for_nothing_end_the_round_at_once() {
    let mut bench = follower();
    bench.elapsed(WaitKind::Proposal, 0);
    bench.prevote(0, 0, None);
    bench.prevote(1, 0, None);
    assert_eq!(bench.said(), ["prevote 0 nil", "precommit 0 nil"]);
}

#[test]
fn l47_different_precommits_end_the_round_after_a_while() {
    let mut bench = follower();
    bench.elapsed(WaitKind::Proposal, 0);
    bench.precommit(0, 0, None);
    bench.precommit(1, 0, Some('A'));
    bench.precommit(2, 0, None);
    bench.said();
    bench.elapsed(WaitKind::Precommits, 0);
    assert_eq!(bench.said(), ["proof of round 0", "round 1"]);
}

/// The follower after round 0, in which it has locked on A.
fn locked_on_a() -> Bench {
    let mut bench = follower();
    bench.proposal(0, 'A', None);
    bench.prevote(0, 0, Some('A'));
    bench.prevote(1, 0, Some('A'));
    bench.precommit(0, 0, None);
    bench.precommit(1, 0, None);
    bench.elapsed(WaitKind::Precommits, 0);
    assert_eq!(bench.said(), ["prevote 0 A", "precommit 0 A", "proof of round 0", "round 1"]);
    bench
}

#[test]
fn l22_a_lock_refuses_another_block() {
    let mut bench = locked_on_a();
    bench.proposal(1, 'B', None);
    assert_eq!(bench.said(), ["prevote 1 nil"]);
}

#[test]
fn l22_a_lock_accepts_its_own_block() {
    let mut bench = locked_on_a();
    bench.proposal(1, 'A', None);
    assert_eq!(bench.said(), ["prevote 1 A"]);
}

#[test]
fn l28_a_block_with_a_proof_is_voted_for() {
    let mut bench = locked_on_a();
    bench.proposal(1, 'A', Some(0));
    assert_eq!(bench.said(), ["prevote 1 A"]);
    bench.prevote(0, 1, Some('A'));
    bench.prevote(1, 1, Some('A'));
    bench.precommit(0, 1, Some('A'));
    bench.precommit(1, 1, Some('A'));
    assert_eq!(bench.said(), ["precommit 1 A", "decided A"]);
}

#[test]
fn l29_a_later_proof_opens_a_lock() {
    let mut bench = locked_on_a();
    // In round 1 the others prevoted for B, which this machine learns from the proof alone.
    for who in 0..3 {
        bench.precommit(who, 1, None);
    }
    bench.elapsed(WaitKind::Precommits, 1);
    bench.said();
    bench.polka(1, 'B', &[0, 1, 2]);
    bench.proposal(2, 'B', Some(1));
    assert_eq!(bench.said(), ["prevote 2 B"], "the proof is of a later round than the lock");
}

#[test]
fn l29_an_earlier_proof_opens_no_lock() {
    let mut bench = follower();
    // The lock is of round 1, and the proof of round 0.
    for who in 0..3 {
        bench.precommit(who, 0, None);
    }
    bench.elapsed(WaitKind::Precommits, 0);
    bench.proposal(1, 'B', None);
    bench.prevote(0, 1, Some('B'));
    bench.prevote(1, 1, Some('B'));
    for who in 0..3 {
        bench.precommit(who, 1, None);
    }
    bench.elapsed(WaitKind::Precommits, 1);
    let said = bench.said();
    assert!(said.contains(&"precommit 1 B".into()) && said.ends_with(&["round 2".into()]), "{said:?}");
    bench.polka(0, 'A', &[0, 1, 2]);
    bench.proposal(2, 'A', Some(0));
    assert_eq!(bench.said(), ["prevote 2 nil"]);
}

#[test]
fn l28_a_proof_that_nobody_has_shown_is_not_believed() {
    let mut bench = locked_on_a();
    bench.proposal(1, 'B', Some(0));
    assert_eq!(bench.said(), [""; 0]);
    bench.elapsed(WaitKind::Proposal, 1);
    assert_eq!(bench.said(), ["prevote 1 nil"]);
}

#[test]
fn l36_votes_may_come_before_the_proposal() {
    let mut bench = follower();
    bench.prevote(0, 0, Some('A'));
    bench.prevote(1, 0, Some('A'));
    bench.prevote(2, 0, Some('A'));
    assert_eq!(bench.said(), [""; 0]);
    bench.proposal(0, 'A', None);
    assert_eq!(bench.said(), ["prevote 0 A", "precommit 0 A"]);
}

#[test]
fn l49_precommits_may_come_before_the_proposal() {
    let mut bench = follower();
    for who in 0..3 {
        bench.precommit(who, 0, Some('A'));
    }
    bench.proposal(0, 'A', None);
    assert_eq!(bench.said().last().map(String::as_str), Some("decided A"));
}

#[test]
fn l49_a_block_of_an_earlier_round_can_be_decided_later() {
    let mut bench = follower();
    bench.proposal(0, 'A', None);
    for who in 0..2 {
        bench.precommit(who, 0, None);
    }
    bench.precommit(2, 0, Some('A'));
    bench.elapsed(WaitKind::Precommits, 0);
    bench.said();
    for who in 0..3 {
        bench.precommit(who, 1, Some('A'));
    }
    bench.proposal(1, 'A', None);
    assert_eq!(bench.said().last().map(String::as_str), Some("decided A"));
}

#[test]
fn l55_votes_of_a_third_from_a_later_round_are_followed() {
    let mut bench = follower();
    bench.prevote(0, 2, None);
    assert_eq!(bench.said(), [""; 0], "one of four may be lying");
    bench.prevote(1, 2, None);
    assert_eq!(bench.said(), ["proof of round 2", "round 2"]);
}

#[test]
fn l55_a_proof_of_a_later_round_is_followed() {
    let mut bench = follower();
    let votes = vec![bench.vote(0, 2, Step::Prevote, None), bench.vote(1, 2, Step::Precommit, None)];
    bench.round_proof(2, RoundReason::Skip, vec![votes[0].clone()]);
    bench.round_proof(2, RoundReason::Skip, vec![votes[0].clone(), votes[0].clone()]);
    assert_eq!(bench.said(), [""; 0], "one validator, once or twice, is too few");
    bench.round_proof(2, RoundReason::Skip, votes);
    assert!(bench.said().contains(&"round 2".into()));
}

#[test]
fn l16_a_proposer_proposes_again_what_was_proved() {
    let mut bench = Bench::new(4, Me::Proposer);
    bench.propose(0, 'A');
    bench.prevote(0, 0, Some('A'));
    bench.prevote(1, 0, Some('A'));
    // Four rounds on it is its turn again.
    for round in 0..4 {
        for who in 0..3 {
            bench.precommit(who, round, None);
        }
        bench.elapsed(WaitKind::Precommits, round);
    }
    let said = bench.said();
    assert!(said.ends_with(&["prevote 4 A".into(), "propose 4 A proved in 0".into()]), "{said:?}");
    assert!(said.contains(&"polka 0 A".into()), "{said:?}");
}

#[test]
fn who_says_two_things_is_named_once() {
    let mut bench = follower();
    bench.prevote(0, 0, Some('A'));
    bench.prevote(0, 0, None);
    assert_eq!(bench.said(), ["equivocated 0"]);
    bench.prevote(0, 0, Some('B'));
    assert_eq!(bench.said(), [""; 0], "it is punished once a height");
    bench.proposal(0, 'A', None);
    bench.proposal(0, 'B', None);
    let said = bench.said();
    assert!(!said.contains(&"equivocated 0".into()), "{said:?}");
}

#[test]
fn two_proposals_of_one_round_are_evidence() {
    let mut bench = follower();
    bench.proposal(0, 'A', None);
    bench.proposal(0, 'B', None);
    assert_eq!(bench.said(), ["prevote 0 A", "equivocated 0"]);
}

#[test]
fn strangers_wrong_turns_and_forgeries_are_refused() {
    let mut bench = follower();
    let stranger = Keypair::from_secret([77; 32]);
    let ballot = Vote { height: HEIGHT, round: 0, step: Step::Prevote, block: None, validator: stranger.address() };
    bench.tell(Content::Vote(Signed::new(ballot, &chain(), &stranger)));
    let mut forged = bench.vote(0, 0, Step::Prevote, Some('A'));
    forged.ballot.block = None;
    bench.tell(Content::Vote(forged));
    // Proposer 1 in the round of proposer 0.
    let block = lettered('A');
    let key = bench.others[1].clone();
    let validator = key.address();
    let ballot = Proposal { height: HEIGHT, round: 0, block: block.hash(), proof_round: None, validator };
    bench.tell(Content::Proposal(Signed::new(ballot, &chain(), &key), Box::new(block)));
    // A proposal with another block than it names.
    let key = bench.others[0].clone();
    let (validator, block) = (key.address(), lettered('A').hash());
    let ballot = Proposal { height: HEIGHT, round: 0, block, proof_round: None, validator };
    bench.tell(Content::Proposal(Signed::new(ballot, &chain(), &key), Box::new(lettered('B'))));
    assert_eq!(bench.verdicts, [Verdict::Reject; 4]);
    assert_eq!(bench.said(), [""; 0]);
}

#[test]
fn a_node_that_must_be_silent_follows() {
    let mut bench = follower();
    bench.machine.set_speaking(false);
    bench.proposal(0, 'A', None);
    for who in 0..3 {
        bench.prevote(who, 0, Some('A'));
        bench.precommit(who, 0, Some('A'));
    }
    assert_eq!(bench.said(), ["decided A"]);
}
