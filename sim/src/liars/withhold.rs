//! Blocks that the liar mines, tells everybody of, and gives to nobody. Who asks for them gets no answer, an answer that
//! takes too long, or the half that it has already.

use super::{Answer, Deed, Liar, forge::Branch, wire::Said};
use assay_node::chain::sync::{Request, Response, Status};
use libp2p::PeerId;
use std::time::Duration;

/// Time after each byte of an answer that takes too long.
const PACE: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(super) struct Withhold {
    branch: Branch,
    asked: u64,
}

impl Deed for Withhold {
    fn act(&mut self, liar: &mut Liar) {
        if liar.forge.extend(&mut self.branch) {
            let request = Request::Status(self.claim(liar));
            for peer in liar.connected() {
                liar.ask(&peer, assay_node::encode(&request).into());
            }
        }
    }

    fn answer(&mut self, liar: &mut Liar, _: PeerId, request: &Request) -> Answer {
        match request {
            Request::Status(_) => Answer::Say(assay_node::encode(&Response::Status(self.claim(liar))).into()),
            Request::Blocks { locator, count } => {
                liar.did(1);
                self.asked += 1;
                let blocks = || liar.view.store.range(locator, *count).unwrap_or_default();
                match self.asked % 3 {
                    0 => Answer::Nothing,
                    1 => {
                        let mut half = blocks();
                        half.truncate(half.len() / 2);
                        Answer::Say(assay_node::encode(&Response::Blocks(half)).into())
                    }
                    _ => Answer::Say(Said {
                        bytes: assay_node::encode(&Response::Blocks(self.branch.blocks().cloned().collect())),
                        pace: Some(PACE),
                    }),
                }
            }
            Request::Addresses | Request::Witness(_) => Answer::Honest,
        }
    }
}

impl Withhold {
    fn claim(&self, liar: &Liar) -> Status {
        let honest = liar.view.snapshot.borrow().status;
        match self.branch.tip() {
            Some((tip, work)) => Status { head: tip.hash(), height: tip.header.height, work, ..honest },
            None => honest,
        }
    }
}
