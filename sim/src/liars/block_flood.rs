//! Blocks that look right and cost nothing, five hundred a second: first on parents that nobody has, then without work on
//! the head.

use super::{Deed, Liar, noise};
use assay_node::{
    crypto::Hash,
    p2p::Topic,
    types::{Block, Height},
};
use std::time::Duration;

/// Blocks at a time.
const BATCH: u64 = 50;
/// So many are on parents that do not exist before those without work begin, which are worth a ban each two.
const ORPHANS: u64 = 2000;

#[derive(Default)]
pub(super) struct BlockFlood {
    sent: u64,
}

impl Deed for BlockFlood {
    fn every(&self) -> Duration {
        Duration::from_millis(100)
    }

    fn act(&mut self, liar: &mut Liar) {
        let head = liar.view.store.head().ok().and_then(|head| liar.view.store.block(&head.hash).ok().flatten());
        let Some(head) = head.filter(|_| !liar.connected().is_empty()) else { return };
        for _ in 0..BATCH {
            self.sent += 1;
            let fresh = Hash(noise(&mut liar.stream, 32).try_into().expect("32 bytes"));
            let mut block = Block { header: head.header.clone(), transactions: Vec::new() };
            block.header.transactions_root = block.transactions_root();
            block.header.state_root = fresh;
            (block.header.parent, block.header.height) = match self.sent <= ORPHANS {
                true => (fresh, Height(head.header.height.0 + 1 + self.sent)),
                false => (head.hash(), head.header.height.next()),
            };
            liar.publish(Topic::Blocks, assay_node::encode(&block));
        }
    }
}
