//! Nothing in a node holds more than its named limit.
//!
//! The figures are the node's own, those of its metrics: of each queue, cache and table that peers or clients can fill, what
//! it holds, the most that it has held, and its limit.

use super::{Checked, Invariant, Observation, Violation};
use assay_node::Fill;
use std::collections::BTreeMap;

/// The most that anything held, on any node.
#[derive(Debug, Default)]
pub struct Bounded {
    peaks: BTreeMap<&'static str, (u64, u64)>,
}

impl Invariant for Bounded {
    fn name(&self) -> &'static str {
        "bounded"
    }

    fn about(&self) -> &'static str {
        "Nothing in a node holds more than its named limit."
    }

    fn check(&mut self, node: usize, seen: &Observation<'_>) -> Result<Checked, Violation> {
        let Observation::Load { fills } = seen else { return Ok(Checked::No) };
        for Fill { name, now, peak, max } in *fills {
            let most = (*now).max(*peak);
            if most > *max {
                return Err(Violation(format!("n{node} held {most} {name}, and {max} are allowed")));
            }
            let known = self.peaks.entry(name).or_default();
            *known = (known.0.max(most), *max);
        }
        Ok(Checked::Yes)
    }

    fn measured(&self) -> Option<String> {
        let told = self.peaks.iter().map(|(name, (peak, max))| format!("{name} {peak} of {max}"));
        let told: Vec<_> = told.collect();
        (!told.is_empty()).then(|| format!("The most on any node: {}.", told.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(now: u64, peak: u64) -> [Fill; 2] {
        [Fill { name: "inputs", now, peak, max: 10 }, Fill { name: "bans", now: 0, peak: 1, max: 5 }]
    }

    #[test]
    fn fires_when_something_holds_too_much() {
        let mut bounded = Bounded::default();
        assert_eq!(bounded.measured(), None);
        assert_eq!(bounded.check(0, &Observation::Load { fills: &load(3, 10) }), Ok(Checked::Yes));
        let measured = bounded.measured();
        assert_eq!(measured.as_deref(), Some("The most on any node: bans 1 of 5, inputs 10 of 10."));
        let violation = bounded.check(2, &Observation::Load { fills: &load(0, 11) });
        assert_eq!(violation.expect_err("it held 11 once").0, "n2 held 11 inputs, and 10 are allowed");
        let violation = bounded.check(1, &Observation::Load { fills: &load(12, 0) });
        assert_eq!(violation.expect_err("it holds 12 now").0, "n1 held 12 inputs, and 10 are allowed");
    }
}
