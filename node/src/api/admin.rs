//! What the node's administrator alone may ask for. A token that is signed with the home's `admin.key` tells who that is.

use super::{
    ApiError,
    model::{BackupList, BackupStarted, BackupState, DamagedBackup, ErrorBody},
    read::{Segment, parse},
    token::TokenError,
};
use crate::{NodeView, StorageState};
use axum::{
    Json,
    extract::{FromRequestParts, State},
    http::{StatusCode, header::AUTHORIZATION, request::Parts},
};

/// Backups in a list, at most: an answer stays well below what a client takes.
const LISTED_MAX: usize = 1000;

/// Who asks is the administrator.
pub(super) struct Admin;

impl FromRequestParts<NodeView> for Admin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, view: &NodeView) -> Result<Self, ApiError> {
        let key = view.admin_key.as_ref().ok_or(ApiError::AdminDisabled)?;
        let authorization = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        key.check(authorization.ok_or(TokenError::Missing)?, view.clock.now())?;
        Ok(Self)
    }
}

/// Begins a backup. It is made while the node goes on; ask for its state until it has ended.
#[utoipa::path(
    post, path = "/admin/backup", tag = "admin", security(("admin" = [])),
    responses(
        (status = 202, description = "It was begun", body = BackupStarted),
        (status = 401, description = "`unauthorized`", body = ErrorBody),
        (status = 403, description = "The node has no administrator: `admin_disabled`", body = ErrorBody),
        (status = 409, description = "One is being made already: `backup_running`", body = ErrorBody),
        (status = 503, description = "`storage_failing`, `storage_rebuilding`, `stopping`", body = ErrorBody),
        (status = 507, description = "`storage_full`", body = ErrorBody),
    )
)]
pub(super) async fn backup(
    _: Admin,
    State(view): State<NodeView>,
) -> Result<(StatusCode, Json<BackupStarted>), ApiError> {
    match view.snapshot.borrow().storage.state {
        StorageState::Open => {}
        StorageState::Full => return Err(ApiError::NoSpace),
        state => return Err(ApiError::NotServing(state)),
    }
    let attempt = view.backups.begin()?;
    Ok((StatusCode::ACCEPTED, Json(BackupStarted { attempt })))
}

/// How a backup goes on, or how it ended. The node remembers the one that is being made and the last one.
#[utoipa::path(
    get, path = "/admin/backup/{attempt}", tag = "admin", security(("admin" = [])),
    params(("attempt" = u64, Path, description = "The backup's number since the node started")),
    responses(
        (status = 200, body = BackupState),
        (status = 400, description = "Not a number: `malformed`", body = ErrorBody),
        (status = 401, description = "`unauthorized`", body = ErrorBody),
        (status = 403, description = "The node has no administrator: `admin_disabled`", body = ErrorBody),
        (status = 404, description = "`unknown_backup`", body = ErrorBody),
    )
)]
pub(super) async fn backup_state(
    _: Admin,
    State(view): State<NodeView>,
    Segment(text): Segment,
) -> Result<Json<BackupState>, ApiError> {
    let attempt: u64 = parse("number of a backup", &text)?;
    let status = view.backups.status();
    let running = status.running.filter(|running| running.attempt == attempt);
    let ended = status.last.filter(|last| last.attempt == attempt);
    if running.is_none() && ended.is_none() {
        return Err(ApiError::UnknownBackup(attempt));
    }
    Ok(Json(BackupState { running, ended }))
}

/// The backups in the node's directory.
#[utoipa::path(
    get, path = "/admin/backups", tag = "admin", security(("admin" = [])),
    responses(
        (status = 200, body = BackupList),
        (status = 401, description = "`unauthorized`", body = ErrorBody),
        (status = 403, description = "The node has no administrator: `admin_disabled`", body = ErrorBody),
    )
)]
pub(super) async fn backups(_: Admin, State(view): State<NodeView>) -> Result<Json<BackupList>, ApiError> {
    let folder = view.backups.folder().clone();
    let mut listing = view.blocking.run(move || folder.list()).await.map_err(ApiError::Backups)?;
    listing.backups.truncate(LISTED_MAX);
    let damaged = listing.damaged.into_iter().take(LISTED_MAX);
    let damaged = damaged.map(|(name, error)| DamagedBackup { name, cause: error.to_string() });
    let status = view.backups.status();
    Ok(Json(BackupList {
        backups: listing.backups,
        damaged: damaged.collect(),
        running: status.running,
        last: status.last,
    }))
}
