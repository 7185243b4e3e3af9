//! A chain that one validator has agreed on with itself: it claims to be further than all others, and answers who asks with
//! the next block and a certificate in which its own signature stands as often as it needs.

use super::{Answer, Deed, Liar};
use assay_node::{
    chain::sync::{Request, Response, Status},
    types::{Ballot, Block, Certificate, Height, Seal, Work},
};
use libp2p::PeerId;
use std::time::Duration;

/// How far ahead it claims to be.
const AHEAD: u64 = 10;
/// Signatures in a certificate.
const SIGNATURES: usize = 4;

pub(super) struct FalseCertificate;

impl Deed for FalseCertificate {
    fn every(&self) -> Duration {
        Duration::from_secs(5)
    }

    fn act(&mut self, liar: &mut Liar) {
        let request = Request::Status(claim(liar));
        for peer in liar.connected() {
            liar.ask(&peer, assay_node::encode(&request).into());
        }
    }

    fn answer(&mut self, liar: &mut Liar, _: PeerId, request: &Request) -> Answer {
        match request {
            Request::Status(_) => Answer::Say(assay_node::encode(&Response::Status(claim(liar))).into()),
            Request::Blocks { .. } => {
                liar.did(1);
                let blocks = next(liar).into_iter().collect();
                Answer::Say(assay_node::encode(&Response::Blocks(blocks)).into())
            }
            Request::Addresses | Request::Witness(_) => Answer::Honest,
        }
    }
}

fn claim(liar: &Liar) -> Status {
    let honest = liar.view.snapshot.borrow().status;
    Status { height: Height(honest.height.0 + AHEAD), work: Work(honest.work.0 + u128::from(AHEAD)), ..honest }
}

/// The next block in the first round in which it is the liar's turn, signed by itself alone.
fn next(liar: &Liar) -> Option<Block> {
    let height = liar.view.store.head().ok()?.height.next();
    let validators = assay_node::ledger::validators(&*liar.view.store, height).ok()?;
    let own = liar.account.address();
    let round = (0..100).find(|round| validators.proposer(height, *round).address() == own)?;
    let mut block = liar.forge.draft_for_round(round)?;
    let mut agreed = Certificate { round, signatures: Vec::new() };
    let vote = agreed.vote(height, block.hash(), own);
    agreed.signatures = vec![(own, liar.account.sign(&vote.digest(&liar.chain))); SIGNATURES];
    let Seal::Pos { certificate, .. } = &mut block.header.seal else { return None };
    *certificate = agreed;
    Some(block)
}
