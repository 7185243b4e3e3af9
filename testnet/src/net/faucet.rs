//! Tokens for an address.

use super::{ASK_MAX, Net, error::NetError, wallet::transfer};
use crate::POLL;
use assay_node::{
    api::{
        Client,
        client::ClientError,
        model::{SubmitOutcome, TransactionStatus},
    },
    crypto::{Address, Hash},
    types::{Amount, Height},
};
use serde::Serialize;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a payment may take until it is confirmed.
pub const PAID_MAX: Duration = Duration::from_secs(120);

/// A payment of the faucet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Paid {
    /// The transaction.
    pub hash: Hash,
    /// Who gets it.
    pub to: Address,
    /// How much, in the smallest unit.
    pub amount: Amount,
    /// The node that took it in.
    pub node: String,
    /// The height that it is confirmed at, when that was waited for.
    pub confirmed_at: Option<Height>,
}

impl Net {
    /// Pays `amount` to `to`, by the first node that takes it in.
    ///
    /// # Errors
    /// [`NetError::NoneRuns`], [`NetError::Refused`] with the words of the last one.
    pub async fn pay(&self, to: Address, amount: Amount) -> Result<Paid, NetError> {
        let faucet = self.accounts()?.faucet;
        let mut last = NetError::NoneRuns { name: self.state.name.clone() };
        for n in self.running() {
            let client = self.client(n);
            match self.pay_by(&client, &faucet, to, amount).await {
                Ok(hash) => {
                    let node = self.state.nodes[n].name.clone();
                    return Ok(Paid { hash, to, amount, node, confirmed_at: None });
                }
                // Whether it was paid is not known: to try again might pay twice.
                Err(cause @ ClientError::Unknown(_)) => return Err(self.refused(n, cause)),
                Err(cause) => last = self.refused(n, cause),
            }
        }
        Err(last)
    }

    fn refused(&self, n: usize, cause: ClientError) -> NetError {
        NetError::Refused { what: format!("paying by {}", self.state.nodes[n].name), cause }
    }

    async fn pay_by(
        &self,
        client: &Client,
        faucet: &super::Account,
        to: Address,
        amount: Amount,
    ) -> Result<Hash, ClientError> {
        let nonce = client.balance(faucet.address, ASK_MAX).await?.next_nonce;
        let payment = transfer(self.state.chain_id.clone(), &faucet.keypair(), nonce, to, amount);
        let submitted = client.submit(&payment, ASK_MAX).await?;
        match submitted.outcome {
            SubmitOutcome::Accepted => Ok(submitted.hash),
            // Another faucet was quicker, with the very same payment. This one was not made.
            SubmitOutcome::Waiting | SubmitOutcome::Included => Err(ClientError::Refused {
                status: 409,
                code: "nonce_used".into(),
                message: "the faucet was used by somebody else at the same time; try again".into(),
            }),
        }
    }

    /// Waits until a payment is confirmed, [`PAID_MAX`] at most.
    ///
    /// # Errors
    /// [`NetError::TooLate`].
    pub async fn wait_paid(&self, paid: Paid) -> Result<Paid, NetError> {
        let start = Instant::now();
        let mut last = "it waits for a block".to_owned();
        while start.elapsed() < PAID_MAX {
            for n in self.running() {
                match self.client(n).tx(paid.hash, ASK_MAX).await {
                    Ok(Some(found)) => match found.status {
                        TransactionStatus::Included { height, confirmed: true, .. } => {
                            return Ok(Paid { confirmed_at: Some(height), ..paid });
                        }
                        TransactionStatus::Included { height, confirmations, .. } => {
                            last = format!("in block {height} under {confirmations} others");
                        }
                        TransactionStatus::Waiting => {}
                    },
                    Ok(None) => {}
                    Err(error) => last = error.to_string(),
                }
            }
            sleep(POLL).await;
        }
        Err(NetError::TooLate { what: format!("payment {} confirmed", paid.hash), bound: PAID_MAX, last })
    }
}
