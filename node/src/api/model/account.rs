//! What addresses have.

use super::ProofError;
use crate::{
    crypto::{Address, Hash},
    ledger::{self, account_key},
    types::{Amount, Height, Nonce},
};
use jmt::{RootHash, proof::SparseMerkleProof};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an address has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Balance {
    /// The address.
    pub address: Address,
    /// Tokens; 0 for an address that was never used.
    pub balance: Amount,
    /// Transactions sent and included.
    pub nonce: Nonce,
    /// The nonce for the next transaction, after those that wait here without a gap.
    pub next_nonce: Nonce,
    /// The height that balance and nonce are of.
    pub height: Height,
}

/// Balance and nonce of an account that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountInfo {
    /// Tokens.
    pub balance: Amount,
    /// Transactions sent.
    pub nonce: Nonce,
}

/// An account, or its absence, with the path to the state root of a block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AccountProofInfo {
    /// The address.
    pub address: Address,
    /// The block whose state it is.
    pub height: Height,
    /// That block.
    pub block: Hash,
    /// Its state root.
    pub state_root: Hash,
    /// The account; none proves that there is none.
    pub account: Option<AccountInfo>,
    /// The path, in the form of a Jellyfish Merkle tree.
    #[schema(value_type = Object)]
    pub proof: SparseMerkleProof<sha2_for_jmt::Sha256>,
}

impl AccountProofInfo {
    /// Checks that `state_root`, which the caller trusts, commits to [`Self::account`] or to its absence. The fields
    /// `height`, `block` and `state_root` are the node's word and play no part.
    ///
    /// # Errors
    /// [`ProofError`] when it does not.
    pub fn verify(&self, state_root: Hash) -> Result<(), ProofError> {
        let leaf =
            self.account.map(|AccountInfo { balance, nonce }| crate::encode(&ledger::Account { balance, nonce }));
        let verified = self.proof.verify(RootHash(state_root.0), account_key(&self.address), leaf);
        verified.map_err(|_| ProofError(state_root))
    }
}
