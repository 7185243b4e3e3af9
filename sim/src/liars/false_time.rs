//! Blocks with good work whose timestamps are at the bounds of what is allowed, and beyond: the greatest that is taken, an
//! hour ahead, the median itself, and the beginning of time.

use super::{Deed, Liar};
use assay_node::{p2p::Topic, types::Timestamp};

/// Milliseconds by which a block stays below the greatest timestamp: what it may take until it is sealed and heard.
const MARGIN_MS: u64 = 1_000;
/// An hour.
const FAR_MS: u64 = 3_600_000;

#[derive(Default)]
pub(super) struct FalseTime {
    found: u64,
}

impl Deed for FalseTime {
    fn act(&mut self, liar: &mut Liar) {
        let now = liar.view.clock.now();
        let ahead_max = liar.view.store.genesis().params.ahead_max_ms();
        let timestamp = match self.found % 5 {
            0 | 3 => Timestamp(now.0 + ahead_max - MARGIN_MS),
            1 => Timestamp(now.0 + FAR_MS),
            2 => Timestamp(now.0.saturating_sub(FAR_MS)),
            _ => Timestamp(0),
        };
        if let Some(block) = liar.mine(Some(timestamp), |_| Vec::new(), |_| ()) {
            self.found += 1;
            liar.publish(Topic::Blocks, assay_node::encode(&block));
        }
    }
}
