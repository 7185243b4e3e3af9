//! Blocks with good work on the best parent and all in order but the state that they claim to lead to: only executing one
//! tells.

use super::{Deed, Liar};
use assay_node::p2p::Topic;

pub(super) struct InvalidStateRoot;

impl Deed for InvalidStateRoot {
    fn act(&mut self, liar: &mut Liar) {
        if let Some(block) = liar.mine(|_| Vec::new(), |block| block.header.state_root.0[0] ^= 1) {
            liar.publish(Topic::Blocks, assay_node::encode(&block));
        }
    }
}
