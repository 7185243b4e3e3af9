//! Two right blocks of an operator on one parent, when its turn has come: both weigh the same, and different peers may see
//! either first.

use super::{Deed, Liar};
use assay_node::{p2p::Topic, types::Timestamp};

pub(super) struct TwoBlocks;

impl Deed for TwoBlocks {
    fn act(&mut self, liar: &mut Liar) {
        let Some(block) = liar.mine(None, |_| Vec::new(), |_| ()) else { return };
        let mut twin = block.clone();
        // A millisecond within the slot changes nothing else.
        twin.header.timestamp = Timestamp(twin.header.timestamp.0 + 1);
        liar.seal_again(&mut twin);
        for block in [block, twin] {
            liar.publish(Topic::Blocks, assay_node::encode(&block));
        }
    }
}
