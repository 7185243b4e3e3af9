//! What addresses have, and proofs of it.

use super::{
    ApiError,
    model::{AccountInfo, AccountProofInfo, Balance, ErrorBody},
    read::{Segment, parse, read},
};
use crate::{NodeView, crypto::Address, ledger, types::Height};
use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use serde::Deserialize;
use utoipa::IntoParams;

/// What an address has at the head of this node's chain. An address that was never used has nothing.
#[utoipa::path(
    get, path = "/balance/{address}", tag = "accounts",
    params(("address" = Address, Path, description = "The address")),
    responses(
        (status = 200, body = Balance),
        (status = 400, description = "Not an address: `malformed`", body = ErrorBody),
    )
)]
pub(super) async fn balance(State(view): State<NodeView>, Segment(text): Segment) -> Result<Json<Balance>, ApiError> {
    let address: Address = parse("address", &text)?;
    let at_head = read(&view, move |store, head| Ok((ledger::account(store, head.height, &address)?, head.height)));
    let (ledger::Account { balance, nonce }, height) = at_head.await?;
    let next_nonce = view.next_nonce(address, nonce).await?;
    Ok(Json(Balance { address, balance, nonce, next_nonce, height }))
}

/// Which state a proof is for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ProofQuery {
    /// The height; that of the head when it is left out.
    height: Option<Height>,
}

/// An account, or its absence, proved against the state root of a block on this node's chain.
#[utoipa::path(
    get, path = "/proof/account/{address}", tag = "accounts",
    params(("address" = Address, Path, description = "The address"), ProofQuery),
    responses(
        (status = 200, body = AccountProofInfo),
        (status = 400, description = "Not an address, or not a height: `malformed`", body = ErrorBody),
        (status = 404, description = "The chain is not that high: `unknown_block`", body = ErrorBody),
    )
)]
pub(super) async fn proof(
    State(view): State<NodeView>,
    Segment(text): Segment,
    query: Result<Query<ProofQuery>, QueryRejection>,
) -> Result<Json<AccountProofInfo>, ApiError> {
    let address: Address = parse("address", &text)?;
    let Query(ProofQuery { height: asked }) = query?;
    let proved = read(&view, move |store, head| {
        let height = asked.unwrap_or(head.height);
        let unknown = || ApiError::UnknownBlock(height.to_string());
        let block = store.block_at(height)?.ok_or_else(unknown)?;
        let ledger::AccountProof { account, proof } = ledger::prove_account(store, height, &address)?;
        let account = account.map(|ledger::Account { balance, nonce }| AccountInfo { balance, nonce });
        let (hash, state_root) = (block.hash(), block.header.state_root);
        Ok(AccountProofInfo { address, height, block: hash, state_root, account, proof })
    });
    Ok(Json(proved.await?))
}
