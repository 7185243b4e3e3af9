//! A node notices damage to its files that is still there.

use super::{Checked, Invariant, Observation, Violation};
use std::collections::BTreeSet;

/// The nodes whose files were damaged and that have not noticed any damage since.
#[derive(Debug, Default)]
pub struct Noticed {
    unaware: BTreeSet<usize>,
}

impl Invariant for Noticed {
    fn name(&self) -> &'static str {
        "noticed"
    }

    fn about(&self) -> &'static str {
        "A node notices damage to its files that is still there."
    }

    fn check(&mut self, node: usize, seen: &Observation<'_>) -> Result<Checked, Violation> {
        match seen {
            Observation::Damaged => {
                self.unaware.insert(node);
                Ok(Checked::No)
            }
            Observation::Noticed => match self.unaware.remove(&node) {
                true => Ok(Checked::Yes),
                false => Ok(Checked::No),
            },
            Observation::StillDamaged { path, offset } if self.unaware.contains(&node) => {
                Err(Violation(format!("n{node} has not noticed that byte {offset} of its {path} is damaged")))
            }
            Observation::StillDamaged { .. } => Ok(Checked::Yes),
            _ => Ok(Checked::No),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_when_damage_stays_unnoticed() {
        let mut noticed = Noticed::default();
        let still = Observation::StillDamaged { path: "/data/db/000009.sst", offset: 77 };
        assert_eq!(noticed.check(0, &Observation::Damaged), Ok(Checked::No));
        assert_eq!(noticed.check(1, &Observation::Damaged), Ok(Checked::No));
        assert_eq!(noticed.check(1, &Observation::Noticed), Ok(Checked::Yes));
        assert_eq!(noticed.check(1, &still), Ok(Checked::Yes));
        let violation = noticed.check(0, &still).expect_err("n0 has met nothing");
        assert_eq!(violation.0, "n0 has not noticed that byte 77 of its /data/db/000009.sst is damaged");
    }
}
