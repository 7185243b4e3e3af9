//! What was good once, again and again: blocks of the chain, their transactions, and the status of a node that is far
//! behind.

use super::{Answer, Deed, Liar};
use crate::entropy;
use assay_node::{
    chain::sync::{Request, Response, Status},
    p2p::Topic,
    types::{Block, Height, Work},
};
use libp2p::PeerId;
use std::time::Duration;

pub(super) struct StaleReplay;

/// Blocks that are sent at a time.
const BLOCKS: usize = 5;

impl Deed for StaleReplay {
    fn every(&self) -> Duration {
        Duration::from_millis(500)
    }

    fn act(&mut self, liar: &mut Liar) {
        for _ in 0..BLOCKS {
            let Some(block) = old(liar) else { return };
            for transaction in &block.transactions {
                liar.publish(Topic::Transactions, assay_node::encode(transaction));
            }
            liar.publish(Topic::Blocks, assay_node::encode(&block));
        }
        let request = Request::Status(behind(liar));
        for peer in liar.connected() {
            liar.ask(&peer, assay_node::encode(&request).into());
        }
    }

    fn answer(&mut self, liar: &mut Liar, _: PeerId, request: &Request) -> Answer {
        match request {
            Request::Status(_) => Answer::Say(assay_node::encode(&Response::Status(behind(liar))).into()),
            _ => Answer::Honest,
        }
    }
}

/// Any block below the head, but the first, which is no message.
fn old(liar: &mut Liar) -> Option<Block> {
    let head = liar.view.store.head().ok()?.height;
    let height = 1 + entropy::below(&mut liar.stream, head.0.saturating_sub(1));
    liar.view.store.block_at(Height(height)).ok()?
}

fn behind(liar: &Liar) -> Status {
    let status = liar.view.snapshot.borrow().status;
    Status { head: status.genesis, height: Height(0), work: Work(0), ..status }
}
