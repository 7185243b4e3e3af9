//! Who may lead the next block.

use super::{
    ApiError,
    model::{ErrorBody, OperatorInfo, OperatorsInfo, StandingInfo},
    read::read,
};
use crate::{
    NodeView,
    consensus::poot::{Standing, standings},
    ledger,
    types::{Consensus, Rank, Slot},
};
use axum::{Json, extract::State};

/// The operators in the order in which they may lead the next block, and what each has done.
#[utoipa::path(
    get, path = "/operators", tag = "chain",
    responses(
        (status = 200, body = OperatorsInfo),
        (status = 404, description = "A chain without operators: `no_operators`", body = ErrorBody),
    )
)]
pub(super) async fn operators(State(view): State<NodeView>) -> Result<Json<OperatorsInfo>, ApiError> {
    if view.identity.consensus != Consensus::Poot {
        return Err(ApiError::NoOperators);
    }
    let chain = view.identity.chain_id.clone();
    let params = view.store.genesis().params.poot.clone();
    let at_head = read(&view, |store, head| Ok((ledger::operators(store, head.height)?, head.height.next())));
    let (operators, height) = at_head.await?;
    let slot = Slot(operators.recent.slot.0 + 1);
    let period = params.period(slot);
    let standings = standings(&chain, &params, &operators, slot);
    let info = |(rank, (standing, address)): (usize, (Standing, _))| {
        let one = operators.members.get(&address)?;
        Some(OperatorInfo {
            address,
            key: one.key,
            rank: rank as Rank,
            standing: match standing {
                Standing::Ready(_) => StandingInfo::Ready,
                Standing::Resting(_) => StandingInfo::Resting,
                Standing::Idle(_) => StandingInfo::Idle,
            },
            credits: one.credits(&params, period),
            density_permille: one.density_permille(&params, period),
            last_led: one.last_led,
            since: one.since,
        })
    };
    let operators = standings.into_iter().enumerate().filter_map(info).collect();
    Ok(Json(OperatorsInfo { height, slot, period, operators }))
}
