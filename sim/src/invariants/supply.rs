//! Tokens are neither made nor destroyed, but for the rewards and for what is slashed or paid for becoming an operator.

use super::{Checked, Invariant, Observation, Violation, ledger::Ledger};
use assay_node::types::{Block, Genesis};

/// What there was at first and what each block adds.
#[derive(Debug)]
pub struct Supply {
    at_first: u128,
    reward: u128,
    /// Evidence and registrations in blocks burn tokens; how many is the ledger's to say, and here only whether there was any.
    ledger: Ledger,
}

impl Supply {
    /// On the chain of `genesis`.
    pub fn new(genesis: &Genesis, first: &Block) -> Self {
        let at_first = genesis.accounts.values().chain(genesis.validators.values());
        let at_first = at_first.map(|amount| u128::from(amount.0)).sum();
        let ledger = Ledger::new(genesis, first.hash());
        Self { at_first, reward: u128::from(genesis.params.block_reward.0), ledger }
    }
}

impl Invariant for Supply {
    fn name(&self) -> &'static str {
        "supply"
    }

    fn about(&self) -> &'static str {
        "Tokens are neither made nor destroyed, but for rewards, slashed bonds and registrations."
    }

    fn check(&mut self, node: usize, seen: &Observation<'_>) -> Result<Checked, Violation> {
        if let Observation::Block { hash, block } = seen {
            // A block that the rules refuse is validity's to report.
            let _is_right = self.ledger.add(*hash, block).is_ok();
        }
        let Observation::Confirmed { height, hash, state: Some(state), .. } = seen else { return Ok(Checked::No) };
        let burned = self.ledger.after(hash).map_or(0, |state| u128::from(state.burned()));
        let expected = self.at_first + self.reward * u128::from(height.0) - burned;
        let recorded = u128::from(state.supply.0);
        let bonded = u128::from(state.stakes.total().0);
        let held = bonded + state.accounts.values().map(|account| u128::from(account.balance.0)).sum::<u128>();
        if recorded != expected || held != expected {
            return Err(Violation(format!(
                "at height {height} n{node} has {held} tokens in accounts and bonds and {recorded} on record, and {expected} exist"
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
        Supply::new(&chain.genesis, &chain.first).check(2, &seen)
    }

    #[test]
    fn takes_genesis_and_rewards() {
        assert_eq!(check(|_| ()), Ok(Checked::Yes));
    }

    #[test]
    fn fires_on_a_token_too_many_and_on_a_wrong_record() {
        let minted = check(|state| state.accounts.values_mut().next().expect("there are accounts").balance.0 += 1);
        let expected = "at height 1 n2 has 2011 tokens in accounts and bonds and 2010 on record, and 2010 exist";
        assert_eq!(minted.expect_err("one too many").0, expected);
        let recorded = check(|state| state.supply.0 -= 1);
        let expected = "at height 1 n2 has 2010 tokens in accounts and bonds and 2009 on record, and 2010 exist";
        assert_eq!(recorded.expect_err("one too few").0, expected);
    }
}
