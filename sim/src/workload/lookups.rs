//! Users who look up what became of transfers, as an explorer of the chain does: any of those that are confirmed.

use super::{ANSWER_MAX, Nodes, Oracle};
use crate::entropy;
use assay_node::crypto::Hash;
use rand_chacha::rand_core::Rng;
use std::{cell::RefCell, rc::Rc, time::Duration};
use tokio::time::MissedTickBehavior;

/// Who asks one node, and how often. One question is under way at a time.
pub(super) struct Reader {
    pub nodes: Rc<Nodes>,
    pub oracle: Rc<RefCell<Oracle>>,
    /// Whom it asks.
    pub node: usize,
    pub interval: Duration,
    /// When it has seen enough.
    pub until: Duration,
}

impl Reader {
    /// What a node says is noted and not judged: one that is behind does not know yet.
    pub async fn run(self, mut stream: entropy::Stream) {
        let mut tick = tokio::time::interval(self.interval);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        while self.nodes.now() < self.until {
            tick.tick().await;
            let mut from = [0; 32];
            stream.fill_bytes(&mut from);
            let Some(id) = self.oracle.borrow().confirmed_from(Hash(from)) else { continue };
            let answer = self.nodes.clients[self.node].tx(id, ANSWER_MAX);
            // The answer is noted by asking.
            drop(self.nodes.ask(&self.oracle, self.node, ("tx", id), answer).await);
        }
    }
}
