//! No two nodes confirm different blocks at one height.

use super::{Checked, Invariant, Observation, Violation};
use assay_node::{crypto::Hash, types::Height};
use std::collections::BTreeMap;

/// The first confirmed block of each height, and who confirmed it.
#[derive(Debug, Default)]
pub struct Agreement {
    confirmed: BTreeMap<Height, (usize, Hash)>,
}

impl Invariant for Agreement {
    fn name(&self) -> &'static str {
        "agreement"
    }

    fn about(&self) -> &'static str {
        "No two nodes confirm different blocks at one height."
    }

    fn check(&mut self, node: usize, seen: &Observation<'_>) -> Result<Checked, Violation> {
        let Observation::Confirmed { height, hash, .. } = seen else { return Ok(Checked::No) };
        let (first, agreed) = *self.confirmed.entry(*height).or_insert((node, *hash));
        if agreed == *hash {
            return Ok(Checked::Yes);
        }
        let (a, b) = (agreed.short(), hash.short());
        Err(Violation(format!("at height {height} n{first} confirmed block {a} and n{node} confirmed {b}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::tests::confirmed;

    #[test]
    fn fires_on_two_blocks_at_one_height() {
        let mut agreement = Agreement::default();
        assert_eq!(confirmed(&mut agreement, 0, 5, 1), Ok(Checked::Yes));
        assert_eq!(confirmed(&mut agreement, 1, 5, 1), Ok(Checked::Yes));
        let violation = confirmed(&mut agreement, 2, 5, 2).expect_err("n2 confirmed another block");
        assert_eq!(violation.0, "at height 5 n0 confirmed block 01010101 and n2 confirmed 02020202");
    }
}
