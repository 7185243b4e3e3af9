//! What validators sign to agree on a block: proposals and votes, the certificate that two thirds of them make, and the proof
//! that one of them signed two that contradict each other.

use super::{ChainId, Height};
use crate::crypto::{Address, Domain, Hash, Keypair, PublicKey, Signature, SignatureError};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

/// Signatures in a certificate, at most: one for each validator of the largest set.
pub const CERTIFICATE_SIGNATURES_MAX: usize = super::VALIDATORS_MAX;

/// One try to agree on a block, from 0 at each height. Each has another proposer.
pub type Round = u32;

/// Which of the two votes of a round.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// "I would accept this block."
    Prevote,
    /// "I have seen that two thirds would accept it, and will accept no other unless two thirds change their mind."
    Precommit,
}

/// A validator's vote.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vote {
    /// The height that is agreed on.
    pub height: Height,
    /// The round.
    pub round: Round,
    /// Which vote.
    pub step: Step,
    /// The block; `None` is a vote for no block in this round.
    pub block: Option<Hash>,
    /// Who votes.
    pub validator: Address,
}

/// A proposer's choice for a round.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// The height that is agreed on.
    pub height: Height,
    /// The round.
    pub round: Round,
    /// The block.
    pub block: Hash,
    /// The earlier round in which two thirds prevoted for it, when it is proposed again.
    pub proof_round: Option<Round>,
    /// Who proposes.
    pub validator: Address,
}

/// What a validator signs.
pub trait Ballot: BorshSerialize {
    /// Keeps one kind's signatures from being good for another.
    const DOMAIN: Domain;

    /// Who signs it.
    fn validator(&self) -> Address;

    /// The digest that is signed: the chain is in it.
    fn digest(&self, chain: &ChainId) -> Hash {
        Hash::of(Self::DOMAIN, &[&crate::encode(chain), &crate::encode(self)])
    }
}

impl Ballot for Vote {
    const DOMAIN: Domain = Domain::Vote;
    fn validator(&self) -> Address {
        self.validator
    }
}

impl Ballot for Proposal {
    const DOMAIN: Domain = Domain::Proposal;
    fn validator(&self) -> Address {
        self.validator
    }
}

/// A ballot with its validator's signature.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed<T> {
    /// What is signed.
    pub ballot: T,
    /// The signature over [`Ballot::digest`].
    pub signature: Signature,
}

impl<T: Ballot> Signed<T> {
    /// Signs it. The key must be the validator's, else it will not verify.
    pub fn new(ballot: T, chain: &ChainId, key: &Keypair) -> Self {
        let signature = key.sign(&ballot.digest(chain));
        Self { ballot, signature }
    }

    /// Verifies that `key` signed it, and that it is the key of the validator that it names.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub fn verify(&self, chain: &ChainId, key: &PublicKey) -> Result<(), SignatureError> {
        if key.address() != self.ballot.validator() {
            return Err(SignatureError);
        }
        key.verify(&self.ballot.digest(chain), &self.signature)
    }
}

/// Precommits of more than two thirds of the stake for one block in one round: the block is final.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The round in which it was agreed on.
    pub round: Round,
    /// The precommits' signatures, in order of address; at most [`CERTIFICATE_SIGNATURES_MAX`].
    pub signatures: Vec<(Address, Signature)>,
}

impl Certificate {
    /// The vote that the signature of `validator` is over.
    pub fn vote(&self, height: Height, block: Hash, validator: Address) -> Vote {
        Vote { height, round: self.round, step: Step::Precommit, block: Some(block), validator }
    }
}

/// Two ballots of one validator for the same place that contradict each other: proof that it breaks the rules.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Equivocation {
    /// Two votes of the same step.
    Votes(Signed<Vote>, Signed<Vote>),
    /// Two proposals.
    Proposals(Signed<Proposal>, Signed<Proposal>),
}

/// What is no proof of an equivocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EquivocationError {
    /// They are of two validators, heights, rounds or steps.
    #[error("the two ballots are not for the same place")]
    Elsewhere,
    /// They say the same, or are in the wrong order.
    #[error("the two ballots do not contradict each other in ascending order")]
    NoContradiction,
    /// One is not signed by the validator.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

impl Equivocation {
    /// The proof that two votes make, in its one form.
    pub fn of_votes(a: Signed<Vote>, b: Signed<Vote>) -> Self {
        let (a, b) = if a.ballot <= b.ballot { (a, b) } else { (b, a) };
        Self::Votes(a, b)
    }

    /// The proof that two proposals make, in its one form.
    pub fn of_proposals(a: Signed<Proposal>, b: Signed<Proposal>) -> Self {
        let (a, b) = if a.ballot <= b.ballot { (a, b) } else { (b, a) };
        Self::Proposals(a, b)
    }

    /// Who equivocated, if it is true.
    pub fn validator(&self) -> Address {
        match self {
            Self::Votes(a, _) => a.ballot.validator,
            Self::Proposals(a, _) => a.ballot.validator,
        }
    }

    /// At which height.
    pub fn height(&self) -> Height {
        match self {
            Self::Votes(a, _) => a.ballot.height,
            Self::Proposals(a, _) => a.ballot.height,
        }
    }

    /// Checks that it is a proof against the owner of `key`.
    ///
    /// # Errors
    /// Why it is none.
    pub fn check(&self, chain: &ChainId, key: &PublicKey) -> Result<(), EquivocationError> {
        let (same_place, contradict) = match self {
            Self::Votes(Signed { ballot: a, .. }, Signed { ballot: b, .. }) => {
                let place = |vote: &Vote| (vote.height, vote.round, vote.step, vote.validator);
                (place(a) == place(b), a.block < b.block)
            }
            Self::Proposals(Signed { ballot: a, .. }, Signed { ballot: b, .. }) => {
                let place = |proposal: &Proposal| (proposal.height, proposal.round, proposal.validator);
                (place(a) == place(b), a < b)
            }
        };
        if !same_place {
            return Err(EquivocationError::Elsewhere);
        }
        if !contradict {
            return Err(EquivocationError::NoContradiction);
        }
        match self {
            Self::Votes(a, b) => a.verify(chain, key).and_then(|()| b.verify(chain, key))?,
            Self::Proposals(a, b) => a.verify(chain, key).and_then(|()| b.verify(chain, key))?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain() -> ChainId {
        "test".parse().expect("it is a chain id")
    }

    fn vote(key: &Keypair, round: Round, block: Option<u8>) -> Signed<Vote> {
        let block = block.map(|byte| Hash([byte; 32]));
        let vote = Vote { height: Height(3), round, step: Step::Precommit, block, validator: key.address() };
        Signed::new(vote, &chain(), key)
    }

    #[test]
    fn a_signature_is_good_for_one_chain_and_one_key() {
        let (key, other) = (Keypair::from_secret([1; 32]), Keypair::from_secret([2; 32]));
        let signed = vote(&key, 0, Some(1));
        assert_eq!(signed.verify(&chain(), &key.public()), Ok(()));
        assert_eq!(signed.verify(&chain(), &other.public()), Err(SignatureError));
        assert_eq!(signed.verify(&"other".parse().expect("it is one"), &key.public()), Err(SignatureError));
        let foreign = Signed::new(signed.ballot.clone(), &chain(), &other);
        assert_eq!(foreign.verify(&chain(), &other.public()), Err(SignatureError), "it names another validator");
    }

    #[test]
    fn a_proof_has_one_form_and_is_checked() {
        let (key, other) = (Keypair::from_secret([1; 32]), Keypair::from_secret([2; 32]));
        let (a, b) = (vote(&key, 0, Some(1)), vote(&key, 0, None));
        let proof = Equivocation::of_votes(a.clone(), b.clone());
        assert_eq!(proof, Equivocation::of_votes(b.clone(), a.clone()));
        assert_eq!(proof.check(&chain(), &key.public()), Ok(()));
        assert_eq!((proof.validator(), proof.height()), (key.address(), Height(3)));
        let wrong = [
            (Equivocation::Votes(a.clone(), b.clone()), EquivocationError::NoContradiction),
            (Equivocation::of_votes(a.clone(), a.clone()), EquivocationError::NoContradiction),
            (Equivocation::of_votes(a.clone(), vote(&key, 1, None)), EquivocationError::Elsewhere),
            (Equivocation::of_votes(a.clone(), vote(&other, 0, None)), EquivocationError::Elsewhere),
        ];
        for (proof, expected) in wrong {
            assert_eq!(proof.check(&chain(), &key.public()), Err(expected), "{proof:?}");
        }
        assert_eq!(proof.check(&chain(), &other.public()), Err(SignatureError.into()));
    }
}
