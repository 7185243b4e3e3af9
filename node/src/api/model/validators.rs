//! Who votes on the next block.

use crate::{
    crypto::{Address, PublicKey},
    types::{Amount, Height, Round},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The validators of the next block, and all bonds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ValidatorsInfo {
    /// The height that they vote on.
    pub height: Height,
    /// The round that this node is in; none between two heights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub round: Option<Round>,
    /// The power of all; more than two thirds make a block final.
    pub power: u64,
    /// Whether this node follows in silence, because it may have signed what it does not know of.
    pub abstains: bool,
    /// Those who vote.
    pub validators: Vec<ValidatorInfo>,
    /// What is bonded; those with enough vote from the next epoch on.
    pub bonds: Vec<BondInfo>,
    /// What was taken out of bonds and is not free yet.
    pub unbonding: Vec<UnbondingInfo>,
}

/// Somebody who votes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ValidatorInfo {
    /// Its address.
    pub address: Address,
    /// What its ballots are signed with.
    pub key: PublicKey,
    /// The weight of its vote: the bond that it had when the epoch began, in whole tokens.
    pub power: u64,
}

/// Tokens that a validator answers with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BondInfo {
    /// Whose.
    pub address: Address,
    /// How many.
    pub amount: Amount,
}

/// Tokens that will be free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnbondingInfo {
    /// Whose.
    pub address: Address,
    /// How many.
    pub amount: Amount,
    /// The block that makes them free.
    pub release: Height,
}
