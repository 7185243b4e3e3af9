//! The narrow interface between the chain and the engine that decides who may extend it.
//!
//! | the chain asks | proof of work answers | proof of stake answers | proof of operational tasks answers |
//! |---|---|---|---|
//! | may this header follow its ancestors? ([`Engine::check`]) | right difficulty, hash below the target, timestamp in bounds | timestamp after the parent's | its rank's time has come, signed by its proposer |
//! | may its maker have made it, by the state below? ([`Engine::authorise`]) | whoever did the work | it was its turn, and two thirds of the validators agreed | it has this rank by what it did |
//! | how much does it weigh? ([`Engine::weight`]) | its difficulty | 1 | more the better the rank |
//! | is the next block to be searched for? ([`Engine::search`]) | at the retargeted difficulty | no: validators agree on it ([`pos::Agreement`]) | no: a leader makes it |
//! | who may lead it, in which order? ([`Engine::leads`]) | nobody | nobody | all operators, by what they did |
//! | from when on? ([`Engine::earliest`]) | after the median of the last blocks | after the parent | from the next slot |
//! | which height is confirmed under this head? ([`Engine::confirmed`]) | the one k below | the head | the one k below |
//! | how deep may a fork be? ([`Engine::fork_depth_max`]) | [`REORG_DEPTH_MAX`](crate::chain::REORG_DEPTH_MAX) | 0: what is agreed on stays | [`REORG_DEPTH_MAX`](crate::chain::REORG_DEPTH_MAX) |
//!
//! The ledger, sync, API and simulator know heads, confirmed heights and reorganisations, not engines.

pub mod poot;
pub mod pos;
pub mod pow;
#[cfg(test)]
mod retarget_tests;

use crate::{
    chain::REORG_DEPTH_MAX,
    crypto::{Address, Hash},
    ledger::{self, ReadError},
    types::{
        CertificateError, ChainId, ChainParams, Consensus, Difficulty, Header, Height, Rank, Round, Seal, Slot,
        Timestamp,
    },
};
use jmt::storage::TreeReader;

/// Headers that an engine may look back at: the parent, its parent, and so on.
pub trait Ancestors {
    /// The ancestor at `height`, when it is in memory.
    fn at(&self, height: Height) -> Option<&Header>;
}

/// A header that may not follow its ancestors: the fault of whoever made it, and of a peer that passed it on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Sealed by another engine.
    #[error("the seal is not this chain's: {0:?}")]
    Foreign(Box<Seal>),
    /// Not the difficulty that follows from its ancestors.
    #[error("difficulty is {got}, and {expected} follows from the ancestors")]
    Difficulty {
        /// What follows from the ancestors.
        expected: Difficulty,
        /// The header's.
        got: Difficulty,
    },
    /// The hash is above the target.
    #[error("the hash is above the target of difficulty {0}")]
    Work(Difficulty),
    /// Made by a validator whose turn it was not.
    #[error("made by {got}, and in round {round} it is the turn of {expected}")]
    Turn {
        /// The round that the seal names.
        round: Round,
        /// Whose turn it was.
        expected: Address,
        /// Who made it.
        got: Address,
    },
    /// Led before the time of its rank.
    #[error("timestamp {got} is before {opens}, when rank {rank} may lead")]
    TooEarly {
        /// The rank that the seal names.
        rank: Rank,
        /// When it may.
        opens: Timestamp,
        /// The header's.
        got: Timestamp,
    },
    /// Led by an operator of another rank, or by nobody that may.
    #[error("led by {got}, and rank {rank} is {expected:?}")]
    Rank {
        /// The rank that the seal names.
        rank: Rank,
        /// Whose it is; none beyond the last.
        expected: Option<Address>,
        /// Who made it.
        got: Address,
    },
    /// Not signed with the key of whoever made it.
    #[error("{0} has not signed it")]
    Signature(Address),
    /// Not agreed on.
    #[error("the certificate does not make it final: {0}")]
    Certificate(#[from] CertificateError),
    /// Not after the median of the blocks before it.
    #[error("timestamp {got} is not after the median {median} of the blocks before")]
    TooOld {
        /// Median of the last blocks' timestamps.
        median: Timestamp,
        /// The header's.
        got: Timestamp,
    },
    /// Ahead of this node's clock by more than the chain allows.
    #[error("timestamp {got} is {ahead_ms} ms ahead of this node's clock")]
    TooNew {
        /// The header's.
        got: Timestamp,
        /// How far it is ahead.
        ahead_ms: u64,
    },
}

/// A header that its maker may not have made.
#[derive(Debug, thiserror::Error)]
pub enum AuthoriseError {
    /// The fault of whoever made it.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The state could not be read: a fault of ours.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// The engine of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Proof of work.
    Pow,
    /// Proof of stake.
    Pos,
    /// Proof of operational tasks.
    Poot,
}

impl Engine {
    /// The engine that a chain's rules name.
    pub fn of(params: &ChainParams) -> Self {
        match params.consensus {
            Consensus::Pow => Engine::Pow,
            Consensus::Pos => Engine::Pos,
            Consensus::Poot => Engine::Poot,
        }
    }

    /// Checks that `header` may follow its parent, by the clock of `now`.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn check(
        &self,
        params: &ChainParams,
        header: &Header,
        ancestors: &dyn Ancestors,
        now: Timestamp,
    ) -> Result<(), SealError> {
        match self {
            Engine::Pow => pow::check(params, header, ancestors, now),
            Engine::Pos => pos::check(header, ancestors),
            Engine::Poot => poot::check(params, header, ancestors, now),
        }
    }

    /// Checks that whoever made the block `hash` was allowed to, by the state `below` it.
    ///
    /// # Errors
    /// The first rule that it breaks, or that the state cannot be read.
    pub fn authorise(
        &self,
        chain: &ChainId,
        params: &ChainParams,
        header: &Header,
        hash: Hash,
        below: &dyn TreeReader,
    ) -> Result<(), AuthoriseError> {
        match self {
            Engine::Pow => Ok(()),
            Engine::Pos => {
                let validators = ledger::validators(below, header.height)?;
                Ok(pos::authorise(chain, header, hash, &validators)?)
            }
            Engine::Poot => {
                let operators = ledger::operators(below, header.height.back(1))?;
                Ok(poot::authorise(chain, params, header, &operators)?)
            }
        }
    }

    /// What a block adds to its chain's weight.
    pub fn weight(&self, header: &Header) -> Difficulty {
        match (self, &header.seal) {
            (Engine::Pow, Seal::Pow { difficulty, .. }) => *difficulty,
            (Engine::Pos, Seal::Pos { .. }) => Difficulty(1),
            (Engine::Poot, Seal::Poot { rank, .. }) => poot::weight(*rank),
            _ => Difficulty(0),
        }
    }

    /// The difficulty at which the block at `height` is searched for; `None` where blocks are made otherwise.
    pub fn search(&self, params: &ChainParams, height: Height, ancestors: &dyn Ancestors) -> Option<Difficulty> {
        match self {
            Engine::Pow => Some(pow::difficulty(params, height, ancestors)),
            Engine::Pos | Engine::Poot => None,
        }
    }

    /// In which order operators may lead the block at `height`, and the slot of its parent; `None` where nobody leads.
    ///
    /// # Errors
    /// When the state `below` it cannot be read.
    pub fn leads(
        &self,
        chain: &ChainId,
        params: &ChainParams,
        height: Height,
        below: &dyn TreeReader,
    ) -> Result<Option<(Vec<Address>, Slot)>, ReadError> {
        match self {
            Engine::Pow | Engine::Pos => Ok(None),
            Engine::Poot => {
                let operators = ledger::operators(below, height.back(1))?;
                let parent = operators.recent.slot;
                Ok(Some((poot::ranking(chain, &params.poot, &operators, Slot(parent.0 + 1)), parent)))
            }
        }
    }

    /// The least timestamp of the block at `height`.
    pub fn earliest(&self, params: &ChainParams, height: Height, ancestors: &dyn Ancestors) -> Timestamp {
        match self {
            Engine::Pow => Timestamp(pow::median_time(height, ancestors).0 + 1),
            Engine::Pos => pos::earliest(height, ancestors),
            Engine::Poot => poot::opening(params, poot::parent_slot(params, height, ancestors), 0),
        }
    }

    /// Blocks on top of one that make it confirmed; 0 where a block is final at once.
    pub fn confirmations(&self, params: &ChainParams) -> u64 {
        match self {
            Engine::Pow | Engine::Poot => params.confirmations,
            Engine::Pos => 0,
        }
    }

    /// The highest confirmed height of a chain whose head is at `head`.
    pub fn confirmed(&self, params: &ChainParams, head: Height) -> Height {
        head.back(self.confirmations(params))
    }

    /// How far below the head a block may leave the chain.
    pub fn fork_depth_max(&self) -> u64 {
        match self {
            Engine::Pow | Engine::Poot => REORG_DEPTH_MAX,
            Engine::Pos => 0,
        }
    }
}
