//! What was confirmed is served as confirmed, by every node's API.

use super::{Checked, Invariant, Observation, Violation};

/// Fires on the first other answer.
#[derive(Debug, Default)]
pub struct Served;

impl Invariant for Served {
    fn name(&self) -> &'static str {
        "served"
    }

    fn about(&self) -> &'static str {
        "What was confirmed is served as confirmed, by every node's API."
    }

    fn check(&mut self, node: usize, seen: &Observation<'_>) -> Result<Checked, Violation> {
        let Observation::Answered { id, confirmed, said } = seen else { return Ok(Checked::No) };
        if *confirmed {
            return Ok(Checked::Yes);
        }
        let id = id.short();
        Err(Violation(format!("transaction {id} was confirmed a minute ago, and the API of n{node} says: {said}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_node::crypto::Hash;

    #[test]
    fn fires_on_an_answer_that_says_otherwise() {
        let answer = |confirmed, said| Observation::Answered { id: Hash([7; 32]), confirmed, said };
        assert_eq!(Served.check(1, &answer(true, "included")), Ok(Checked::Yes));
        let violation = Served.check(1, &answer(false, "waiting")).expect_err("it was confirmed");
        assert_eq!(violation.0, "transaction 07070707 was confirmed a minute ago, and the API of n1 says: waiting");
    }
}
