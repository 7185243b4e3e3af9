//! Who may lead the next block.

use crate::{
    crypto::{Address, PublicKey},
    types::{Height, Period, Rank, Slot},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The operators in the order in which they may lead the next block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OperatorsInfo {
    /// The next block's height.
    pub height: Height,
    /// The slot that the order is for: the one after the head's.
    pub slot: Slot,
    /// Its period.
    pub period: Period,
    /// The order, the first one first.
    pub operators: Vec<OperatorInfo>,
}

/// Somebody who may lead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OperatorInfo {
    /// Its address.
    pub address: Address,
    /// The key that it leads with.
    pub key: PublicKey,
    /// Its place, from 0. It may lead when those before it have not for a time-out each.
    pub rank: Rank,
    /// Why it has this place.
    pub standing: StandingInfo,
    /// What it has done in the window.
    pub credits: u64,
    /// Of a thousand periods of the window, those in which it has done something.
    pub density_permille: u64,
    /// The last slot that it has led.
    pub last_led: Option<Slot>,
    /// The slot in which it became an operator.
    pub since: Slot,
}

/// How an operator stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StandingInfo {
    /// It has done enough and does not rest.
    Ready,
    /// It has done enough, and led a short while ago.
    Resting,
    /// It has not done enough.
    Idle,
}
