//! Submitting: each refusal has its code, and repeating is harmless.

use super::host::{Host, LONG, Mining, body, poor, rich, transfer};
use crate::{
    api::{
        client::ClientError,
        model::{ErrorBody, SubmitOutcome, TransactionStatus},
    },
    crypto::Keypair,
    types::{Amount, Body, Height, Nonce, Payload},
};
use axum::http::Method;

#[tokio::test(start_paused = true)]
async fn a_transaction_is_accepted_once_and_known_ever_after() {
    let host = Host::start(Mining::On).await;
    let client = host.client();
    let transaction = transfer(0, 500);
    let outcome = async || client.submit(&transaction, LONG).await.expect("it is valid").outcome;
    assert_eq!(outcome().await, SubmitOutcome::Accepted);
    assert_eq!(outcome().await, SubmitOutcome::Waiting);
    assert_eq!(client.balance(rich().address(), LONG).await.expect("it is an address").next_nonce, Nonce(1));

    let height = host.node.view().snapshot.borrow().head.height.0;
    host.height(height + 6).await;
    assert_eq!(outcome().await, SubmitOutcome::Included);
    let found = client.tx(transaction.id(), LONG).await.expect("it is answered").expect("it is included");
    let TransactionStatus::Included { height, block, place, confirmations, confirmed } = found.status else {
        panic!("{found:?}")
    };
    assert!(confirmed && confirmations >= 2, "{confirmations} blocks are on top");
    let block_info: crate::api::model::BlockInfo =
        client.get_json(&format!("/block/{height}"), LONG).await.expect("the block is there");
    assert_eq!((block_info.hash, &block_info.transactions[place as usize].transaction), (block, &transaction));
    let rich = client.balance(rich().address(), LONG).await.expect("it is an address");
    assert_eq!((rich.balance, rich.nonce, rich.next_nonce), (Amount(1_000_000 - 510), Nonce(1), Nonce(1)));
    assert_eq!(client.balance(poor(), LONG).await.expect("it is an address").balance, Amount(500));
}

#[tokio::test(start_paused = true)]
async fn every_refusal_has_its_code() {
    let host = Host::start(Mining::On).await;
    let client = host.client();
    client.submit(&transfer(0, 1), LONG).await.expect("it is valid");
    let height = host.node.view().snapshot.borrow().head.height.0;
    host.height(height + 3).await;
    client.submit(&transfer(1, 1), LONG).await.expect("it is valid");
    let mut forged = transfer(2, 1);
    forged.signature = transfer(2, 2).signature;
    let cases = [
        (forged, 422, "bad_signature"),
        (Body { chain_id: "other".parse().expect("it is a chain id"), ..body(2, 1) }.sign(&rich()), 422, "wrong_chain"),
        (Body { valid_until: Height(1), ..body(2, 1) }.sign(&rich()), 422, "expired"),
        (transfer(0, 2), 409, "nonce_used"),
        (transfer(2, 2_000_000), 422, "balance"),
        (transfer(2, u64::MAX), 422, "overflow"),
        (transfer(2, 0), 422, "zero_amount"),
        (transfer(100, 1), 422, "nonce_too_far"),
    ];
    for (transaction, status, code) in cases {
        let error = client.submit(&transaction, LONG).await.expect_err(code);
        let ClientError::Refused { status: got_status, code: got_code, .. } = error else { panic!("{code}: {error}") };
        assert_eq!((got_status, got_code.as_str()), (status, code));
        assert_eq!(client.tx(transaction.id(), LONG).await.expect("it is answered"), None, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_transaction_with_the_nonce_must_pay_more() {
    let host = Host::start(Mining::Off).await;
    let client = host.client();
    client.submit(&transfer(0, 1), LONG).await.expect("it is valid");
    let error = client.submit(&transfer(0, 2), LONG).await.expect_err("it pays the same");
    assert_eq!(
        error.to_string(),
        "409: another transaction has nonce 0; to replace it the fee must be at least 11 (underpriced)"
    );
    let better = Body { fee: Amount(11), ..body(0, 2) }.sign(&rich());
    assert_eq!(client.submit(&better, LONG).await.expect("it pays more").outcome, SubmitOutcome::Accepted);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_no_transaction_is_refused() {
    let host = Host::start(Mining::Off).await;
    let client = host.client();
    let right = serde_json::to_value(transfer(0, 1)).expect("it has a JSON form");
    let mut extra = right.clone();
    extra["memo"] = "hello".into();
    let mut negative = right.clone();
    negative["body"]["fee"] = (-1).into();
    let bodies = [Vec::new(), b"{".to_vec(), b"[]".to_vec(), extra.to_string().into(), negative.to_string().into()];
    for body in bodies {
        let shown = String::from_utf8_lossy(&body).into_owned();
        let answer = client.request(Method::POST, "/submit-tx", Some(body), LONG).await.expect("it is answered");
        let error: ErrorBody = serde_json::from_slice(&answer.body).expect("an error is JSON");
        assert_eq!((answer.status.as_u16(), error.error.code.as_str()), (400, "malformed"), "{shown}");
    }
    let text = "POST /submit-tx HTTP/1.1\r\nhost: node\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
    let answer = host.raw(text).await;
    assert!(answer.starts_with("HTTP/1.1 415 ") && answer.contains("\"media_type\""), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn an_account_without_tokens_cannot_pay() {
    let host = Host::start(Mining::Off).await;
    let key = Keypair::from_secret([2; 32]);
    let payload = Payload::Transfer { to: rich().address(), amount: Amount(1) };
    let transaction = Body { sender: key.public(), payload, ..body(0, 1) }.sign(&key);
    let error = host.client().submit(&transaction, LONG).await.expect_err("it has nothing");
    assert_eq!(error.to_string(), "422: costs 11, and the balance is 0 (balance)");
}
