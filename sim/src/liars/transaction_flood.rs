//! Transactions that are signed and of no use, a thousand a second: of accounts that have nothing, and of the liar's own
//! account behind a gap of nonces.

use super::{Deed, Liar, new_key};
use assay_node::{
    crypto::Keypair,
    p2p::Topic,
    types::{Amount, Body, Height, Nonce, Payload},
};
use std::time::Duration;

/// Transactions at a time.
const BATCH: u64 = 100;

/// Transactions behind the gap: nearly as many as may wait of one account.
const WAITING: u64 = 250;

#[derive(Default)]
pub(super) struct TransactionFlood {
    sent: u64,
}

impl Deed for TransactionFlood {
    fn every(&self) -> Duration {
        Duration::from_millis(100)
    }

    fn act(&mut self, liar: &mut Liar) {
        if liar.connected().is_empty() {
            return;
        }
        for _ in 0..BATCH {
            self.sent += 1;
            let (key, nonce) = match self.sent % 2 {
                0 => (new_key(&mut liar.stream), Nonce(0)),
                // Nonce 0 never comes, so they wait for ever, and replace each other when one pays enough more.
                _ => (liar.account.clone(), Nonce(1 + self.sent % WAITING)),
            };
            let bytes = assay_node::encode(&transfer(liar, &key, nonce, Amount(self.sent)).sign(&key));
            liar.publish(Topic::Transactions, bytes);
        }
    }
}

fn transfer(liar: &Liar, key: &Keypair, nonce: Nonce, fee: Amount) -> Body {
    Body {
        chain_id: liar.chain.clone(),
        sender: key.public(),
        nonce,
        fee,
        valid_until: Height(u64::MAX),
        payload: Payload::Transfer { to: liar.account.address(), amount: Amount(1) },
    }
}
