//! Nothing that was confirmed is taken back, and at the end every node's chain has all that any node confirmed.

use super::{Checked, Invariant, Observation, Violation};
use assay_node::{crypto::Hash, types::Height};
use std::collections::BTreeMap;

/// What was confirmed, by whom and where.
#[derive(Debug, Default)]
pub struct Finality {
    /// Each node's highest confirmed height.
    heights: BTreeMap<usize, Height>,
    /// What a node had confirmed when its store was set aside or lost: it must have as much again at the end.
    owed: BTreeMap<usize, Height>,
    /// Each confirmed transaction with the node that confirmed it first.
    transactions: BTreeMap<Hash, (usize, Height)>,
}

impl Invariant for Finality {
    fn name(&self) -> &'static str {
        "finality"
    }

    fn about(&self) -> &'static str {
        "Nothing that was confirmed is taken back."
    }

    fn check(&mut self, node: usize, seen: &Observation<'_>) -> Result<Checked, Violation> {
        match seen {
            Observation::Confirmed { height, transactions, .. } => {
                let highest = self.heights.entry(node).or_default();
                *highest = (*highest).max(*height);
                for id in *transactions {
                    self.transactions.entry(*id).or_insert((node, *height));
                }
                Ok(Checked::Yes)
            }
            Observation::Reverted { fork } => {
                let confirmed = self.heights.get(&node).copied().unwrap_or_default();
                if *fork >= confirmed {
                    return Ok(Checked::Yes);
                }
                self.heights.insert(node, *fork);
                let lost = confirmed.0 - fork.0;
                let blocks = if lost == 1 { "block" } else { "blocks" };
                Err(Violation(format!(
                    "n{node} had confirmed height {confirmed} and went back to {fork}: {lost} confirmed {blocks} lost"
                )))
            }
            Observation::Rebuilding { fork } => {
                let confirmed = self.heights.get(&node).copied().unwrap_or_default();
                let owed = self.owed.entry(node).or_default();
                *owed = (*owed).max(confirmed);
                self.heights.insert(node, confirmed.min(*fork));
                Ok(Checked::No)
            }
            Observation::End { included, .. } => {
                for (node, owed) in self.owed.iter().filter(|(node, _)| included.contains_key(node)) {
                    let confirmed = self.heights.get(node).copied().unwrap_or_default();
                    if confirmed < *owed {
                        return Err(Violation(format!(
                            "n{node} had confirmed height {owed} before its store was rebuilt, and only {confirmed} at the end"
                        )));
                    }
                }
                for (node, included) in *included {
                    for (id, (first, height)) in &self.transactions {
                        if !included.contains(id) {
                            let id = id.short();
                            return Err(Violation(format!(
                                "transaction {id}, which n{first} confirmed at height {height}, is not in the chain of n{node}"
                            )));
                        }
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
    use crate::invariants::tests::{confirmed, sample};
    use std::collections::BTreeSet;

    #[test]
    fn fires_when_confirmed_blocks_are_taken_back() {
        let mut finality = Finality::default();
        confirmed(&mut finality, 0, 5, 1).expect("confirming is right");
        let back_to = |height| Observation::Reverted { fork: Height(height) };
        assert_eq!(finality.check(0, &back_to(5)), Ok(Checked::Yes));
        assert_eq!(finality.check(1, &back_to(2)), Ok(Checked::Yes), "n1 had confirmed nothing");
        let violation = finality.check(0, &back_to(4)).expect_err("5 was confirmed");
        assert_eq!(violation.0, "n0 had confirmed height 5 and went back to 4: 1 confirmed block lost");
    }

    #[test]
    fn a_rebuilt_node_owes_what_it_had_confirmed() {
        let mut finality = Finality::default();
        confirmed(&mut finality, 0, 5, 1).expect("confirming is right");
        let rebuilding = Observation::Rebuilding { fork: Height(2) };
        assert_eq!(finality.check(0, &rebuilding), Ok(Checked::No));
        let (sample, included) = (sample(&[Some((9, 4))]), BTreeMap::from([(0, BTreeSet::new())]));
        let end = Observation::End { sample: &sample, included: &included };
        confirmed(&mut finality, 0, 4, 1).expect("confirming is right");
        let violation = finality.check(0, &end).expect_err("5 is missing");
        assert_eq!(violation.0, "n0 had confirmed height 5 before its store was rebuilt, and only 4 at the end");
        confirmed(&mut finality, 0, 5, 1).expect("confirming is right");
        assert_eq!(finality.check(0, &end), Ok(Checked::Yes));
        let taken_back = finality.check(0, &Observation::Reverted { fork: Height(3) });
        assert!(taken_back.is_err(), "what came back counts again");
    }

    #[test]
    fn fires_when_a_confirmed_transaction_is_absent_at_the_end() {
        let mut finality = Finality::default();
        let (id, hash) = (Hash([7; 32]), Hash([1; 32]));
        let seen = Observation::Confirmed { height: Height(5), hash, transactions: &[id], state: None };
        finality.check(0, &seen).expect("confirming is right");
        let sample = sample(&[Some((9, 5)), Some((9, 5))]);
        let mut included = BTreeMap::from([(0, BTreeSet::from([id])), (1, BTreeSet::from([id]))]);
        assert_eq!(finality.check(0, &Observation::End { sample: &sample, included: &included }), Ok(Checked::Yes));
        included.insert(1, BTreeSet::new());
        let end = Observation::End { sample: &sample, included: &included };
        let violation = finality.check(0, &end).expect_err("n1 does not have it");
        assert_eq!(violation.0, "transaction 07070707, which n0 confirmed at height 5, is not in the chain of n1");
    }
}
