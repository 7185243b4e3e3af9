//! Signed transactions.

use super::{Amount, ChainId, Equivocation, Height, Nonce, TaskProof};
use crate::crypto::{Address, Domain, Hash, Keypair, PublicKey, Signature, SignatureError};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

/// A [`Body`] and its sender's signature.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transaction {
    /// What is signed.
    pub body: Body,
    /// The sender's signature over [`Body::id`].
    pub signature: Signature,
}

/// What a sender signs. The chain and the nonce are inside, so it is good once, on one chain.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Body {
    /// The chain it is for.
    pub chain_id: ChainId,
    /// The sender, whose address pays.
    pub sender: PublicKey,
    /// The sender's transactions before this one.
    pub nonce: Nonce,
    /// What the proposer of the block gets for it.
    pub fee: Amount,
    /// The last height it may be included at.
    pub valid_until: Height,
    /// What it does.
    pub payload: Payload,
}

/// What a transaction does.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Payload {
    /// Moves tokens.
    Transfer {
        /// Who gets them; a new account is made when needed.
        to: Address,
        /// How many, at least 1.
        amount: Amount,
    },
    /// Bonds tokens of the sender, whose key is then a validator's from the next epoch on. Proof of stake only.
    Stake {
        /// How many, on top of what is bonded.
        amount: Amount,
    },
    /// Takes tokens of the sender's bond back; they are free after the unbonding time. Proof of stake only.
    Unstake {
        /// How many; what is left is nothing or at least the minimum.
        amount: Amount,
    },
    /// Shows that a validator has contradicted itself, for which it loses a part of its bond. Proof of stake only.
    Evidence {
        /// The proof.
        proof: Box<Equivocation>,
    },
    /// Makes the sender an operator, for a price. Proof of operational tasks only.
    Register,
    /// Shows that the sender, an operator, has done something for the network. Proof of operational tasks only.
    Task {
        /// What, when, and who says so.
        proof: TaskProof,
    },
}

impl Body {
    /// The transaction's identifier: the digest that is signed.
    pub fn id(&self) -> Hash {
        Hash::of(Domain::Transaction, &[&crate::encode(self)])
    }

    /// Signs it. The key must be that of `sender`, else it will not verify.
    pub fn sign(self, key: &Keypair) -> Transaction {
        let signature = key.sign(&self.id());
        Transaction { body: self, signature }
    }
}

impl Transaction {
    /// The identifier: of the body, so that it does not depend on the signature.
    pub fn id(&self) -> Hash {
        self.body.id()
    }

    /// The sender's address.
    pub fn sender(&self) -> Address {
        self.body.sender.address()
    }

    /// Verifies the signature.
    ///
    /// # Errors
    /// [`SignatureError`] when it is not the sender's over this body.
    pub fn verify_signature(&self) -> Result<(), SignatureError> {
        self.body.sender.verify(&self.id(), &self.signature)
    }
}
