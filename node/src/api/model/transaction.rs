//! Transactions and what became of them.

use super::ProofError;
use crate::{
    crypto::{Hash, merkle},
    types::{Height, Transaction},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A transaction and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransactionInfo {
    /// Its identifier.
    pub hash: Hash,
    /// The transaction.
    pub transaction: Transaction,
    /// What became of it.
    pub status: TransactionStatus,
}

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum TransactionStatus {
    /// It waits for a block.
    Waiting,
    /// It is in a block.
    Included {
        /// The block's height.
        height: Height,
        /// The block.
        block: Hash,
        /// Its place in the block, from 0.
        place: u32,
        /// Blocks on top of that one.
        confirmations: u64,
        /// Whether those are enough.
        confirmed: bool,
    },
}

/// A transaction was taken in, or had been before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Submitted {
    /// Its identifier.
    pub hash: Hash,
    /// Whether it is new here.
    pub outcome: SubmitOutcome,
}

/// What a submission met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubmitOutcome {
    /// It is new: it waits here now and was given to peers. The status is 202.
    Accepted,
    /// It waited here already. The status is 200.
    Waiting,
    /// It is in a block already. The status is 200.
    Included,
}

/// A transaction with the path to the transactions root of its block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransactionProofInfo {
    /// The transaction's identifier.
    pub hash: Hash,
    /// The transaction.
    pub transaction: Transaction,
    /// The block it is in.
    pub height: Height,
    /// That block.
    pub block: Hash,
    /// Its transactions root.
    pub transactions_root: Hash,
    /// The path.
    #[schema(value_type = Object)]
    pub proof: merkle::Proof,
}

impl TransactionProofInfo {
    /// Checks that `transactions_root`, which the caller trusts, commits to [`Self::transaction`].
    ///
    /// # Errors
    /// [`ProofError`] when it does not.
    pub fn verify(&self, transactions_root: Hash) -> Result<(), ProofError> {
        let holds = self.proof.holds(transactions_root, &crate::encode(&self.transaction));
        if holds { Ok(()) } else { Err(ProofError(transactions_root)) }
    }
}
