//! The rules of a chain.

use super::{Amount, Difficulty, Slot, TOKEN, Timestamp};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How the nodes of a chain agree on the next block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consensus {
    /// Proof of work: the chain with the most work counts.
    #[default]
    Pow,
    /// Proof of stake: two thirds of the validators agree on each block, and it is final.
    Pos,
    /// Proof of operational tasks: who has done most for the network leads, and rests; the chain of the better leaders counts.
    Poot,
}

impl Consensus {
    /// Its name in documents and scenarios.
    pub fn name(self) -> &'static str {
        match self {
            Consensus::Pow => "pow",
            Consensus::Pos => "pos",
            Consensus::Poot => "poot",
        }
    }
}

impl fmt::Display for Consensus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The rules that every node of a chain must agree on. Times are in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChainParams {
    /// How blocks are agreed on.
    pub consensus: Consensus,
    /// What the retarget aims at, between two blocks, what validators wait after one, and the length of an operator's slot;
    /// 100 ms to an hour.
    pub block_interval_ms: u64,
    /// Depth k at which a transaction counts as confirmed: with k blocks on top of its own. 1 to 1000.
    pub confirmations: u64,
    /// Difficulty of the first blocks, at least 4.
    pub difficulty_start: Difficulty,
    /// Blocks between two adjustments of the difficulty; 2 to 1000.
    pub retarget_interval: u64,
    /// How far a block's timestamp may be ahead of the receiving node's clock.
    pub future_max_ms: u64,
    /// New tokens for the proposer of each block.
    pub block_reward: Amount,
    /// Transactions in a block, at most.
    pub block_transactions_max: u32,
    /// The rules of proof of stake.
    pub pos: PosParams,
    /// The rules of proof of operational tasks.
    pub poot: PootParams,
}

/// The rules of proof of operational tasks. A slot is `block_interval_ms` long.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PootParams {
    /// How long the leader of a rank is waited for before the next rank may lead; 100 ms to a minute.
    pub leader_timeout_ms: u64,
    /// Slots for which a leader rests; 0 to 1000.
    pub cooldown_slots: u64,
    /// Slots of a period; 3 to 10,000.
    pub period_slots: u64,
    /// Periods that count; 1 to [`WINDOW_PERIODS_MAX`].
    pub window_periods: u64,
    /// Of a thousand periods of the window, those in which an operator must have done something; 0 to 1000.
    pub density_min_permille: u64,
    /// Megabytes of relayed traffic that are worth one credit; 1 to 1000.
    pub megabytes_per_credit: u64,
    /// Megabytes that an operator may have relayed in a period; 1 to a million.
    pub relay_megabytes_max: u64,
    /// What it costs to become an operator, in tokens that nobody has afterwards.
    pub registration: Amount,
}

/// Periods that may count, at most: so many tallies of each operator are a part of the state.
pub const WINDOW_PERIODS_MAX: u64 = 256;

impl Default for PootParams {
    fn default() -> Self {
        Self {
            leader_timeout_ms: 5_000,
            cooldown_slots: 16,
            period_slots: 6,
            window_periods: 64,
            density_min_permille: 200,
            megabytes_per_credit: 5,
            relay_megabytes_max: 1_000,
            registration: Amount(1000 * TOKEN.0),
        }
    }
}

impl ChainParams {
    /// The slot of a time.
    pub fn slot(&self, time: Timestamp) -> Slot {
        Slot(time.0 / self.block_interval_ms)
    }

    /// How far a timestamp may be ahead of the clock of whoever judges it. Operators must not gain more than a rank by it.
    pub fn ahead_max_ms(&self) -> u64 {
        match self.consensus {
            Consensus::Pow | Consensus::Pos => self.future_max_ms,
            Consensus::Poot => self.future_max_ms.min(self.poot.leader_timeout_ms),
        }
    }

    /// When a slot begins.
    pub fn begin(&self, slot: Slot) -> Timestamp {
        Timestamp(slot.0.saturating_mul(self.block_interval_ms))
    }
}

/// The rules of proof of stake.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PosParams {
    /// The least bond of a validator, at least one token.
    pub stake_min: Amount,
    /// Blocks of an epoch; the set of validators changes between two. 1 to 100,000.
    pub epoch_blocks: u64,
    /// Blocks for which a bond that is taken back can still be slashed; 1 to 10 million. Evidence is good for as long.
    pub unbonding_blocks: u64,
    /// What an equivocation costs, in percent of the bond; 1 to 100.
    pub slash_percent: u64,
    /// How long a proposal is waited for in the first round; 100 ms to a minute.
    pub propose_ms: u64,
    /// How long further votes are waited for in the first round, once two thirds have voted differently; 100 ms to a minute.
    pub vote_ms: u64,
    /// What each further round adds to both; 0 to a minute.
    pub round_ms: u64,
}

impl Default for PosParams {
    fn default() -> Self {
        Self {
            stake_min: Amount(1000 * TOKEN.0),
            epoch_blocks: 100,
            unbonding_blocks: 10_000,
            slash_percent: 5,
            propose_ms: 2_000,
            vote_ms: 1_000,
            round_ms: 500,
        }
    }
}

impl Default for ChainParams {
    fn default() -> Self {
        Self {
            consensus: Consensus::Pow,
            block_interval_ms: 10_000,
            confirmations: 6,
            difficulty_start: Difficulty(1000),
            retarget_interval: 32,
            future_max_ms: 15_000,
            block_reward: Amount(50_000_000),
            block_transactions_max: 1000,
            pos: PosParams::default(),
            poot: PootParams::default(),
        }
    }
}
