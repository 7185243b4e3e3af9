//! Tokens are neither made nor destroyed, but for the rewards.

use super::{Checked, Invariant, Observation, Violation};
use assay_node::types::Genesis;

/// What there was at first and what each block adds.
#[derive(Debug)]
pub struct Supply {
    at_first: u128,
    reward: u128,
}

impl Supply {
    /// On the chain of `genesis`.
    pub fn new(genesis: &Genesis) -> Self {
        let at_first = genesis.accounts.values().map(|amount| u128::from(amount.0)).sum();
        Self { at_first, reward: u128::from(genesis.params.block_reward.0) }
    }
}

impl Invariant for Supply {
    fn name(&self) -> &'static str {
        "supply"
    }

    fn about(&self) -> &'static str {
        "Tokens are neither made nor destroyed, but for the rewards."
    }

    fn check(&mut self, node: usize, seen: &Observation<'_>) -> Result<Checked, Violation> {
        let Observation::Confirmed { height, state: Some(state), .. } = seen else { return Ok(Checked::No) };
        let expected = self.at_first + self.reward * u128::from(height.0);
        let recorded = u128::from(state.supply.0);
        let held: u128 = state.accounts.values().map(|account| u128::from(account.balance.0)).sum();
        if recorded != expected || held != expected {
            return Err(Violation(format!(
                "at height {height} n{node} has {held} tokens in accounts and {recorded} on record, and {expected} exist"
            )));
        }
        Ok(Checked::Yes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::{
        StoredState,
        tests::{Chain, transfer},
    };
    use assay_node::types::Height;

    fn check(change: impl FnOnce(&mut StoredState)) -> Result<Checked, Violation> {
        let chain = Chain::new();
        let block = chain.block(&chain.first, vec![transfer(0, 0, 5)]);
        let mut state = chain.state_after(&block);
        change(&mut state);
        let seen =
            Observation::Confirmed { height: Height(1), hash: block.hash(), transactions: &[], state: Some(&state) };
        Supply::new(&chain.genesis).check(2, &seen)
    }

    #[test]
    fn takes_genesis_and_rewards() {
        assert_eq!(check(|_| ()), Ok(Checked::Yes));
    }

    #[test]
    fn fires_on_a_token_too_many_and_on_a_wrong_record() {
        let minted = check(|state| state.accounts.values_mut().next().expect("there are accounts").balance.0 += 1);
        let expected = "at height 1 n2 has 2011 tokens in accounts and 2010 on record, and 2010 exist";
        assert_eq!(minted.expect_err("one too many").0, expected);
        let recorded = check(|state| state.supply.0 -= 1);
        let expected = "at height 1 n2 has 2010 tokens in accounts and 2009 on record, and 2010 exist";
        assert_eq!(recorded.expect_err("one too few").0, expected);
    }
}
