//! The machine: one height after the other, it is told what came and says what to do.

use super::{
    ahead::Ahead,
    context::{Context, CoreSet},
    convert,
    hands::Hands,
    log::Entry,
    message::{Content, Message},
    timer::Wait,
};
use crate::{
    chain::Verdict,
    crypto::{Address, Hash, Keypair},
    types::{Block, ChainId, Equivocation, Height, PosParams, Proposal, Round, Seal, Signed, ValidatorSet},
};
use arc_malachitebft_core_consensus::{
    Input, LocallyProposedValue, Params, State, ThresholdParams, ValuePayload, process,
};
use arc_malachitebft_core_types::{Round as CoreRound, ValueOrigin, VoteExtensionPolicy};
use std::{collections::BTreeMap, time::Duration};

/// Heights for which the core would keep messages by itself. This node keeps them in [`Ahead`], so this is the least.
const CORE_QUEUE: usize = 1;

/// Something to do, in the order given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Append to the log. What is sent after it must not leave before it is durable.
    Log(Box<Entry>),
    /// Send to everyone.
    Send(Box<Message>),
    /// Call [`Agreement::on_elapsed`] after this time.
    Wait(Wait, Duration),
    /// Do not wait for this any more.
    Cancel(Wait),
    /// Wait for nothing any more.
    CancelAll,
    /// A round begins.
    Round {
        /// Which.
        round: Round,
        /// Whose turn it is to propose.
        proposer: Address,
    },
    /// It is this node's turn: make a block and give it to [`Agreement::propose`].
    WantBlock {
        /// The round it is for.
        round: Round,
    },
    /// The height is decided: the block, with its certificate.
    Decided(Box<Block>),
    /// A validator has contradicted itself.
    Equivocated(Box<Equivocation>),
}

/// What the chain says of a proposed block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It may be agreed on.
    Valid,
    /// It breaks a rule, whoever looks at it.
    Invalid,
    /// It is ahead of this node's clock: not now.
    Early,
    /// The state cannot be read at present.
    Unknown,
}

/// Judges a block against the head.
pub type Judge<'a> = &'a dyn Fn(&Block) -> Judgement;

/// The agreement on the next height.
pub struct Agreement {
    state: State<Context>,
    hands: Hands,
    ahead: Ahead,
    is_running: bool,
}

impl Agreement {
    /// A machine that has not begun. Without a `key` it follows the others and says nothing.
    pub fn new(chain: ChainId, params: PosParams, key: Option<Keypair>) -> Self {
        // Nobody has the address of a node without a key, and so it is no validator.
        let address = key.as_ref().map_or(Address([0; 20]), Keypair::address);
        let core = Params {
            address,
            threshold_params: ThresholdParams::default(),
            value_payload: ValuePayload::ProposalAndParts,
            enabled: key.is_some(),
        };
        let context = Context { chain: chain.clone() };
        let state = State::new(context, Height(0), CoreSet::default(), core, CORE_QUEUE, CORE_QUEUE);
        let hands = Hands {
            chain,
            params,
            key,
            validators: ValidatorSet::default(),
            height: Height(0),
            blocks: BTreeMap::new(),
            outputs: Vec::new(),
            is_replaying: false,
            said: Vec::new(),
            wanted: None,
            entries: 0,
            reported: Default::default(),
            copies: 0,
        };
        Self { state, hands, ahead: Ahead::default(), is_running: false }
    }

    /// The height that is, or was last, agreed on.
    pub fn height(&self) -> Height {
        self.hands.height
    }

    /// Whether it is under way.
    pub fn is_running(&self) -> bool {
        self.is_running
    }

    /// The round, while it is under way.
    pub fn round(&self) -> Option<Round> {
        self.state.round().as_u32().filter(|_| self.is_running)
    }

    /// Messages for the next height that are kept.
    pub fn ahead(&self) -> usize {
        self.ahead.len()
    }

    /// Whether this node speaks. One that does not know what it has said before must not: it follows the others in silence.
    pub fn set_speaking(&mut self, speaks: bool) {
        self.state.params.enabled = speaks && self.hands.key.is_some();
    }

    /// Begins a height that `validators` decide on. `log` is what was logged of it before a crash; it must be durable, since
    /// what was said in its last round is said again, to peers that may have forgotten it.
    pub fn begin(
        &mut self,
        height: Height,
        validators: ValidatorSet,
        log: Vec<Entry>,
        judge: Judge<'_>,
    ) -> Vec<Output> {
        self.accuse();
        self.is_running = true;
        let hands = &mut self.hands;
        (hands.height, hands.validators) = (height, validators.clone());
        (hands.wanted, hands.entries, hands.is_replaying) = (None, log.len(), !log.is_empty());
        hands.blocks.clear();
        hands.said.clear();
        hands.reported.clear();
        for entry in &log {
            if let Entry::Block { block, .. } = entry {
                hands.keep(block.hash(), block.as_ref().clone());
            }
        }
        let inputs: Vec<_> = log.into_iter().map(convert::to_input).collect();
        let is_restart = !inputs.is_empty();
        self.state.index_wal_entries(&inputs);
        if !is_restart {
            self.state.reset_entries_index();
        }
        let set = CoreSet::from(validators);
        self.feed(Input::StartHeight(height, set, is_restart, None, VoteExtensionPolicy::Disabled));
        for input in inputs {
            self.feed(input);
        }
        self.state.reset_entries_index();
        self.end_replay();
        for message in self.ahead.take(height) {
            if self.is_running {
                self.take_in(message, judge);
            }
        }
        self.outputs()
    }

    /// Gives up on the height: it was decided elsewhere, or the chain below it has changed. Nothing is said until the next.
    pub fn pause(&mut self) {
        self.accuse();
        self.is_running = false;
        self.hands.outputs.clear();
    }

    /// A message came. Says what gossip should do with it.
    pub fn on_message(&mut self, message: Message, judge: Judge<'_>) -> (Verdict, Vec<Output>) {
        let height = message.content.height();
        let is_now = self.is_running && height == self.hands.height;
        if !is_now {
            let verdict = self.keep_ahead(message);
            return (verdict, self.outputs());
        }
        if !self.hands.has_log_room() {
            return (Verdict::Ignore, Vec::new());
        }
        let verdict = match self.check(&message.content) {
            Verdict::Accept => self.take_in(message, judge),
            other => other,
        };
        (verdict, self.outputs())
    }

    /// A block that was made here for [`Output::WantBlock`].
    pub fn propose(&mut self, round: Round, block: Block) -> Vec<Output> {
        let (height, hash) = (block.header.height, block.hash());
        if self.is_running && height == self.hands.height && self.hands.keep(hash, block) {
            let value = LocallyProposedValue { height, round: CoreRound::new(round), value: hash };
            self.feed(Input::Propose(value));
        }
        self.outputs()
    }

    /// The time that [`Output::Wait`] asked for is over.
    pub fn on_elapsed(&mut self, wait: Wait) -> Vec<Output> {
        if self.is_running && self.hands.has_log_room() {
            self.feed(Input::TimeoutElapsed(wait.into()));
        }
        self.outputs()
    }

    /// A message that is not of the present height. One for the next is kept, if a validator has signed it.
    fn keep_ahead(&mut self, message: Message) -> Verdict {
        let next = if self.is_running { self.hands.height.next() } else { self.hands.height };
        let height = message.content.height();
        if height < next || height > next.next() {
            return Verdict::Ignore;
        }
        // The validators may be others by then, so a stranger's message is no offence, and is checked again.
        let (chain, validators) = (&self.hands.chain, &self.hands.validators);
        let signer = match &message.content {
            Content::Proposal(signed, _) => signer(chain, validators, signed),
            Content::Vote(signed) => signer(chain, validators, signed),
            // These come again, and more often than they are needed.
            Content::Polka(_) | Content::Round(_) => None,
        };
        let Some(signer) = signer else { return Verdict::Ignore };
        self.ahead.keep(signer, message);
        Verdict::Accept
    }

    /// What can be said of a message of this height before the machine is told.
    fn check(&self, content: &Content) -> Verdict {
        let (chain, validators) = (&self.hands.chain, &self.hands.validators);
        let verdict = |is_right: bool| if is_right { Verdict::Accept } else { Verdict::Reject };
        match content {
            Content::Vote(signed) if self.state.driver.votes().has_vote(&convert::to_vote(signed.clone())) => {
                Verdict::Ignore
            }
            Content::Vote(signed) => verdict(signer(chain, validators, signed).is_some()),
            Content::Proposal(signed, block) => {
                let Proposal { height, round, block: hash, validator, .. } = signed.ballot;
                let is_unsealed = match &block.header.seal {
                    Seal::Pos { certificate, .. } => certificate.signatures.is_empty(),
                    Seal::Genesis | Seal::Pow { .. } | Seal::Poot { .. } => false,
                };
                let is_its_turn = validators.proposer(height, round).address() == validator;
                let is_its_block = is_unsealed && block.header.height == height && block.hash() == hash;
                verdict(is_its_turn && is_its_block && signer(chain, validators, signed).is_some())
            }
            // The machine looks at these itself, and a proof that is known already costs nothing.
            Content::Polka(_) | Content::Round(_) => Verdict::Accept,
        }
    }

    fn take_in(&mut self, message: Message, judge: Judge<'_>) -> Verdict {
        match message.content {
            Content::Vote(signed) => {
                self.feed(Input::Vote(convert::to_vote(signed)));
                Verdict::Accept
            }
            Content::Proposal(signed, block) => self.take_in_proposal(signed, *block, judge),
            Content::Polka(proof) => {
                let proof = convert::to_polka(proof);
                let is_known = self.state.polka_certificate(proof.round, &proof.value_id).is_some();
                self.feed(Input::PolkaCertificate(proof.clone()));
                let is_good = self.state.polka_certificate(proof.round, &proof.value_id).is_some();
                if is_good && !is_known { Verdict::Accept } else { Verdict::Ignore }
            }
            Content::Round(proof) => {
                let before = self.state.round();
                self.feed(Input::RoundCertificate(convert::to_round(proof)));
                if self.state.round() == before { Verdict::Ignore } else { Verdict::Accept }
            }
        }
    }

    fn take_in_proposal(&mut self, signed: Signed<Proposal>, block: Block, judge: Judge<'_>) -> Verdict {
        let hash = signed.ballot.block;
        let judgement = judge(&block);
        if judgement == Judgement::Unknown || !self.hands.keep(hash, block.clone()) {
            return Verdict::Ignore;
        }
        let entry = Entry::Block {
            round: signed.ballot.round,
            proof_round: signed.ballot.proof_round,
            proposer: signed.ballot.validator,
            block: Box::new(block),
            is_valid: judgement == Judgement::Valid,
        };
        // The block first: a proposal without one is only remembered.
        let Input::ProposedValue(value, ValueOrigin::Consensus) = convert::to_input(entry) else {
            unreachable!("a block is a proposed value")
        };
        self.feed(Input::ProposedValue(value, ValueOrigin::Consensus));
        self.feed(Input::Proposal(convert::to_proposal(signed)));
        match judgement {
            Judgement::Valid => Verdict::Accept,
            Judgement::Invalid => Verdict::Reject,
            Judgement::Early | Judgement::Unknown => Verdict::Ignore,
        }
    }

    /// Gives the core an input and does what it asks for.
    fn feed(&mut self, input: Input<Context>) {
        let hands = &mut self.hands;
        let state = &mut self.state;
        let done: Result<(), arc_malachitebft_core_consensus::Error<Context>> = process!(
            input: input,
            state: state,
            metrics: &(),
            with: effect => Ok::<_, std::convert::Infallible>(hands.handle(effect))
        );
        if let Err(error) = done {
            // What it has said and what it would say now differ, or a rule of the core is broken. Silence is safe.
            tracing::error!(%error, height = %self.hands.height, "agreement.failed");
            self.set_speaking(false);
        }
        if self.state.driver.step_is_commit() {
            self.is_running = false;
        }
        self.accuse();
    }

    /// Says who has contradicted itself as far as the core has noticed.
    fn accuse(&mut self) {
        let votes = self.state.driver.votes().evidence().iter().flat_map(|(_, pairs)| pairs.first());
        let mut proofs: Vec<_> = votes.map(convert::of_double_vote).collect();
        let proposals = self.state.driver.proposals().evidence().iter().flat_map(|(_, pairs)| pairs.first());
        proofs.extend(proposals.map(convert::of_double_proposal));
        for proof in proofs {
            self.hands.accuse(proof);
        }
    }

    /// The log has been read: from here on what the machine does counts.
    fn end_replay(&mut self) {
        if !self.hands.is_replaying {
            return;
        }
        self.hands.is_replaying = false;
        let said = std::mem::take(&mut self.hands.said).into_iter().filter(|_| self.is_running);
        let again = said.map(|content| Output::Send(Box::new(Message { content, copy: 0 })));
        self.hands.outputs.extend(again);
        let round = self.round();
        let address = *self.state.address();
        let has_proposed =
            self.state.full_proposal_at_round_and_proposer(&self.hands.height, self.state.round(), &address).is_some();
        if let Some(wanted) = self.hands.wanted.filter(|wanted| Some(*wanted) == round && !has_proposed) {
            self.hands.outputs.push(Output::WantBlock { round: wanted });
        }
    }

    fn outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.hands.outputs)
    }

    /// The block that was proposed with this identifier, while its height is under way.
    pub fn block(&self, hash: &Hash) -> Option<&Block> {
        self.hands.blocks.get(hash)
    }
}

/// The validator that has signed a ballot, when it is one.
fn signer<T: crate::types::Ballot>(chain: &ChainId, validators: &ValidatorSet, signed: &Signed<T>) -> Option<Address> {
    let validator = validators.get(&signed.ballot.validator())?;
    signed.verify(chain, &validator.key).ok().map(|()| validator.address())
}
