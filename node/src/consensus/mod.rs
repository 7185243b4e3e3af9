//! The narrow interface between the chain and the engine that decides who may extend it.
//!
//! | the chain asks | proof of work answers |
//! |---|---|
//! | may this header follow its ancestors? ([`Engine::check`]) | right difficulty, hash below the target, timestamp in bounds |
//! | how much does it weigh? ([`Engine::weight`]) | its difficulty |
//! | what seal does the next block need? ([`Engine::next_difficulty`]) | the retargeted difficulty |
//! | which height is confirmed under this head? ([`Engine::confirmed`]) | the one k below |
//!
//! The ledger, sync, API and simulator know heads, confirmed heights and reorganisations, not engines.

pub mod pow;

use crate::types::{ChainParams, Difficulty, Header, Height, Seal, Timestamp};

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
    Foreign(Seal),
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

/// The engine of a chain.
#[derive(Clone, Debug)]
pub enum Engine {
    /// Proof of work.
    Pow,
}

impl Engine {
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
        }
    }

    /// What a block adds to its chain's weight.
    pub fn weight(&self, header: &Header) -> Difficulty {
        match (self, header.seal) {
            (Engine::Pow, Seal::Pow { difficulty, .. }) => difficulty,
            (Engine::Pow, Seal::Genesis) => Difficulty(0),
        }
    }

    /// The difficulty of the block at `height`.
    pub fn next_difficulty(&self, params: &ChainParams, height: Height, ancestors: &dyn Ancestors) -> Difficulty {
        match self {
            Engine::Pow => pow::difficulty(params, height, ancestors),
        }
    }

    /// The least timestamp of the block at `height`.
    pub fn earliest(&self, height: Height, ancestors: &dyn Ancestors) -> Timestamp {
        match self {
            Engine::Pow => Timestamp(pow::median_time(height, ancestors).0 + 1),
        }
    }

    /// The highest confirmed height of a chain whose head is at `head`.
    pub fn confirmed(&self, params: &ChainParams, head: Height) -> Height {
        match self {
            Engine::Pow => head.back(params.confirmations),
        }
    }
}
