//! Who has bonded what, and who may vote: the rules of stakes as one record of the state.
//!
//! | transaction | does |
//! |---|---|
//! | stake | moves tokens of the sender into its bond; a bond has at least `stake_min` |
//! | unstake | takes tokens out of the bond; they wait for `unbonding_blocks` and are the sender's again |
//! | evidence | burns `slash_percent` of the bond, and of what waits, of a validator that has contradicted itself |
//!
//! The set of validators changes between epochs: the block at a multiple of `epoch_blocks` makes the set of the blocks after
//! it, out of the bonds as it leaves them. So a set can be known one block before its first vote, and a stake that comes and
//! goes within an epoch never votes. If no bond is left the old set goes on: a chain cannot lose its last validator.
//!
//! Bounds: [`BONDS_MAX`] bonds, each of which costs the minimum; [`UNBONDING_MAX`] waiting amounts of one validator.

use super::state::{ReadError, stakes_key, value};
use crate::crypto::{Address, PublicKey};
use crate::types::{
    Amount, ChainId, Equivocation, EquivocationError, Genesis, Height, PosParams, Validator, ValidatorSet,
};
use borsh::{BorshDeserialize, BorshSerialize};
use jmt::storage::TreeReader;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Bonds at a time. Ten for each place in the largest set.
pub const BONDS_MAX: usize = 1000;
/// Amounts of one validator that wait to be free, at most.
pub const UNBONDING_MAX: usize = 8;

/// Tokens that a validator answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
pub struct Bond {
    /// The key that it votes with.
    pub key: PublicKey,
    /// How many.
    pub amount: Amount,
}

/// Tokens that were taken out of a bond and can still be slashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
pub struct Unbonding {
    /// Whose they are.
    pub key: PublicKey,
    /// How many.
    pub amount: Amount,
    /// The block that makes them free.
    pub release: Height,
}

/// The record.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
pub struct Stakes {
    /// Who votes on the next block.
    pub active: ValidatorSet,
    /// All bonds.
    pub bonds: BTreeMap<Address, Bond>,
    /// What waits to be free, the earliest first.
    pub unbonding: Vec<Unbonding>,
    /// Heights for which a validator has been slashed, while evidence of them is good.
    pub punished: BTreeSet<(Height, Address)>,
}

/// A transaction against the rules of stakes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StakeError {
    /// Stakes are of proof of stake.
    #[error("this chain has no stakes")]
    NoStakes,
    /// A bond below the minimum.
    #[error("the bond would be {got}, and the least is {min}")]
    TooSmall {
        /// What it would be.
        got: Amount,
        /// The rule.
        min: Amount,
    },
    /// Less is bonded than should be taken out.
    #[error("{got} is bonded, and {wanted} should be taken out")]
    NotBonded {
        /// What is bonded.
        got: Amount,
        /// What should be taken out.
        wanted: Amount,
    },
    /// There are as many bonds, or waiting amounts of this validator, as there may be.
    #[error("there are {0} already, which is the limit")]
    TooMany(usize),
    /// Evidence against somebody who has nothing to lose.
    #[error("{0} has no bond")]
    Unknown(Address),
    /// Evidence of a height that lies ahead or too far back.
    #[error("the evidence is of height {got}, and counts from {from} to {to}")]
    Age {
        /// Lowest height.
        from: Height,
        /// Highest height.
        to: Height,
        /// The evidence's.
        got: Height,
    },
    /// It was slashed for this height.
    #[error("it was slashed for this height before")]
    Punished,
    /// Evidence that proves nothing.
    #[error(transparent)]
    Proof(#[from] EquivocationError),
}

impl Stakes {
    /// The record that a chain begins with.
    pub fn of(genesis: &Genesis) -> Self {
        let bond = |(key, amount): (&PublicKey, &Amount)| (key.address(), Bond { key: *key, amount: *amount });
        let bonds: BTreeMap<_, _> = genesis.validators.iter().map(bond).collect();
        let active = set(&bonds, &genesis.params.pos);
        Self { active, bonds, ..Self::default() }
    }

    /// All tokens that are in it.
    pub fn total(&self) -> Amount {
        let bonded = self.bonds.values().map(|bond| bond.amount.0);
        Amount(bonded.chain(self.unbonding.iter().map(|waiting| waiting.amount.0)).sum())
    }

    /// Adds to the bond of `key`.
    ///
    /// # Errors
    /// [`StakeError`]; then nothing has changed.
    pub fn stake(&mut self, params: &PosParams, key: PublicKey, amount: Amount) -> Result<(), StakeError> {
        let address = key.address();
        let old = self.bonds.get(&address).map_or(Amount(0), |bond| bond.amount);
        // The supply fits an amount, and so does any part of it.
        let new = Amount(old.0 + amount.0);
        if new < params.stake_min {
            return Err(StakeError::TooSmall { got: new, min: params.stake_min });
        }
        if old == Amount(0) && self.bonds.len() >= BONDS_MAX {
            return Err(StakeError::TooMany(BONDS_MAX));
        }
        self.bonds.insert(address, Bond { key, amount: new });
        Ok(())
    }

    /// Takes from the bond of `key` at `height`.
    ///
    /// # Errors
    /// [`StakeError`]; then nothing has changed.
    pub fn unstake(
        &mut self,
        params: &PosParams,
        height: Height,
        key: PublicKey,
        amount: Amount,
    ) -> Result<(), StakeError> {
        let address = key.address();
        let got = self.bonds.get(&address).map_or(Amount(0), |bond| bond.amount);
        let left = got.checked_sub(amount).ok_or(StakeError::NotBonded { got, wanted: amount })?;
        if left != Amount(0) && left < params.stake_min {
            return Err(StakeError::TooSmall { got: left, min: params.stake_min });
        }
        if self.unbonding.iter().filter(|waiting| waiting.key == key).count() >= UNBONDING_MAX {
            return Err(StakeError::TooMany(UNBONDING_MAX));
        }
        if left == Amount(0) {
            self.bonds.remove(&address);
        } else {
            self.bonds.insert(address, Bond { key, amount: left });
        }
        let release = Height(height.0 + params.unbonding_blocks);
        self.unbonding.push(Unbonding { key, amount, release });
        Ok(())
    }

    /// Slashes whom `proof` shows to have equivocated. Gives the tokens that are gone.
    ///
    /// # Errors
    /// [`StakeError`]; then nothing has changed.
    pub fn punish(
        &mut self,
        params: &PosParams,
        chain: &ChainId,
        height: Height,
        proof: &Equivocation,
    ) -> Result<Amount, StakeError> {
        let (who, when) = (proof.validator(), proof.height());
        let from = height.back(params.unbonding_blocks);
        if when > height || when < from {
            return Err(StakeError::Age { from, to: height, got: when });
        }
        if self.punished.contains(&(when, who)) {
            return Err(StakeError::Punished);
        }
        let waiting = self.unbonding.iter().find(|waiting| waiting.key.address() == who).map(|waiting| waiting.key);
        let key = self.bonds.get(&who).map(|bond| bond.key).or(waiting).ok_or(StakeError::Unknown(who))?;
        proof.check(chain, &key)?;
        let mut burned = 0;
        let bonded = self.bonds.get_mut(&who).map(|bond| &mut bond.amount);
        let waiting = self.unbonding.iter_mut().filter(|waiting| waiting.key == key).map(|waiting| &mut waiting.amount);
        for amount in bonded.into_iter().chain(waiting) {
            let loss = u128::from(amount.0) * u128::from(params.slash_percent) / 100;
            let loss = u64::try_from(loss).expect("a part of an amount fits one");
            amount.0 -= loss;
            burned += loss;
        }
        self.punished.insert((when, who));
        Ok(Amount(burned))
    }

    /// The end of the block at `height`. Gives what is free from now on, and makes the next set when an epoch ends.
    pub fn end_block(&mut self, params: &PosParams, height: Height) -> Vec<(Address, Amount)> {
        let free = |waiting: &Unbonding| waiting.release <= height;
        let released = self.unbonding.iter().filter(|waiting| free(waiting));
        let released = released.map(|waiting| (waiting.key.address(), waiting.amount)).collect();
        self.unbonding.retain(|waiting| !free(waiting));
        let oldest = height.back(params.unbonding_blocks);
        self.punished.retain(|(when, _)| *when >= oldest);
        if height.0.is_multiple_of(params.epoch_blocks) {
            let next = set(&self.bonds, params);
            if !next.is_empty() {
                self.active = next;
            }
        }
        released
    }
}

fn set(bonds: &BTreeMap<Address, Bond>, params: &PosParams) -> ValidatorSet {
    let enough = bonds.values().filter(|bond| bond.amount >= params.stake_min);
    ValidatorSet::new(enough.map(|bond| Validator { key: bond.key, stake: bond.amount }))
}

/// The record after the block at `height`, on a chain with stakes.
///
/// # Errors
/// [`ReadError`] when the storage fails or there is no such version.
pub fn stakes(reader: &dyn TreeReader, height: Height) -> Result<Stakes, ReadError> {
    value(reader, height, stakes_key())?.ok_or_else(|| ReadError::new(height, "no record of stakes"))
}

/// Who votes on the block at `height`.
///
/// # Errors
/// As [`stakes`].
pub fn validators(reader: &dyn TreeReader, height: Height) -> Result<ValidatorSet, ReadError> {
    Ok(stakes(reader, height.back(1))?.active)
}
