//! Newtypes for the chain's numbers. Arithmetic is checked: there is no operator that wraps.

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

number! {
    /// Tokens in their smallest unit.
    Amount(u64)
}
number! {
    /// How many transactions an account has sent; the next one carries this number.
    Nonce(u64)
}
number! {
    /// Distance from the genesis block, which is at 0.
    Height(u64)
}
number! {
    /// Wall-clock time in milliseconds since 1970-01-01T00:00:00Z.
    Timestamp(u64)
}
number! {
    /// Expected number of hashes for one block, at least 4 (two leading zero bits).
    Difficulty(u64)
}
number! {
    /// A stretch of time of one block interval: the wall clock divided by it. Proof of operational tasks only.
    Slot(u64)
}
number! {
    /// A stretch of slots in which each task can be proved once. Proof of operational tasks only.
    Period(u64)
}
number! {
    /// Sum of difficulties of a chain.
    Work(u128)
}

impl Amount {
    /// The sum, or `None` when it does not fit.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, or `None` when `other` is larger.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }
}

impl Nonce {
    /// The nonce after this one. Nobody sends 2^64 transactions.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl Height {
    /// The height above this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The height below this one; `None` at genesis.
    #[must_use]
    pub fn prev(self) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }

    /// The height `n` below this one, at least genesis.
    #[must_use]
    pub fn back(self, n: u64) -> Self {
        Self(self.0.saturating_sub(n))
    }
}

impl Timestamp {
    /// Milliseconds from `earlier` to this, 0 when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl Work {
    /// This chain with one more block on it. 2^64 blocks of the highest difficulty fit.
    #[must_use]
    pub fn plus(self, difficulty: Difficulty) -> Self {
        Self(self.0 + u128::from(difficulty.0))
    }
}
