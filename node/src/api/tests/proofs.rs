//! Proofs lead to the roots of the headers, and nowhere else.

use super::host::{Host, LONG, Mining, poor, rich, transfer};
use crate::{
    api::model::{AccountInfo, AccountProofInfo, BlockInfo, ProofError, TransactionProofInfo},
    crypto::{Address, Hash},
    types::{Amount, Height, Nonce},
};

async fn block(host: &Host, height: Height) -> BlockInfo {
    host.client().get_json(&format!("/block/{height}"), LONG).await.expect("the block is there")
}

async fn account(host: &Host, address: Address, height: u64) -> AccountProofInfo {
    let path = format!("/api/v1/proof/account/{address}?height={height}");
    host.client().get_json(&path, LONG).await.expect("the chain is that high")
}

#[tokio::test(start_paused = true)]
async fn an_account_is_proved_before_and_after_it_is_paid() {
    let host = Host::start(Mining::On).await;
    let transaction = transfer(0, 77);
    host.client().submit(&transaction, LONG).await.expect("it is valid");
    host.height(8).await;

    let absent = account(&host, poor(), 0).await;
    let root = block(&host, Height(0)).await.state_root;
    assert_eq!((absent.account, absent.verify(root)), (None, Ok(())));
    assert_eq!(account(&host, rich().address(), 0).await.verify(root), Ok(()));

    let present = account(&host, poor(), 8).await;
    let later_root = block(&host, Height(8)).await.state_root;
    let paid = AccountInfo { balance: Amount(77), nonce: Nonce(0) };
    assert_eq!((present.account, present.verify(later_root)), (Some(paid), Ok(())));
    assert_eq!((present.height, present.state_root), (Height(8), later_root));

    assert_eq!(present.verify(root), Err(ProofError(root)), "another state");
    let richer = AccountProofInfo { account: Some(AccountInfo { balance: Amount(78), ..paid }), ..present.clone() };
    assert_eq!(richer.verify(later_root), Err(ProofError(later_root)), "another balance");
    let denied = AccountProofInfo { account: None, ..present.clone() };
    assert_eq!(denied.verify(later_root), Err(ProofError(later_root)), "denied");
    let invented = AccountProofInfo { account: Some(paid), ..absent };
    assert_eq!(invented.verify(root), Err(ProofError(root)), "invented");
    let moved = AccountProofInfo { address: rich().address(), ..present };
    assert_eq!(moved.verify(later_root), Err(ProofError(later_root)), "another account's");
}

#[tokio::test(start_paused = true)]
async fn a_transaction_is_proved_once_it_is_included() {
    let host = Host::start(Mining::On).await;
    let transactions = [transfer(0, 1), transfer(1, 2), transfer(2, 3)];
    for transaction in &transactions {
        host.client().submit(transaction, LONG).await.expect("it is valid");
    }
    host.height(10).await;
    for transaction in &transactions {
        let path = format!("/api/v1/proof/transaction/{}", transaction.id());
        let proof: TransactionProofInfo = host.client().get_json(&path, LONG).await.expect("it is included");
        let root = block(&host, proof.height).await.transactions_root;
        assert_eq!((&proof.transaction, proof.verify(root)), (transaction, Ok(())));
        assert_eq!(proof.verify(Hash::default()), Err(ProofError(Hash::default())));
        let other = TransactionProofInfo { transaction: transfer(9, 9), ..proof };
        assert_eq!(other.verify(root), Err(ProofError(root)));
    }
}
