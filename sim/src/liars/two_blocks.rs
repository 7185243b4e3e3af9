//! Two right blocks of an operator on one parent, when its turn has come. Both weigh the same: every second peer is told of one
//! of them and fetches it, and a second later all get the other.

use super::{Answer, Deed, Liar};
use assay_node::{
    chain::sync::{Request, Response, Status},
    consensus::poot,
    p2p::Topic,
    types::{Block, Seal, Timestamp, Work},
};
use libp2p::PeerId;

#[derive(Default)]
pub(super) struct TwoBlocks {
    /// The one that was not told of yet.
    second: Option<Block>,
    /// The one that some are told of, with the work of the chain up to it.
    first: Option<(Block, Work)>,
}

impl Deed for TwoBlocks {
    fn act(&mut self, liar: &mut Liar) {
        if let Some(block) = self.second.take() {
            liar.publish(Topic::Blocks, assay_node::encode(&block));
            return;
        }
        let Ok(head) = liar.view.store.head() else { return };
        let Some(block) = liar.mine(None, |_| Vec::new(), |_| ()) else { return };
        let Seal::Poot { rank, .. } = block.header.seal else { return };
        let mut twin = block.clone();
        // A millisecond within the slot changes nothing else.
        twin.header.timestamp = Timestamp(twin.header.timestamp.0 + 1);
        liar.seal_again(&mut twin);
        self.first = Some((twin, head.work.plus(poot::weight(rank))));
        self.second = Some(block);
        let told: Vec<_> = liar.connected().into_iter().step_by(2).collect();
        for peer in told {
            liar.ask(&peer, assay_node::encode(&Request::Status(self.claim(liar))).into());
        }
    }

    fn answer(&mut self, _: &mut Liar, _: PeerId, request: &Request) -> Answer {
        match (request, &self.first, &self.second) {
            // Only until the other one is out.
            (Request::Blocks { .. }, Some((block, _)), Some(_)) => {
                Answer::Say(assay_node::encode(&Response::Blocks(vec![block.clone()])).into())
            }
            _ => Answer::Honest,
        }
    }
}

impl TwoBlocks {
    fn claim(&self, liar: &Liar) -> Status {
        let honest = liar.view.snapshot.borrow().status;
        match &self.first {
            Some((block, work)) => Status { head: block.hash(), height: block.header.height, work: *work, ..honest },
            None => honest,
        }
    }
}
