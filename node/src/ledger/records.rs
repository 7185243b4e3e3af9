//! What the engine of a chain has in its state, as executing a block sees it.

use super::{
    execute::{Place, TransactionError},
    operators::{Operators, TaskError, operators},
    stake::{StakeError, Stakes, stakes},
    state::{ReadError, stakes_key},
};
use crate::{
    crypto::Address,
    types::{Amount, ChainParams, Consensus, Genesis, Height, Payload, Transaction},
};
use jmt::{KeyHash, storage::TreeReader};

/// The records of one engine.
#[derive(Clone)]
pub(super) enum Records {
    /// Proof of work knows nobody.
    None,
    Stakes(Stakes),
    Operators(Box<Operators>),
}

impl Records {
    /// Those that a chain begins with.
    pub fn of(genesis: &Genesis) -> Self {
        match genesis.params.consensus {
            Consensus::Pow => Records::None,
            Consensus::Pos => Records::Stakes(Stakes::of(genesis)),
            Consensus::Poot => Records::Operators(Box::new(Operators::of(genesis))),
        }
    }

    /// Those after the block at `height`.
    pub fn read(state: &dyn TreeReader, params: &ChainParams, height: Height) -> Result<Self, ReadError> {
        Ok(match params.consensus {
            Consensus::Pow => Records::None,
            Consensus::Pos => Records::Stakes(stakes(state, height)?),
            Consensus::Poot => Records::Operators(Box::new(operators(state, height)?)),
        })
    }

    pub fn begin_block(&mut self, place: &Place<'_>) {
        if let Records::Operators(operators) = self {
            let slot = place.params.slot(place.time);
            operators.begin_block(&place.params.poot, slot, place.height.back(1), place.parent);
        }
    }

    /// What a transaction does to them. Gives the tokens that it burns.
    pub fn apply(&mut self, place: &Place<'_>, tx: &Transaction) -> Result<Amount, TransactionError> {
        let Place { chain, params, height, .. } = *place;
        let sender = tx.body.sender;
        let nothing = Amount(0);
        match &tx.body.payload {
            Payload::Transfer { .. } => Ok(nothing),
            Payload::Stake { amount } => {
                self.stakes()?.stake(&params.pos, sender, *amount)?;
                Ok(nothing)
            }
            Payload::Unstake { amount } => {
                self.stakes()?.unstake(&params.pos, height, sender, *amount)?;
                Ok(nothing)
            }
            Payload::Evidence { proof } => Ok(self.stakes()?.punish(&params.pos, chain, height, proof)?),
            Payload::Register => Ok(self.operators()?.register(&params.poot, sender)?),
            Payload::Task { proof } => {
                self.operators()?.prove(&params.poot, chain, &sender, proof)?;
                Ok(nothing)
            }
        }
    }

    /// The end of a block. Gives what is free from now on.
    pub fn end_block(&mut self, place: &Place<'_>) -> Vec<(Address, Amount)> {
        match self {
            Records::None => Vec::new(),
            Records::Stakes(stakes) => stakes.end_block(&place.params.pos, place.height),
            Records::Operators(operators) => {
                operators.end_block(&place.proposer);
                Vec::new()
            }
        }
    }

    /// The leaves to write: those that differ from `before`, or all.
    pub fn changes(&self, before: Option<&Self>) -> Vec<(KeyHash, Vec<u8>)> {
        match (self, before) {
            (Records::None, _) => Vec::new(),
            (Records::Stakes(new), Some(Records::Stakes(old))) if new == old => Vec::new(),
            (Records::Stakes(new), _) => vec![(stakes_key(), crate::encode(new))],
            (Records::Operators(new), Some(Records::Operators(old))) => new.changes(Some(old)),
            (Records::Operators(new), _) => new.changes(None),
        }
    }

    fn stakes(&mut self) -> Result<&mut Stakes, StakeError> {
        if let Records::Stakes(stakes) = self { Ok(stakes) } else { Err(StakeError::NoStakes) }
    }

    fn operators(&mut self) -> Result<&mut Operators, TaskError> {
        if let Records::Operators(operators) = self { Ok(operators) } else { Err(TaskError::NoOperators) }
    }
}
