//! What validators send each other. All of it goes to everyone, by gossip.

use crate::{
    crypto::{Address, Hash, Signature},
    types::{Block, Height, Proposal, Round, Signed, Step, Vote},
};
use borsh::{BorshDeserialize, BorshSerialize};

/// A message of the agreement.
///
/// Gossip passes on each message once. What has to be sent again, because somebody may have been cut off, carries another
/// `copy` number: it says nothing.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Message {
    /// What is said.
    pub content: Content,
    /// Keeps a repetition apart from what was sent before.
    pub copy: u32,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Content {
    /// A proposal and its block, whose certificate is empty.
    Proposal(Signed<Proposal>, Box<Block>),
    /// A vote.
    Vote(Signed<Vote>),
    /// Two thirds have prevoted for a block in a round.
    Polka(PolkaProof),
    /// Enough have voted to leave a round.
    Round(RoundProof),
}

/// Prevotes of two thirds for one block in one round.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PolkaProof {
    /// The height.
    pub height: Height,
    /// The round.
    pub round: Round,
    /// The block.
    pub block: Hash,
    /// Who, with the signature of the prevote.
    pub signatures: Vec<(Address, Signature)>,
}

/// Votes that let others follow into a round, or out of it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RoundProof {
    /// The height.
    pub height: Height,
    /// The round of the votes.
    pub round: Round,
    /// What they let one do.
    pub reason: RoundReason,
    /// The votes: step, block, who, and the signature.
    pub votes: Vec<(Step, Option<Hash>, Address, Signature)>,
}

/// Why a round may be entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum RoundReason {
    /// More than a third have voted in it.
    Skip,
    /// Two thirds have precommitted in the one before, not all for one block.
    Precommits,
}

impl PolkaProof {
    /// The vote that the signature of `validator` is over.
    pub fn vote(&self, validator: Address) -> Vote {
        let block = Some(self.block);
        Vote { height: self.height, round: self.round, step: Step::Prevote, block, validator }
    }
}

impl RoundProof {
    /// The votes, signed.
    pub fn signed(&self) -> impl Iterator<Item = Signed<Vote>> + '_ {
        self.votes.iter().map(|(step, block, validator, signature)| {
            let (step, block, validator) = (*step, *block, *validator);
            let ballot = Vote { height: self.height, round: self.round, step, block, validator };
            Signed { ballot, signature: *signature }
        })
    }
}

impl Content {
    /// The height that it is about.
    pub fn height(&self) -> Height {
        match self {
            Content::Proposal(signed, _) => signed.ballot.height,
            Content::Vote(signed) => signed.ballot.height,
            Content::Polka(proof) => proof.height,
            Content::Round(proof) => proof.height,
        }
    }

    /// Its kind, for logs.
    pub fn name(&self) -> &'static str {
        match self {
            Content::Proposal(..) => "proposal",
            Content::Vote(_) => "vote",
            Content::Polka(_) => "polka",
            Content::Round(_) => "round",
        }
    }
}
