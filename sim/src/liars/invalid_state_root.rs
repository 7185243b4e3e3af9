//! Blocks with good work on the best parent and all in order but the state that they claim to lead to: only executing one
//! tells.

use super::{Deed, Liar};
use assay_node::{p2p::Topic, types::Block};

pub(super) struct InvalidStateRoot;

impl Deed for InvalidStateRoot {
    fn act(&mut self, liar: &mut Liar) {
        let spoil = |block: &mut Block| block.header.state_root.0[0] ^= 1;
        if let Some(block) = liar.mine(None, |_| Vec::new(), spoil) {
            liar.publish(Topic::Blocks, assay_node::encode(&block));
        }
    }
}
