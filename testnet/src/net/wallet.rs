//! A funded account and how its owner uses it: one transfer under way at a time.

use super::{ASK_MAX, load::Shared};
use assay_node::{
    api::{Client, client::ClientError},
    crypto::{Address, Hash, Keypair},
    types::{Amount, Body, ChainId, Height, Nonce, Payload, Transaction},
};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep_until};

/// What a transfer pays for its place in a block.
pub(crate) const FEE: Amount = Amount(10);

/// A transfer never expires before its net does.
const VALID_UNTIL: Height = Height(1_000_000_000);

/// Amounts of transfers: each differs from the one before, so that two of them are never the same transaction.
const AMOUNTS: u64 = 1000;

/// What became of a transfer, as far as its sender was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A node took it in.
    Acknowledged,
    /// A node refused it, with the API's code: it has had no effect.
    Refused(String),
    /// No node took the connection: it was not sent, and has had no effect.
    NotSent,
    /// It was sent and the answer is missing. It may be in a block some day.
    Unknown,
}

/// Signs a transfer.
pub(crate) fn transfer(chain_id: ChainId, key: &Keypair, nonce: Nonce, to: Address, amount: Amount) -> Transaction {
    let payload = Payload::Transfer { to, amount };
    Body { chain_id, sender: key.public(), nonce, fee: FEE, valid_until: VALID_UNTIL, payload }.sign(key)
}

/// When a wallet sends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Its first transfer.
    pub first: Instant,
    /// From one to the next.
    pub interval: Duration,
    /// No transfer is due after this.
    pub until: Instant,
}

/// An account that sends to another one.
pub(crate) struct Wallet {
    pub shared: Arc<Shared>,
    pub chain_id: ChainId,
    pub key: Keypair,
    pub to: Address,
    /// The node that its owner talks to.
    pub home: usize,
    /// The next nonce, when the node has said so.
    pub nonce: Option<Nonce>,
}

impl Wallet {
    /// Sends at its pace, until that is over or the load is stopped. One that waits for an answer is late with the next ones,
    /// and their latency counts from when they were due: a node that stalls does not make its own latency look good.
    pub(crate) async fn run(mut self, pace: Pace) {
        let mut due = pace.first;
        let mut count = 0;
        while due < pace.until {
            let shared = self.shared.clone();
            tokio::select! {
                biased;
                () = shared.stopped.cancelled() => return,
                () = sleep_until(due) => {}
            }
            if Instant::now() >= pace.until {
                // The load's time is over: what was due before and could not be sent is told as late.
                return;
            }
            self.send(due, Amount(1 + count % AMOUNTS)).await;
            count += 1;
            due += pace.interval;
        }
    }

    /// Sends one transfer that was due at `due`; to the next node, when one takes no connection.
    async fn send(&mut self, due: Instant, amount: Amount) {
        for _ in 0..self.shared.clients.len() {
            let Some(nonce) = self.next_nonce().await else {
                self.move_on();
                continue;
            };
            let transaction = transfer(self.chain_id.clone(), &self.key, nonce, self.to, amount);
            let id = transaction.id();
            self.shared.tally().sending(id, due);
            let answer = self.client().submit(&transaction, ASK_MAX).await;
            let outcome = match &answer {
                Ok(_) => Outcome::Acknowledged,
                Err(ClientError::NotSent(_)) => Outcome::NotSent,
                Err(ClientError::Refused { code, status, .. }) => {
                    Outcome::Refused(if code.is_empty() { status.to_string() } else { code.clone() })
                }
                Err(ClientError::Unknown(_) | ClientError::Malformed(_)) => Outcome::Unknown,
            };
            let go_on = outcome == Outcome::NotSent;
            match &answer {
                Ok(_) => self.nonce = Some(nonce.next()),
                // The transfer is in order, and the node has trouble of its own.
                Err(ClientError::Refused { status: 500.., .. }) => self.move_on(),
                Err(ClientError::Refused { .. }) => self.nonce = None,
                Err(_) => self.move_on(),
            }
            if go_on {
                self.shared.tally().not_sent(id);
                continue;
            }
            self.shared.tally().answered(id, outcome, due.elapsed());
            return;
        }
        self.shared.tally().nobody_took_one();
    }

    async fn next_nonce(&mut self) -> Option<Nonce> {
        if self.nonce.is_none() {
            let balance = self.client().balance(self.key.address(), ASK_MAX).await;
            self.nonce = balance.ok().map(|balance| balance.next_nonce);
        }
        self.nonce
    }

    fn client(&self) -> &Client {
        &self.shared.clients[self.home]
    }

    /// To the next node. What the last one had in its mempool alone may be lost, so the nonce is asked for anew.
    fn move_on(&mut self) {
        self.nonce = None;
        self.home = (self.home + 1) % self.shared.clients.len();
    }
}

/// The identifier of a transfer; in a form that orders.
pub(crate) type TransferId = Hash;
