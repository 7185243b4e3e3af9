//! Who may lead, in which order. Pure.

use crate::{
    crypto::{Address, Domain, Hash},
    ledger::{Operator, Operators},
    types::{ChainId, PootParams, Slot},
};
use std::cmp::Reverse;

/// How an operator stands, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It has done enough and does not rest: the most credits first.
    Ready(Reverse<u64>),
    /// It has done enough and rests: who has led longest ago first. Without it a few operators could not go on.
    Resting(Option<Slot>),
    /// It has not done enough: who has led longest ago first. Without it nobody could begin.
    Idle(Option<Slot>),
}

impl Standing {
    /// That of `operator` in `slot`.
    pub fn of(operator: &Operator, params: &PootParams, slot: Slot) -> Self {
        let period = params.period(slot);
        if !operator.is_eligible(params, period) {
            Standing::Idle(operator.last_led)
        } else if operator.rests(params, slot) {
            Standing::Resting(operator.last_led)
        } else {
            Standing::Ready(Reverse(operator.credits(params, period)))
        }
    }
}

/// All operators by how they stand in `slot`, each with its standing. Ties are broken by a digest of chain, slot and operator: so
/// nobody is always the last, and no leader can choose who follows it by what it puts into its block.
pub fn standings(chain: &ChainId, params: &PootParams, operators: &Operators, slot: Slot) -> Vec<(Standing, Address)> {
    let seed = crate::encode(chain);
    let lot = |address: &Address| Hash::of(Domain::Turn, &[&seed, &slot.0.to_le_bytes(), &address.0]);
    let members = operators.members.iter();
    let mut all: Vec<_> =
        members.map(|(address, one)| (Standing::of(one, params, slot), lot(address), *address)).collect();
    all.sort_unstable();
    all.into_iter().map(|(standing, _, address)| (standing, address)).collect()
}

/// The operators in the order in which they may lead in `slot`; the place of one is its rank.
pub fn ranking(chain: &ChainId, params: &PootParams, operators: &Operators, slot: Slot) -> Vec<Address> {
    standings(chain, params, operators, slot).into_iter().map(|(_, address)| address).collect()
}
