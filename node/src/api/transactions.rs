//! Transactions: submitted, looked up, proved.

use super::{
    ApiError,
    model::{ErrorBody, SubmitOutcome, Submitted, TransactionInfo, TransactionProofInfo, TransactionStatus},
    read::{Depth, Segment, parse, read},
};
use crate::{
    NodeView, SubmitFailure,
    chain::{SubmitError, mempool::Refused},
    crypto::{Hash, merkle},
    storage::{Located, Store, StoreError},
    types::{Block, Transaction},
};
use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    http::StatusCode,
};

/// Gives a transaction to the mempool and to the peers.
///
/// Safe to repeat: the same transaction again, while it waits or after it was included, is answered with 200 and not
/// with an error. After a `timeout` or a lost connection, send it again.
#[utoipa::path(
    post, path = "/submit-tx", tag = "transactions", request_body = Transaction,
    responses(
        (status = 202, description = "It waits for a block now", body = Submitted),
        (status = 200, description = "It waits, or is included, since before", body = Submitted),
        (status = 400, description = "Not a transaction: `malformed`", body = ErrorBody),
        (status = 409, description = "`nonce_used`, `underpriced`", body = ErrorBody),
        (status = 413, description = "`too_large`", body = ErrorBody),
        (status = 415, description = "`media_type`", body = ErrorBody),
        (status = 422, description = "`bad_signature`, `wrong_chain`, `expired`, `balance`, `overflow`, `zero_amount`, \
            `nonce_too_far`", body = ErrorBody),
        (status = 503, description = "`mempool_full`, `busy`, `stopping`, `storage_failing`, `storage_rebuilding`: it was not \
            taken in; try again later", body = ErrorBody),
        (status = 504, description = "`timeout`: whether it was taken in is unknown", body = ErrorBody),
        (status = 507, description = "`storage_full`: it was not taken in; the node's disk has no space", body = ErrorBody),
    )
)]
pub(super) async fn submit(
    State(view): State<NodeView>,
    body: Result<Json<Transaction>, JsonRejection>,
) -> Result<(StatusCode, Json<Submitted>), ApiError> {
    let Json(transaction) = body?;
    let hash = transaction.id();
    let answer = |status, outcome| Ok((status, Json(Submitted { hash, outcome })));
    match view.submit(transaction).await {
        Ok(_) => answer(StatusCode::ACCEPTED, SubmitOutcome::Accepted),
        Err(SubmitFailure::Refused(SubmitError::Refused(Refused::Known))) => {
            answer(StatusCode::OK, SubmitOutcome::Waiting)
        }
        Err(SubmitFailure::Refused(SubmitError::State(error))) => {
            // Once included, it can no more be executed: its nonce is used, and later it is expired as well.
            if read(&view, move |store, _| Ok(store.locate(&hash)?)).await?.is_some() {
                return answer(StatusCode::OK, SubmitOutcome::Included);
            }
            Err(SubmitError::State(error).into())
        }
        Err(failure) => Err(failure.into()),
    }
}

/// A transaction that waits here or is included in this node's chain.
#[utoipa::path(
    get, path = "/tx/{hash}", tag = "transactions",
    params(("hash" = Hash, Path, description = "The transaction's identifier")),
    responses(
        (status = 200, body = TransactionInfo),
        (status = 400, description = "Not a hash: `malformed`", body = ErrorBody),
        (status = 404, description = "Neither waiting here nor included: `unknown_transaction`", body = ErrorBody),
    )
)]
pub(super) async fn transaction(
    State(view): State<NodeView>,
    Segment(text): Segment,
) -> Result<Json<TransactionInfo>, ApiError> {
    let hash: Hash = parse("transaction hash", &text)?;
    if let Some(info) = included(&view, hash).await? {
        return Ok(Json(info));
    }
    if let Some(transaction) = view.waiting(hash).await? {
        return Ok(Json(TransactionInfo { hash, transaction, status: TransactionStatus::Waiting }));
    }
    // It may have gone from the mempool into a block between the two questions.
    let info = included(&view, hash).await?;
    info.map(Json).ok_or(ApiError::UnknownTransaction(text))
}

async fn included(view: &NodeView, hash: Hash) -> Result<Option<TransactionInfo>, ApiError> {
    let confirmations = view.identity.confirmations;
    let found = read(view, move |store, head| {
        let Some((located, block)) = locate(store, &hash)? else { return Ok(None) };
        let Located { height, place } = located;
        let Depth { confirmations, confirmed } = Depth::of(confirmations, height, head.height);
        let status = TransactionStatus::Included { height, block: block.hash(), place, confirmations, confirmed };
        Ok(Some(TransactionInfo { hash, transaction: block.transactions[place as usize].clone(), status }))
    });
    found.await
}

/// The block that a transaction is in, and its place there, which is within the block.
fn locate(store: &Store, hash: &Hash) -> Result<Option<(Located, Block)>, ApiError> {
    let Some(located) = store.locate(hash)? else { return Ok(None) };
    let block = store.block_at(located.height)?;
    // When the lookups saw two states of the chain, the reader notices and repeats; else the index is damaged.
    let whole = block.filter(|block| block.transactions.len() > located.place as usize);
    let damaged = || StoreError::Damaged {
        family: "transactions",
        key: hash.to_string(),
        cause: format!("no such place in the block at {}", located.height),
    };
    Ok(Some((located, whole.ok_or_else(damaged)?)))
}

/// An included transaction, proved against the transactions root of its block.
#[utoipa::path(
    get, path = "/proof/transaction/{hash}", tag = "transactions",
    params(("hash" = Hash, Path, description = "The transaction's identifier")),
    responses(
        (status = 200, body = TransactionProofInfo),
        (status = 400, description = "Not a hash: `malformed`", body = ErrorBody),
        (status = 404, description = "Waiting or unknown: `not_included`", body = ErrorBody),
    )
)]
pub(super) async fn proof(
    State(view): State<NodeView>,
    Segment(text): Segment,
) -> Result<Json<TransactionProofInfo>, ApiError> {
    let hash: Hash = parse("transaction hash", &text)?;
    let proved = read(&view, move |store, _| {
        let not_included = || ApiError::NotIncluded(text.clone());
        let (Located { height, place }, block) = locate(store, &hash)?.ok_or_else(not_included)?;
        let place = place as usize;
        let proof = merkle::prove(&block.encoded_transactions(), place).expect("the place is within the block");
        let (id, transactions_root) = (block.hash(), block.header.transactions_root);
        let transaction = block.transactions[place].clone();
        Ok(TransactionProofInfo { hash, transaction, height, block: id, transactions_root, proof })
    });
    Ok(Json(proved.await?))
}
