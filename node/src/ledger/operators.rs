//! Who operates the network and what each has done for it: the rules of operational tasks as records of the state.
//!
//! | transaction | does |
//! |---|---|
//! | register | makes the sender an operator and burns `registration` tokens of it |
//! | task | counts a task of the sender, once a period; [`TaskProof`] says which there are |
//!
//! A proof names the present period or the one before, so nobody can save up tasks. What counts is bounded by the rules of
//! the chain, and where only somebody else can know it, by what another operator has signed.
//!
//! Bounds: [`OPERATORS_MAX`] operators, each with [`WINDOW_PERIODS_MAX`](crate::types::WINDOW_PERIODS_MAX) tallies and one
//! more; hashes of the blocks of two periods.

use super::state::{ReadError, operator_key, operators_key, recent_key, value};
use crate::{
    crypto::{Address, Hash, PublicKey, SignatureError},
    types::{
        Amount, ChainId, Genesis, Height, OPERATORS_MAX, Period, PootParams, Slot, Task, TaskProof, Testimony, Witness,
    },
};
use borsh::{BorshDeserialize, BorshSerialize};
use jmt::storage::TreeReader;
use serde::Serialize;
use std::collections::BTreeMap;

/// What an operator did in one period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
pub struct Tally {
    /// It was up.
    pub uptime: bool,
    /// It has signed for the chain.
    pub validation: bool,
    /// It had an old block.
    pub storage: bool,
    /// The megabytes that it has relayed; none before it has shown any.
    pub relayed: Option<u32>,
}

/// Somebody who may lead.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
pub struct Operator {
    /// The key that it leads with.
    pub key: PublicKey,
    /// The slot in which it became one.
    pub since: Slot,
    /// The last slot that it has led.
    pub last_led: Option<Slot>,
    /// What it did, by period. Those before the window no longer count, and are gone when it shows something new.
    pub tallies: BTreeMap<Period, Tally>,
}

/// A block of the present period or of the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
pub struct RecentBlock {
    /// Its slot.
    pub slot: Slot,
    /// Its identifier.
    pub hash: Hash,
}

/// The blocks that proofs may be about.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
pub struct Recent {
    /// The slot of the block that made this state.
    pub slot: Slot,
    /// The blocks below it, of its period and the one before.
    pub blocks: BTreeMap<Height, RecentBlock>,
}

/// All records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operators {
    /// By address.
    pub members: BTreeMap<Address, Operator>,
    /// The last blocks.
    pub recent: Recent,
}

/// A transaction against the rules of tasks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    /// Tasks are of proof of operational tasks.
    #[error("this chain has no operators")]
    NoOperators,
    /// It is an operator already.
    #[error("it is an operator already")]
    Registered,
    /// There are as many operators as there may be.
    #[error("there are {OPERATORS_MAX} operators already, which is the limit")]
    TooMany,
    /// Not an operator.
    #[error("{0} is no operator")]
    Unknown(Address),
    /// A period that lies ahead or too far back, or before it became an operator.
    #[error("the proof is of period {got}, and counts from {from} to {to}")]
    Period {
        /// The first.
        from: Period,
        /// The last.
        to: Period,
        /// The proof's.
        got: Period,
    },
    /// It was shown for this period.
    #[error("this task was shown for period {0} before")]
    Again(Period),
    /// Not a block of this chain in the period.
    #[error("this is no block of this chain at height {height} in period {period}")]
    Block {
        /// The height.
        height: Height,
        /// The period.
        period: Period,
    },
    /// More than an operator may have relayed, or nothing.
    #[error("{got} megabytes were relayed, and 1 to {max} count")]
    Megabytes {
        /// The rule.
        max: u64,
        /// The proof's.
        got: u32,
    },
    /// A witness that speaks for itself.
    #[error("nobody is a witness of what it did itself")]
    OwnWitness,
    /// Not the witness's signature over what the proof says.
    #[error("the witness's {0}")]
    Witness(SignatureError),
}

impl PootParams {
    /// The period of a slot.
    pub fn period(&self, slot: Slot) -> Period {
        Period(slot.0 / self.period_slots)
    }

    /// Whether what was done in `done` counts in `now`.
    pub fn counts(&self, done: Period, now: Period) -> bool {
        done <= now && done.0 + self.window_periods > now.0
    }
}

impl Operator {
    fn new(key: PublicKey, since: Slot) -> Self {
        Self { key, since, last_led: None, tallies: BTreeMap::new() }
    }

    fn tallies_of(&self, params: &PootParams, now: Period) -> impl Iterator<Item = &Tally> {
        self.tallies.iter().filter(move |(done, _)| params.counts(**done, now)).map(|(_, tally)| tally)
    }

    /// Its credits in a period: the number of its tasks in the window, or a credit for every few megabytes that it has
    /// relayed, begun ones included, whichever is more.
    pub fn credits(&self, params: &PootParams, now: Period) -> u64 {
        let (mut tasks, mut megabytes) = (0, 0);
        for tally in self.tallies_of(params, now) {
            tasks += [tally.uptime, tally.validation, tally.storage].into_iter().filter(|done| *done).count() as u64;
            megabytes += u64::from(tally.relayed.unwrap_or(0));
        }
        tasks.max(megabytes.div_ceil(params.megabytes_per_credit))
    }

    /// Of a thousand periods of the window, those in which it did something.
    pub fn density_permille(&self, params: &PootParams, now: Period) -> u64 {
        self.tallies_of(params, now).count() as u64 * 1000 / params.window_periods
    }

    /// Whether it has done enough to lead before those who have not.
    pub fn is_eligible(&self, params: &PootParams, now: Period) -> bool {
        self.density_permille(params, now) >= params.density_min_permille
    }

    /// Whether it has led so short a time before `slot` that it rests.
    pub fn rests(&self, params: &PootParams, slot: Slot) -> bool {
        self.last_led.is_some_and(|led| slot.0 <= led.0 + params.cooldown_slots)
    }
}

impl Recent {
    /// What nobody could know before `period` began: its first block. With it an operator is asked for an old block. None
    /// when the period has no blocks or is too long ago.
    pub fn beacon(&self, params: &PootParams, period: Period) -> Option<(Height, Hash)> {
        self.of(params, period).next()
    }

    /// The last block of `period`, which a proof of validation is about.
    pub fn last(&self, params: &PootParams, period: Period) -> Option<(Height, Hash)> {
        self.of(params, period).next_back()
    }

    fn of(&self, params: &PootParams, period: Period) -> impl DoubleEndedIterator<Item = (Height, Hash)> {
        let blocks = self.blocks.iter().filter(move |(_, block)| params.period(block.slot) == period);
        blocks.map(|(height, block)| (*height, block.hash))
    }
}

impl Operators {
    /// The records that a chain begins with.
    pub fn of(genesis: &Genesis) -> Self {
        let slot = genesis.params.slot(genesis.timestamp);
        let member = |key: &PublicKey| (key.address(), Operator::new(*key, slot));
        let recent = Recent { slot, blocks: BTreeMap::new() };
        Self { members: genesis.operators.iter().map(member).collect(), recent }
    }

    /// The block that begins in `slot` stands on `parent` at the height `below`.
    pub fn begin_block(&mut self, params: &PootParams, slot: Slot, below: Height, parent: Hash) {
        let oldest = params.period(slot).0.saturating_sub(1);
        let Recent { slot: last, blocks } = &mut self.recent;
        blocks.insert(below, RecentBlock { slot: *last, hash: parent });
        blocks.retain(|_, block| params.period(block.slot).0 >= oldest);
        *last = slot;
    }

    /// The block was led by `leader`, from now on resting.
    pub fn end_block(&mut self, leader: &Address) {
        if let Some(member) = self.members.get_mut(leader) {
            member.last_led = Some(self.recent.slot);
        }
    }

    /// Makes the holder of `key` an operator. Gives the tokens that this costs.
    ///
    /// # Errors
    /// [`TaskError`]; then nothing has changed.
    pub fn register(&mut self, params: &PootParams, key: PublicKey) -> Result<Amount, TaskError> {
        let address = key.address();
        if self.members.contains_key(&address) {
            return Err(TaskError::Registered);
        }
        if self.members.len() >= OPERATORS_MAX {
            return Err(TaskError::TooMany);
        }
        self.members.insert(address, Operator::new(key, self.recent.slot));
        Ok(params.registration)
    }

    /// Counts what the holder of `key` has done.
    ///
    /// # Errors
    /// [`TaskError`]; then nothing has changed.
    pub fn prove(
        &mut self,
        params: &PootParams,
        chain: &ChainId,
        key: &PublicKey,
        proof: &TaskProof,
    ) -> Result<(), TaskError> {
        let (address, period, now) = (key.address(), proof.period, params.period(self.recent.slot));
        let member = self.members.get(&address).ok_or(TaskError::Unknown(address))?;
        let from = Period(now.0.saturating_sub(1)).max(params.period(member.since));
        if period < from || period > now {
            return Err(TaskError::Period { from, to: now, got: period });
        }
        let mut tally = member.tallies.get(&period).copied().unwrap_or_default();
        let testimony = |megabytes| Testimony { operator: address, period, megabytes };
        let is_again = match &proof.task {
            Task::Uptime => std::mem::replace(&mut tally.uptime, true),
            Task::Validation { height, block } => {
                let named = self.recent.blocks.get(height);
                if !named.is_some_and(|known| known.hash == *block && params.period(known.slot) == period) {
                    return Err(TaskError::Block { height: *height, period });
                }
                std::mem::replace(&mut tally.validation, true)
            }
            Task::Storage { witness } => {
                self.heard(chain, &testimony(None), witness)?;
                std::mem::replace(&mut tally.storage, true)
            }
            Task::Relay { megabytes, witness } => {
                let max = params.relay_megabytes_max;
                if *megabytes == 0 || u64::from(*megabytes) > max {
                    return Err(TaskError::Megabytes { max, got: *megabytes });
                }
                self.heard(chain, &testimony(Some(*megabytes)), witness)?;
                tally.relayed.replace(*megabytes).is_some()
            }
        };
        if is_again {
            return Err(TaskError::Again(period));
        }
        if let Some(member) = self.members.get_mut(&address) {
            member.tallies.insert(period, tally);
            member.tallies.retain(|done, _| params.counts(*done, now));
        }
        Ok(())
    }

    /// Whether the witness is another operator and has signed `testimony`.
    fn heard(&self, chain: &ChainId, testimony: &Testimony, witness: &Witness) -> Result<(), TaskError> {
        if witness.operator == testimony.operator {
            return Err(TaskError::OwnWitness);
        }
        let other = self.members.get(&witness.operator).ok_or(TaskError::Unknown(witness.operator))?;
        testimony.verify(chain, &other.key, witness).map_err(TaskError::Witness)
    }

    /// The leaves to write: those that differ from `before`, or all.
    pub(super) fn changes(&self, before: Option<&Self>) -> Vec<(jmt::KeyHash, Vec<u8>)> {
        let mut leaves = Vec::new();
        if before.is_none_or(|before| !self.members.keys().eq(before.members.keys())) {
            let addresses: Vec<_> = self.members.keys().copied().collect();
            leaves.push((operators_key(), crate::encode(&addresses)));
        }
        if before.is_none_or(|before| self.recent != before.recent) {
            leaves.push((recent_key(), crate::encode(&self.recent)));
        }
        let old = |address| before.and_then(|before| before.members.get(address));
        let changed = self.members.iter().filter(|(address, member)| old(*address) != Some(*member));
        leaves.extend(changed.map(|(address, member)| (operator_key(address), crate::encode(member))));
        leaves
    }
}

/// The records after the block at `height`, on a chain with operators.
///
/// # Errors
/// [`ReadError`] when the storage fails or there is no such version.
pub fn operators(reader: &dyn TreeReader, height: Height) -> Result<Operators, ReadError> {
    let missing = || ReadError::new(height, "no record of an operator");
    let addresses: Vec<Address> = value(reader, height, operators_key())?.ok_or_else(missing)?;
    let member = |address: Address| Ok((address, operator(reader, height, &address)?.ok_or_else(missing)?));
    let members = addresses.into_iter().map(member).collect::<Result<_, ReadError>>()?;
    Ok(Operators { members, recent: recent(reader, height)? })
}

/// One operator after the block at `height`.
///
/// # Errors
/// As [`operators`].
pub fn operator(reader: &dyn TreeReader, height: Height, address: &Address) -> Result<Option<Operator>, ReadError> {
    value(reader, height, operator_key(address))
}

/// The last blocks as of the one at `height`.
///
/// # Errors
/// As [`operators`].
pub fn recent(reader: &dyn TreeReader, height: Height) -> Result<Recent, ReadError> {
    value(reader, height, recent_key())?.ok_or_else(|| ReadError::new(height, "no record of the last blocks"))
}
