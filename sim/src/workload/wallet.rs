//! One account and how its owner uses it.

use super::{
    ANSWER_MAX, Nodes,
    oracle::{Oracle, Submission},
    requests::Outcome,
};
use assay_node::{
    api::client::ClientError,
    crypto::{Address, Keypair},
    types::{Amount, Body, ChainId, Height, Nonce, Payload},
};
use std::{cell::RefCell, time::Duration};

/// How long a wallet counts on by itself before it asks the node for its nonce again. A transfer that a node lost in a
/// crash leaves a gap, and this is how the owner notices.
const NONCE_AGE_MAX: Duration = Duration::from_secs(60);
/// A transfer of the workload never expires within a run.
const VALID_UNTIL: Height = Height(1_000_000_000);

/// What is paid.
#[derive(Clone, Copy, Debug)]
pub(super) struct Payment {
    pub to: Address,
    pub amount: Amount,
    pub fee: Amount,
}

/// One account. It has one transfer under way at a time.
pub(super) struct Wallet {
    key: Keypair,
    /// The node that its owner talks to.
    home: usize,
    /// The next nonce and when the node said so.
    nonce: Option<(Nonce, Duration)>,
    /// Whether its owner bonds something now and then, and whether it has.
    pub staker: Option<Bonded>,
}

/// Whether an account has a bond, as far as its owner knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bonded {
    No,
    Yes,
}

impl Wallet {
    pub fn new(key: Keypair, home: usize, stakes: bool) -> Self {
        Self { key, home, nonce: None, staker: stakes.then_some(Bonded::No) }
    }

    /// Sends one transfer.
    pub async fn pay(&mut self, nodes: &Nodes, oracle: &RefCell<Oracle>, chain_id: ChainId, payment: Payment) {
        let payload = Payload::Transfer { to: payment.to, amount: payment.amount };
        self.send(nodes, oracle, chain_id, payment.fee, payload).await;
    }

    /// Makes a bond, or takes it back. One that the node refuses is as the owner did not think.
    pub async fn change_bond(&mut self, nodes: &Nodes, oracle: &RefCell<Oracle>, chain_id: ChainId, amount: Amount) {
        let Some(bonded) = self.staker else { return };
        let (payload, other) = match bonded {
            Bonded::No => (Payload::Stake { amount }, Bonded::Yes),
            Bonded::Yes => (Payload::Unstake { amount }, Bonded::No),
        };
        match self.send(nodes, oracle, chain_id, Amount(1), payload).await {
            Some(Submission::Acknowledged | Submission::Refused) => self.staker = Some(other),
            Some(Submission::Unknown | Submission::UnderWay) | None => {}
        }
    }

    /// Sends one transaction. When the node does not answer, the next one goes to another node.
    async fn send(
        &mut self,
        nodes: &Nodes,
        oracle: &RefCell<Oracle>,
        chain_id: ChainId,
        fee: Amount,
        payload: Payload,
    ) -> Option<Submission> {
        let Some(nonce) = self.next_nonce(nodes, oracle).await else {
            self.move_on(nodes, oracle);
            return None;
        };
        let body = Body { chain_id, sender: self.key.public(), nonce, fee, valid_until: VALID_UNTIL, payload };
        let transaction = body.sign(&self.key);
        let id = transaction.id();
        oracle.borrow_mut().sending(id);
        let answer = nodes.clients[self.home].submit(&transaction, ANSWER_MAX);
        let answer = nodes.ask(oracle, self.home, ("submit", id), answer).await;
        let submission = match Outcome::of(&answer) {
            Outcome::Ok => Submission::Acknowledged,
            Outcome::Failed => Submission::Refused,
            Outcome::Unknown => Submission::Unknown,
        };
        oracle.borrow_mut().sent(id, submission);
        match answer {
            Ok(_) => self.nonce = self.nonce.map(|(nonce, asked)| (nonce.next(), asked)),
            // The node has trouble of its own, or no answer came.
            Err(ClientError::Refused { status: 500.., .. }) => self.move_on(nodes, oracle),
            Err(ClientError::Refused { .. }) => self.nonce = None,
            Err(_) => self.move_on(nodes, oracle),
        }
        Some(submission)
    }

    async fn next_nonce(&mut self, nodes: &Nodes, oracle: &RefCell<Oracle>) -> Option<Nonce> {
        if let Some((nonce, asked)) = self.nonce
            && nodes.now().saturating_sub(asked) < NONCE_AGE_MAX
        {
            return Some(nonce);
        }
        let address = self.key.address();
        let answer = nodes.clients[self.home].balance(address, ANSWER_MAX);
        let answer = nodes.ask(oracle, self.home, ("balance", address), answer).await;
        self.nonce = answer.ok().map(|balance| (balance.next_nonce, nodes.now()));
        self.nonce.map(|(nonce, _)| nonce)
    }

    fn move_on(&mut self, nodes: &Nodes, oracle: &RefCell<Oracle>) {
        oracle.borrow_mut().failed(self.home, nodes.now());
        self.nonce = None;
        self.home = (self.home + 1) % nodes.clients.len();
    }
}
