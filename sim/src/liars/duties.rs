//! What an operator does to get its credits, done by a liar as well: who has none comes last, and is never asked to lead.

use super::Liar;
use assay_node::{
    NodeView,
    chain::sync::{Request, Response},
    consensus::poot::{self, Answer, Asking, Duties, Duty},
    crypto::Keypair,
    ledger,
    p2p::Topic,
    types::{Amount, Body, Height, Nonce, Payload, Period, TaskProof},
};
use libp2p::PeerId;

/// How far a liar is with its tasks.
#[derive(Default)]
pub(super) struct Credits {
    duties: Duties,
    /// What it shows now.
    period: Period,
    /// The nonce after the last one that was used in this period.
    next: Nonce,
}

impl Liar {
    /// Does what is due, once a second.
    pub fn do_duties(&mut self) -> Option<()> {
        let (store, params) = (self.view.store.clone(), self.view.store.genesis().params.poot.clone());
        let head = store.head().ok()?.height;
        let recent = ledger::recent(&*store, head).ok()?;
        let over = Period(params.period(recent.slot).0.checked_sub(1)?);
        let elapsed_ms = super::now().as_millis() as u64;
        let peers = self.connected();
        if self.credits.period != over {
            // What was refused in the last one has left a gap.
            (self.credits.period, self.credits.next) = (over, Nonce(0));
        }
        for duty in self.credits.duties.due(over, recent.last(&params, over), peers, elapsed_ms) {
            match duty {
                Duty::Prove(proof) => self.show(proof, head),
                Duty::Ask(peer, period) => {
                    let answer = possession(&self.view, &self.account, head, period);
                    let name = *self.wire.local_peer_id();
                    let asking = Asking::new(&self.chain, &self.account, &name, period, answer);
                    let request = assay_node::encode(&Request::Witness(Box::new(asking)));
                    self.wire.behaviour_mut().sync.send_request(&peer, request.into());
                }
            }
        }
        Some(())
    }

    /// A peer has answered something.
    pub fn on_answer(&mut self, peer: PeerId, bytes: &[u8]) {
        let Ok(Response::Witness(answer)) = borsh::from_slice(bytes) else { return };
        let answer: Answer = *answer;
        let Ok(head) = self.view.store.head() else { return };
        for proof in self.credits.duties.on_answer(&peer, &answer) {
            self.show(proof, head.height);
        }
    }

    fn show(&mut self, proof: TaskProof, head: Height) {
        let Ok(account) = ledger::account(&*self.view.store, head, &self.account.address()) else { return };
        let nonce = account.nonce.max(self.credits.next);
        self.credits.next = nonce.next();
        let body = Body {
            chain_id: self.chain.clone(),
            sender: self.account.public(),
            nonce,
            fee: Amount(0),
            valid_until: Height(head.0 + self.view.store.genesis().params.poot.period_slots),
            payload: Payload::Task { proof },
        };
        let topic = Topic::Transactions.on(&self.chain);
        let bytes = assay_node::encode(&body.sign(&self.account));
        // Nobody may be connected.
        let _sent = self.wire.behaviour_mut().gossip.publish(topic, bytes);
    }
}

/// What the holder of `key` says to show that it has the block that it is asked for.
fn possession(view: &NodeView, key: &Keypair, head: Height, period: Period) -> Option<assay_node::crypto::Hash> {
    let params = &view.store.genesis().params.poot;
    let beacon = ledger::recent(&*view.store, head).ok()?.beacon(params, period)?;
    let block = view.store.block_at(poot::challenged(beacon, &key.address())).ok()??;
    Some(poot::answer(beacon, &key.address(), &block))
}
