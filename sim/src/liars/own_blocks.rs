//! A validator that votes for its own blocks alone. As soon as a height begins it says all that it will ever say of it: for
//! each round in which it is its turn, a block of its own and both votes for that; for each other round, that it wants none.
//!
//! Its votes keep rounds from being decided, and move others on to the round in which they find its block, whatever they have
//! agreed on nearly before. Who is locked must not vote for it.

use super::{Deed, Liar};
use assay_node::{
    consensus::pos::{Content, Message},
    ledger,
    p2p::Topic,
    types::{Height, Proposal, Round, Signed, Step, Vote},
};
use std::time::Duration;

/// Rounds of a height that it speaks of: more than honest validators need while three of four hear each other.
const ROUNDS: Round = 8;

/// What it has said.
#[derive(Default)]
pub(super) struct OwnBlocks {
    /// The last height that it has spoken of.
    said: Height,
}

impl Deed for OwnBlocks {
    fn every(&self) -> Duration {
        Duration::from_millis(50)
    }

    fn act(&mut self, liar: &mut Liar) {
        let Ok(head) = liar.view.store.head() else { return };
        let height = head.height.next();
        // A block from the future is worth nothing.
        let is_early = |block: &assay_node::types::Block| block.header.timestamp > liar.view.clock.now();
        if self.said >= height || liar.forge.draft_for_round(0).as_ref().is_none_or(is_early) {
            return;
        }
        let Ok(validators) = ledger::validators(&*liar.view.store, height) else { return };
        self.said = height;
        let own = liar.account.address();
        for round in 0..ROUNDS {
            let is_its_turn = validators.proposer(height, round).address() == own;
            let block = liar.forge.draft_for_round(round).filter(|_| is_its_turn);
            let hash = block.as_ref().map(|block| block.hash());
            if let Some((block, hash)) = block.zip(hash) {
                let proposal = Proposal { height, round, block: hash, proof_round: None, validator: own };
                let signed = Signed::new(proposal, &liar.chain, &liar.account);
                say(liar, Content::Proposal(signed, Box::new(block)));
            }
            for step in [Step::Prevote, Step::Precommit] {
                let vote = Vote { height, round, step, block: hash, validator: own };
                let signed = Signed::new(vote, &liar.chain, &liar.account);
                say(liar, Content::Vote(signed));
            }
        }
    }
}

fn say(liar: &mut Liar, content: Content) {
    liar.publish(Topic::Agreement, assay_node::encode(&Message { content, copy: 0 }));
}
