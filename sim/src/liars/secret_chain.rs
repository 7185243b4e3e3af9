//! A branch that is mined in secret and shown when the lie is nearly over, if it is the heavier one: the nodes must then
//! take it, and with a majority of the work it takes back what they had confirmed.

use super::{Answer, Deed, Liar, forge::Branch, now};
use assay_node::{
    chain::sync::{Request, Response, Status},
    p2p::Topic,
};
use libp2p::PeerId;
use std::time::Duration;

/// The branch is shown so long before the lie ends.
const SHOWN: Duration = Duration::from_secs(30);

#[derive(Default)]
pub(super) struct SecretChain {
    branch: Branch,
    is_shown: bool,
}

impl Deed for SecretChain {
    fn act(&mut self, liar: &mut Liar) {
        if now() + SHOWN < liar.until {
            let has_grown = liar.forge.extend(&mut self.branch);
            liar.did(has_grown.into());
            return;
        }
        let head = liar.view.store.head();
        let is_heavier = self.branch.tip().zip(head.ok()).is_some_and(|((_, work), head)| work > head.work);
        if !self.is_shown && is_heavier {
            self.is_shown = true;
            let blocks: Vec<_> = self.branch.blocks().map(assay_node::encode).collect();
            for block in blocks {
                liar.publish(Topic::Blocks, block);
            }
        }
    }

    fn answer(&mut self, liar: &mut Liar, _: PeerId, request: &Request) -> Answer {
        let Some((tip, work)) = self.branch.tip().filter(|_| self.is_shown) else { return Answer::Honest };
        let honest = liar.view.snapshot.borrow().status;
        let response = match request {
            Request::Status(_) => {
                Response::Status(Status { head: tip.hash(), height: tip.header.height, work, ..honest })
            }
            Request::Blocks { .. } => Response::Blocks(self.branch.blocks().cloned().collect()),
            Request::Addresses | Request::Witness(_) => return Answer::Honest,
        };
        Answer::Say(assay_node::encode(&response).into())
    }
}
