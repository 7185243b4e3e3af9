//! The genesis document: what makes two nodes members of the same chain.

use super::{Amount, Block, Difficulty, Header, Height, Seal, Timestamp};
use crate::crypto::{Address, Domain, Hash, merkle};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// The chain's first state and its rules. Its digest is in the genesis block, so a change makes another chain.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// The chain's name.
    pub chain_id: ChainId,
    /// Timestamp of the genesis block, in milliseconds since 1970.
    pub timestamp: Timestamp,
    /// The rules.
    pub params: ChainParams,
    /// The first balances.
    pub accounts: BTreeMap<Address, Amount>,
}

/// The rules that every node of a chain must agree on. Times are in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChainParams {
    /// What the retarget aims at, between two blocks; 100 ms to an hour.
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
}

impl Default for ChainParams {
    fn default() -> Self {
        Self {
            block_interval_ms: 10_000,
            confirmations: 6,
            difficulty_start: Difficulty(1000),
            retarget_interval: 32,
            future_max_ms: 15_000,
            block_reward: Amount(50_000_000),
            block_transactions_max: 1000,
        }
    }
}

/// A genesis document that no chain can start from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GenesisError {
    /// A rule outside its bounds.
    #[error("params.{key} is {got}, and must be from {min} to {max}")]
    OutOfBounds {
        /// The rule's key.
        key: &'static str,
        /// What the document says.
        got: u64,
        /// Least value.
        min: u64,
        /// Greatest value.
        max: u64,
    },
    /// Balances that add up to more than an amount can hold.
    #[error("the balances of genesis add up to more than {}", u64::MAX)]
    SupplyOverflow,
}

impl Genesis {
    /// Checks the bounds of every rule.
    ///
    /// # Errors
    /// The first rule that is out of bounds, or a supply that overflows.
    pub fn validate(&self) -> Result<(), GenesisError> {
        let p = &self.params;
        let bounds = [
            ("block_interval_ms", p.block_interval_ms, 100, 3_600_000),
            ("confirmations", p.confirmations, 1, 1000),
            ("difficulty_start", p.difficulty_start.0, 4, u64::MAX),
            ("retarget_interval", p.retarget_interval, 2, 1000),
            ("future_max_ms", p.future_max_ms, 1000, 7_200_000),
            ("block_reward", p.block_reward.0, 0, u64::MAX / 1_000_000_000),
            ("block_transactions_max", p.block_transactions_max.into(), 1, 10_000),
        ];
        for (key, got, min, max) in bounds {
            if got < min || got > max {
                return Err(GenesisError::OutOfBounds { key, got, min, max });
            }
        }
        self.supply().map(|_| ())
    }

    /// The sum of the first balances.
    ///
    /// # Errors
    /// [`GenesisError::SupplyOverflow`].
    pub fn supply(&self) -> Result<Amount, GenesisError> {
        self.accounts
            .values()
            .try_fold(Amount(0), |sum, amount| sum.checked_add(*amount))
            .ok_or(GenesisError::SupplyOverflow)
    }

    /// The genesis block over the state root that executing this document gives.
    pub fn block(&self, state_root: Hash) -> Block {
        let header = Header {
            height: Height(0),
            parent: Hash::of(Domain::Genesis, &[&crate::encode(self)]),
            transactions_root: merkle::EMPTY_ROOT,
            state_root,
            timestamp: self.timestamp,
            proposer: Address([0; 20]),
            seal: Seal::Genesis,
        };
        Block { header, transactions: Vec::new() }
    }
}

/// A chain's name: 1 to 32 characters out of `a-z`, `0-9` and `-`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, BorshSerialize)]
pub struct ChainId(String);

/// Text that is no chain's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a chain id is 1 to 32 characters out of a-z, 0-9 and '-', not {0:?}")]
pub struct ChainIdError(String);

impl FromStr for ChainId {
    type Err = ChainIdError;
    fn from_str(text: &str) -> Result<Self, ChainIdError> {
        let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        if text.is_empty() || text.len() > 32 || !text.bytes().all(allowed) {
            return Err(ChainIdError(text.chars().take(80).collect()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl BorshDeserialize for ChainId {
    fn deserialize_reader<R: std::io::Read>(reader: &mut R) -> std::io::Result<Self> {
        let text = String::deserialize_reader(reader)?;
        text.parse().map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error))
    }
}

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

crate::crypto::serde_as_text!(ChainId);
