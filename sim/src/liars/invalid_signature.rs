//! Transactions that their senders have not signed, and blocks with good work that hold one.

use super::{Deed, Liar, new_key};
use crate::entropy;
use assay_node::{
    p2p::Topic,
    types::{Amount, Body, Height, Nonce, Payload, Transaction},
};

pub(super) struct InvalidSignature;

impl Deed for InvalidSignature {
    fn act(&mut self, liar: &mut Liar) {
        let transaction = unsigned(liar);
        liar.publish(Topic::Transactions, assay_node::encode(&transaction));
        if let Some(block) = liar.mine(None, |liar| vec![unsigned(liar)], |_| ()) {
            liar.publish(Topic::Blocks, assay_node::encode(&block));
        }
    }
}

/// A transfer from somebody to the liar, signed by the liar.
fn unsigned(liar: &mut Liar) -> Transaction {
    let body = Body {
        chain_id: liar.chain.clone(),
        sender: new_key(&mut liar.stream).public(),
        nonce: Nonce(0),
        fee: Amount(1 + entropy::below(&mut liar.stream, 1000)),
        valid_until: Height(u64::MAX),
        payload: Payload::Transfer { to: liar.account.address(), amount: Amount(1) },
    };
    body.sign(&liar.account)
}
