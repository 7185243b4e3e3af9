//! What operators do for the network, and how they show it.

use super::{ChainId, Height, Period};
use crate::crypto::{Address, Domain, Hash, Keypair, PublicKey, Signature, SignatureError};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

/// Operators at a time, at most: whose turn it is follows from what all of them did.
pub const OPERATORS_MAX: usize = 100;

/// The place of an operator among those who may lead the next block, the first being 0.
pub type Rank = u32;

/// What an operator shows to have done in a period. The sender of the transaction is the operator.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskProof {
    /// When: the present period or the one before.
    pub period: Period,
    /// What.
    pub task: Task,
}

/// A task. Each counts once in a period.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Task {
    /// It was up: its own transaction says so.
    Uptime,
    /// It has checked the chain up to a block of that period, and signs for it.
    Validation {
        /// The block's height.
        height: Height,
        /// The block.
        block: Hash,
    },
    /// It keeps old blocks: another operator has asked it for one that nobody could know before the period began.
    Storage {
        /// Who has asked.
        witness: Witness,
    },
    /// It has passed on traffic: another operator says how much it got.
    Relay {
        /// Megabytes, begun ones included.
        megabytes: u32,
        /// Who got it.
        witness: Witness,
    },
}

/// Another operator, and its signature over a [`Testimony`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Witness {
    /// Who.
    pub operator: Address,
    /// Its signature.
    pub signature: Signature,
}

/// What a witness signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Testimony {
    /// Of whom.
    pub operator: Address,
    /// When.
    pub period: Period,
    /// The megabytes that it has relayed; none when it is about storage.
    pub megabytes: Option<u32>,
}

impl Testimony {
    /// What is signed, for one chain.
    pub fn digest(&self, chain: &ChainId) -> Hash {
        Hash::of(Domain::Testimony, &[&crate::encode(&(chain, self))])
    }

    /// Signs it with the witness's key.
    pub fn sign(&self, chain: &ChainId, key: &Keypair) -> Witness {
        Witness { operator: key.address(), signature: key.sign(&self.digest(chain)) }
    }

    /// Verifies that the holder of `key` has signed it.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub fn verify(&self, chain: &ChainId, key: &PublicKey, witness: &Witness) -> Result<(), SignatureError> {
        key.verify(&self.digest(chain), &witness.signature)
    }
}
