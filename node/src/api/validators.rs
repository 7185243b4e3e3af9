//! Who votes on the next block.

use super::{
    ApiError,
    model::{BondInfo, ErrorBody, UnbondingInfo, ValidatorInfo, ValidatorsInfo},
    read::read,
};
use crate::{NodeView, ledger, types::Consensus};
use axum::{Json, extract::State};

/// The validators of the next block, and all bonds.
#[utoipa::path(
    get, path = "/validators", tag = "chain",
    responses(
        (status = 200, body = ValidatorsInfo),
        (status = 404, description = "A chain without validators: `no_validators`", body = ErrorBody),
    )
)]
pub(super) async fn validators(State(view): State<NodeView>) -> Result<Json<ValidatorsInfo>, ApiError> {
    if view.identity.consensus != Consensus::Pos {
        return Err(ApiError::NoValidators);
    }
    let at_head = read(&view, |store, head| Ok((ledger::stakes(store, head.height)?, head.height.next())));
    let (stakes, height) = at_head.await?;
    let snapshot = *view.snapshot.borrow();
    let validators = stakes.active.iter();
    let validators =
        validators.map(|one| ValidatorInfo { address: one.address(), key: one.key, power: one.power() }).collect();
    let bonds = stakes.bonds.iter().map(|(address, bond)| BondInfo { address: *address, amount: bond.amount });
    let unbonding = stakes.unbonding.iter();
    let unbonding = unbonding.map(|waiting| UnbondingInfo {
        address: waiting.key.address(),
        amount: waiting.amount,
        release: waiting.release,
    });
    Ok(Json(ValidatorsInfo {
        height,
        round: snapshot.round,
        power: stakes.active.power(),
        abstains: snapshot.abstains,
        validators,
        bonds: bonds.collect(),
        unbonding: unbonding.collect(),
    }))
}
