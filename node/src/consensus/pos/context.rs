//! This chain's ballots and validators as malachite's core wants to see them.

use crate::{
    crypto::{Address, Hash, Keypair, PublicKey, Signature},
    types::{ChainId, Height, Proposal, Step, Validator, ValidatorSet, Vote},
};
use arc_malachitebft_core_types as core;

/// Names the types that the core works with.
#[derive(Clone, Debug)]
pub struct Context {
    /// The chain, which every signature is for.
    pub chain: ChainId,
}

/// A vote, with its choice in the core's form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoreVote {
    pub vote: Vote,
    choice: core::NilOrVal<Hash>,
}

/// A validator, with its address at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoreValidator {
    address: Address,
    key: PublicKey,
    power: u64,
}

/// A set of validators, twice: ours to ask, and the core's.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct CoreSet {
    pub ours: ValidatorSet,
    theirs: Vec<CoreValidator>,
}

/// Blocks travel whole with their proposals, so there are no parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoPart {}

/// How signatures look. The core never signs or verifies: it asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheme;

impl From<Vote> for CoreVote {
    fn from(vote: Vote) -> Self {
        let choice = vote.block.map_or(core::NilOrVal::Nil, core::NilOrVal::Val);
        Self { vote, choice }
    }
}

impl From<ValidatorSet> for CoreSet {
    fn from(ours: ValidatorSet) -> Self {
        let core = |one: &Validator| CoreValidator { address: one.address(), key: one.key, power: one.power() };
        let theirs = ours.iter().map(core).collect();
        Self { ours, theirs }
    }
}

/// The core's round of one of ours.
pub fn round(round: crate::types::Round) -> core::Round {
    core::Round::new(round)
}

impl core::Address for Address {}

impl core::Height for Height {
    const ZERO: Self = Height(0);
    const INITIAL: Self = Height(1);

    fn increment_by(&self, n: u64) -> Self {
        Height(self.0 + n)
    }

    fn decrement_by(&self, n: u64) -> Option<Self> {
        self.0.checked_sub(n).map(Height)
    }

    fn as_u64(&self) -> u64 {
        self.0
    }
}

impl core::Value for Hash {
    type Id = Hash;

    fn id(&self) -> Hash {
        *self
    }
}

impl core::ProposalPart<Context> for NoPart {
    fn is_first(&self) -> bool {
        match *self {}
    }

    fn is_last(&self) -> bool {
        match *self {}
    }
}

impl core::Proposal<Context> for Proposal {
    fn height(&self) -> Height {
        self.height
    }

    fn round(&self) -> core::Round {
        round(self.round)
    }

    fn value(&self) -> &Hash {
        &self.block
    }

    fn take_value(self) -> Hash {
        self.block
    }

    fn pol_round(&self) -> core::Round {
        self.proof_round.into()
    }

    fn validator_address(&self) -> &Address {
        &self.validator
    }
}

impl core::Vote<Context> for CoreVote {
    fn height(&self) -> Height {
        self.vote.height
    }

    fn round(&self) -> core::Round {
        round(self.vote.round)
    }

    fn value(&self) -> &core::NilOrVal<Hash> {
        &self.choice
    }

    fn take_value(self) -> core::NilOrVal<Hash> {
        self.choice
    }

    fn vote_type(&self) -> core::VoteType {
        match self.vote.step {
            Step::Prevote => core::VoteType::Prevote,
            Step::Precommit => core::VoteType::Precommit,
        }
    }

    fn validator_address(&self) -> &Address {
        &self.vote.validator
    }

    fn extension(&self) -> Option<&core::SignedExtension<Context>> {
        None
    }

    fn take_extension(&mut self) -> Option<core::SignedExtension<Context>> {
        None
    }

    fn extend(self, _: core::SignedExtension<Context>) -> Self {
        self
    }
}

impl core::Validator<Context> for CoreValidator {
    fn address(&self) -> &Address {
        &self.address
    }

    fn public_key(&self) -> &PublicKey {
        &self.key
    }

    fn voting_power(&self) -> u64 {
        self.power
    }
}

impl core::ValidatorSet<Context> for CoreSet {
    fn count(&self) -> usize {
        self.theirs.len()
    }

    fn total_voting_power(&self) -> u64 {
        self.theirs.iter().map(|validator| validator.power).sum()
    }

    fn get_by_address(&self, address: &Address) -> Option<&CoreValidator> {
        self.theirs.iter().find(|validator| validator.address == *address)
    }

    fn get_by_index(&self, index: usize) -> Option<&CoreValidator> {
        self.theirs.get(index)
    }
}

impl core::SigningScheme for Scheme {
    type DecodingError = std::io::Error;
    type Signature = Signature;
    type PublicKey = PublicKey;
    type PrivateKey = Keypair;

    fn decode_signature(bytes: &[u8]) -> Result<Signature, std::io::Error> {
        borsh::from_slice(bytes)
    }

    fn encode_signature(signature: &Signature) -> Vec<u8> {
        signature.0.to_vec()
    }

    fn decode_public_key(bytes: &[u8]) -> Result<PublicKey, std::io::Error> {
        borsh::from_slice(bytes)
    }

    fn encode_public_key(key: &PublicKey) -> Vec<u8> {
        key.0.to_vec()
    }
}

impl core::Context for Context {
    type Address = Address;
    type Height = Height;
    type ProposalPart = NoPart;
    type Proposal = Proposal;
    type Validator = CoreValidator;
    type ValidatorSet = CoreSet;
    type Timeouts = core::LinearTimeouts;
    type Value = Hash;
    type Vote = CoreVote;
    type Extension = ();
    type SigningScheme = Scheme;

    fn select_proposer<'a>(&self, set: &'a CoreSet, height: Height, round: core::Round) -> &'a CoreValidator {
        let proposer = set.ours.proposer(height, round.as_u32().unwrap_or(0)).address();
        set.theirs.iter().find(|validator| validator.address == proposer).expect("both halves hold the same")
    }

    fn new_proposal(
        &self,
        height: Height,
        round: core::Round,
        block: Hash,
        proof_round: core::Round,
        validator: Address,
    ) -> Proposal {
        let round = round.as_u32().expect("a proposal is made in a round");
        Proposal { height, round, block, proof_round: proof_round.as_u32(), validator }
    }

    fn new_prevote(
        &self,
        height: Height,
        round: core::Round,
        choice: core::NilOrVal<Hash>,
        validator: Address,
    ) -> CoreVote {
        vote(height, round, Step::Prevote, choice, validator)
    }

    fn new_precommit(
        &self,
        height: Height,
        round: core::Round,
        choice: core::NilOrVal<Hash>,
        validator: Address,
    ) -> CoreVote {
        vote(height, round, Step::Precommit, choice, validator)
    }
}

fn vote(height: Height, round: core::Round, step: Step, choice: core::NilOrVal<Hash>, validator: Address) -> CoreVote {
    let block = match choice {
        core::NilOrVal::Nil => None,
        core::NilOrVal::Val(block) => Some(block),
    };
    let round = round.as_u32().expect("a vote is cast in a round");
    CoreVote { vote: Vote { height, round, step, block, validator }, choice }
}
