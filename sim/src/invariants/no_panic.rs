//! No task of a node panics, and no node stops by itself.

use super::{Checked, Invariant, Observation, Violation};

/// Fires on the first failure.
#[derive(Debug, Default)]
pub struct NoPanic;

impl Invariant for NoPanic {
    fn name(&self) -> &'static str {
        "no_panic"
    }

    fn about(&self) -> &'static str {
        "No task of a node panics, and no node stops by itself."
    }

    fn check(&mut self, node: usize, seen: &Observation<'_>) -> Result<Checked, Violation> {
        match seen {
            Observation::Failed { reason } => Err(Violation(format!("n{node} failed: {reason}"))),
            Observation::Sample(_) => Ok(Checked::Yes),
            _ => Ok(Checked::No),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_failure() {
        let violation = NoPanic.check(3, &Observation::Failed { reason: "the store failed" }).expect_err("it failed");
        assert_eq!(violation.0, "n3 failed: the store failed");
    }
}
