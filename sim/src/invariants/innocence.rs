//! Nobody is proved to have contradicted itself but who lies: an honest validator never votes for two things, whatever crashes.

use super::{Checked, Invariant, Observation, Violation};
use assay_node::{crypto::Address, types::Payload};
use std::collections::BTreeSet;

/// Who may be proved guilty.
#[derive(Debug, Default)]
pub struct Innocence {
    liars: BTreeSet<Address>,
}

impl Innocence {
    /// All validators but `liars` are honest.
    pub fn new(liars: BTreeSet<Address>) -> Self {
        Self { liars }
    }
}

impl Invariant for Innocence {
    fn name(&self) -> &'static str {
        "innocence"
    }

    fn about(&self) -> &'static str {
        "No honest validator is proved to have contradicted itself."
    }

    fn check(&mut self, node: usize, seen: &Observation<'_>) -> Result<Checked, Violation> {
        let Observation::Block { block, .. } = seen else { return Ok(Checked::No) };
        for transaction in &block.transactions {
            if let Payload::Evidence { proof } = &transaction.body.payload
                && !self.liars.contains(&proof.validator())
            {
                let (height, who, when) = (block.header.height, proof.validator(), proof.height());
                return Err(Violation(format!(
                    "block {height} of n{node} holds a proof that validator {who}, which is honest, contradicted itself \
                     at height {when}"
                )));
            }
        }
        Ok(Checked::Yes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::tests::{Chain, evidence};

    #[test]
    fn fires_on_a_proof_against_an_honest_validator() {
        let chain = Chain::new();
        let (proof, accused) = evidence();
        let block = chain.block(&chain.first, vec![proof]);
        let seen = Observation::Block { hash: block.hash(), block: &block };
        assert_eq!(Innocence::new([accused].into()).check(0, &seen), Ok(Checked::Yes));
        let violation = Innocence::default().check(2, &seen).expect_err("it is honest");
        assert!(violation.0.starts_with("block 1 of n2 holds a proof that validator "), "{violation}");
    }
}
