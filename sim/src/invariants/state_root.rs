//! A node's stored state is what its confirmed headers commit to, and what the rules give.

use super::{Checked, Invariant, Observation, Violation, ledger::Ledger};
use assay_node::{
    crypto::Hash,
    types::{Block, Genesis, PootParams},
};
use std::collections::BTreeMap;

/// The state that each block should lead to.
#[derive(Debug)]
pub struct StateRoot {
    roots: BTreeMap<Hash, Hash>,
    ledger: Ledger,
    poot: PootParams,
}

impl StateRoot {
    /// On the chain of `genesis`, whose first block is `first`.
    pub fn new(genesis: &Genesis, first: &Block) -> Self {
        let hash = first.hash();
        let roots = BTreeMap::from([(hash, first.header.state_root)]);
        Self { roots, ledger: Ledger::new(genesis, hash), poot: genesis.params.poot.clone() }
    }
}

impl Invariant for StateRoot {
    fn name(&self) -> &'static str {
        "state_root"
    }

    fn about(&self) -> &'static str {
        "A node's stored state is what its confirmed headers commit to, and what the rules give."
    }

    fn check(&mut self, node: usize, seen: &Observation<'_>) -> Result<Checked, Violation> {
        match seen {
            Observation::Block { hash, block } => {
                // A block that the rules refuse is validity's to report.
                if self.ledger.add(*hash, block).is_ok() {
                    self.roots.insert(*hash, block.header.state_root);
                }
                Ok(Checked::No)
            }
            Observation::Confirmed { height, hash, state: Some(state), .. } => {
                let Some(root) = self.roots.get(hash) else { return Ok(Checked::No) };
                if *root != state.root {
                    let (stored, header) = (state.root.short(), root.short());
                    return Err(Violation(format!(
                        "n{node} has stored state root {stored} for height {height}, and its header says {header}"
                    )));
                }
                let Some(expected) = self.ledger.after(hash) else { return Ok(Checked::No) };
                let stakes = expected.stakes.differs(&state.stakes);
                let operators = state.operators.as_ref();
                let tasks = operators.and_then(|stored| expected.tasks.differs(&self.poot, stored));
                if let Some(what) = stakes.or(tasks) {
                    return Err(Violation(format!("at height {height} n{node} has stored {what} than the rules give")));
                }
                if state.supply != expected.supply {
                    let (stored, right) = (state.supply, expected.supply);
                    return Err(Violation(format!(
                        "at height {height} n{node} has stored a supply of {stored}, and the rules give {right}"
                    )));
                }
                for (address, account) in &expected.accounts {
                    let stored = state.accounts.get(address).copied().unwrap_or_default();
                    if stored != *account {
                        return Err(Violation(format!(
                            "at height {height} n{node} has stored {stored:?} for {address:?}, and the rules give {account:?}"
                        )));
                    }
                }
                Ok(Checked::Yes)
            }
            _ => Ok(Checked::No),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::{
        StoredState,
        tests::{Chain, transfer},
    };
    use assay_node::{crypto::Hash, types::Height};

    fn check(change: impl FnOnce(&mut StoredState)) -> Result<Checked, Violation> {
        let chain = Chain::new();
        let block = chain.block(&chain.first, vec![transfer(0, 0, 5)]);
        let mut invariant = StateRoot::new(&chain.genesis, &chain.first);
        let hash = block.hash();
        invariant.check(0, &Observation::Block { hash, block: &block }).expect("a right block");
        let mut state = chain.state_after(&block);
        change(&mut state);
        invariant.check(0, &Observation::Confirmed { height: Height(1), hash, transactions: &[], state: Some(&state) })
    }

    #[test]
    fn takes_what_the_rules_give() {
        assert_eq!(check(|_| ()), Ok(Checked::Yes));
    }

    #[test]
    fn fires_on_another_root() {
        let violation = check(|state| state.root = Hash([9; 32])).expect_err("another root");
        assert!(violation.0.starts_with("n0 has stored state root 09090909 for height 1, and its header says "));
    }

    #[test]
    fn fires_on_another_balance() {
        let violation = check(|state| {
            let account = state.accounts.values_mut().next().expect("there are accounts");
            account.balance.0 += 1;
        });
        assert!(violation.expect_err("another balance").0.starts_with("at height 1 n0 has stored Account"));
    }
}
