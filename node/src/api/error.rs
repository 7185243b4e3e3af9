//! Errors as clients see them.

use super::{
    model::{ErrorBody, ErrorDetail},
    token::TokenError,
};
use crate::{
    Stopping, StorageState, SubmitFailure,
    backup::BackupError,
    chain::{SubmitError, mempool::Refused, validation::FormError},
    ledger::{ReadError, StakeError, TaskError, TransactionError},
    storage::StoreError,
};
use axum::{
    Json,
    extract::rejection::{JsonRejection, QueryRejection},
    http::{
        HeaderValue, StatusCode,
        header::{RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use std::io;

/// Seconds after which a client should try again when the node was too busy.
const RETRY_AFTER_SECONDS: u64 = 1;

/// A request that is answered with an error.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// A path, a query or a body that is not what the route takes: 400.
    #[error("{0}")]
    Malformed(String),
    /// A body that does not say that it is JSON: 415.
    #[error("the body must be application/json")]
    MediaType,
    /// A body over [`super::BODY_BYTES_MAX`]: 413.
    #[error("the body is larger than {} bytes", super::BODY_BYTES_MAX)]
    BodyTooLarge,
    /// No such path: 404.
    #[error("there is no such route; /openapi.json lists them")]
    UnknownRoute,
    /// The path exists, for other methods: 405.
    #[error("the route does not take this method")]
    Method,
    /// No such block on this node's chain: 404.
    #[error("no block {0} on this node's chain")]
    UnknownBlock(String),
    /// The chain has no operators: 404.
    #[error("this chain has no operators")]
    NoOperators,
    /// The chain has no validators: 404.
    #[error("this chain has no validators")]
    NoValidators,
    /// The transaction is neither included nor waiting here: 404.
    #[error("transaction {0} is neither included nor waiting here")]
    UnknownTransaction(String),
    /// The transaction waits, or is unknown: there is no proof of it: 404.
    #[error("transaction {0} is not included in this node's chain")]
    NotIncluded(String),
    /// Neither the backup that is being made nor the last one: 404.
    #[error("backup {0} is neither being made nor the last one")]
    UnknownBackup(u64),
    /// The token gives no access: 401.
    #[error(transparent)]
    Unauthorized(#[from] TokenError),
    /// The node has no key that tokens could be signed with: 403.
    #[error("this node has no admin.key, so nobody is its administrator")]
    AdminDisabled,
    /// One backup at a time: 409.
    #[error("a backup is being made already")]
    BackupRunning,
    /// The directory of backups cannot be read: 500.
    #[error("the directory of backups cannot be read: {0}")]
    Backups(io::Error),
    /// The transaction is refused.
    #[error(transparent)]
    Refused(#[from] SubmitError),
    /// The node has more to do than it allows itself: 503.
    #[error("the node is busy")]
    Busy,
    /// The request took longer than [`super::REQUEST_TIME_MAX`]: 504. Whether it had an effect is unknown.
    #[error("no answer within {} s; whether the request had an effect is unknown", super::REQUEST_TIME_MAX.as_secs())]
    Timeout,
    /// The disk has no space, so nothing is taken in: 507. What is stored can be read.
    #[error("no space is left on this node's disk; nothing is taken in until there is some")]
    NoSpace,
    /// The storage failed, or is rebuilt after damage: 503.
    #[error("the storage is {}; ask another node, or try again later", .0.name())]
    NotServing(StorageState),
    /// The node is about to exit: 503.
    #[error(transparent)]
    Stopping(#[from] Stopping),
    /// The store failed: 500.
    #[error("the storage failed")]
    Storage(#[from] StoreError),
    /// The state could not be read: 500.
    #[error("the state could not be read")]
    State(#[from] ReadError),
}

impl ApiError {
    /// Status and code. The codes are part of the API: they may be added to, and keep their meaning.
    pub fn kind(&self) -> (StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            ApiError::Malformed(_) => (S::BAD_REQUEST, "malformed"),
            ApiError::MediaType => (S::UNSUPPORTED_MEDIA_TYPE, "media_type"),
            ApiError::BodyTooLarge => (S::PAYLOAD_TOO_LARGE, "too_large"),
            ApiError::UnknownRoute => (S::NOT_FOUND, "unknown_route"),
            ApiError::Method => (S::METHOD_NOT_ALLOWED, "method_not_allowed"),
            ApiError::UnknownBlock(_) => (S::NOT_FOUND, "unknown_block"),
            ApiError::NoValidators => (S::NOT_FOUND, "no_validators"),
            ApiError::NoOperators => (S::NOT_FOUND, "no_operators"),
            ApiError::UnknownTransaction(_) => (S::NOT_FOUND, "unknown_transaction"),
            ApiError::NotIncluded(_) => (S::NOT_FOUND, "not_included"),
            ApiError::UnknownBackup(_) => (S::NOT_FOUND, "unknown_backup"),
            ApiError::Unauthorized(_) => (S::UNAUTHORIZED, "unauthorized"),
            ApiError::AdminDisabled => (S::FORBIDDEN, "admin_disabled"),
            ApiError::BackupRunning => (S::CONFLICT, "backup_running"),
            ApiError::Backups(_) => (S::INTERNAL_SERVER_ERROR, "backups"),
            ApiError::Refused(error) => refused(error),
            ApiError::Busy => (S::SERVICE_UNAVAILABLE, "busy"),
            ApiError::Timeout => (S::GATEWAY_TIMEOUT, "timeout"),
            ApiError::NoSpace => (S::INSUFFICIENT_STORAGE, "storage_full"),
            ApiError::NotServing(StorageState::Failing) => (S::SERVICE_UNAVAILABLE, "storage_failing"),
            ApiError::NotServing(_) => (S::SERVICE_UNAVAILABLE, "storage_rebuilding"),
            ApiError::Storage(StoreError::Closed) => (S::SERVICE_UNAVAILABLE, "storage_failing"),
            ApiError::Stopping(_) => (S::SERVICE_UNAVAILABLE, "stopping"),
            ApiError::Storage(_) | ApiError::State(_) => (S::INTERNAL_SERVER_ERROR, "storage"),
        }
    }
}

/// 422 for what will never be right, 409 for what another transaction has settled, 503 for what may be taken later.
fn refused(error: &SubmitError) -> (StatusCode, &'static str) {
    use StatusCode as S;
    match error {
        SubmitError::Form(FormError::Chain(_)) => (S::UNPROCESSABLE_ENTITY, "wrong_chain"),
        SubmitError::Form(FormError::TooLarge(_)) => (S::PAYLOAD_TOO_LARGE, "too_large"),
        SubmitError::Form(FormError::Signature(_)) => (S::UNPROCESSABLE_ENTITY, "bad_signature"),
        SubmitError::State(TransactionError::Nonce { .. }) => (S::CONFLICT, "nonce_used"),
        SubmitError::State(TransactionError::Balance { .. }) => (S::UNPROCESSABLE_ENTITY, "balance"),
        SubmitError::State(TransactionError::Overflow) => (S::UNPROCESSABLE_ENTITY, "overflow"),
        SubmitError::State(TransactionError::ZeroAmount) => (S::UNPROCESSABLE_ENTITY, "zero_amount"),
        SubmitError::State(TransactionError::Expired { .. }) => (S::UNPROCESSABLE_ENTITY, "expired"),
        SubmitError::State(TransactionError::Stake(StakeError::NoStakes)) => (S::UNPROCESSABLE_ENTITY, "no_stakes"),
        SubmitError::State(TransactionError::Stake(StakeError::Punished)) => (S::CONFLICT, "punished"),
        SubmitError::State(TransactionError::Stake(_)) => (S::UNPROCESSABLE_ENTITY, "stake"),
        SubmitError::State(TransactionError::Task(TaskError::NoOperators)) => (S::UNPROCESSABLE_ENTITY, "no_operators"),
        SubmitError::State(TransactionError::Task(TaskError::Again(_))) => (S::CONFLICT, "shown_before"),
        SubmitError::State(TransactionError::Task(_)) => (S::UNPROCESSABLE_ENTITY, "task"),
        SubmitError::Refused(Refused::Known) => (S::CONFLICT, "known"),
        SubmitError::Refused(Refused::Underpriced { .. }) => (S::CONFLICT, "underpriced"),
        SubmitError::Refused(Refused::TooFarAhead { .. }) => (S::UNPROCESSABLE_ENTITY, "nonce_too_far"),
        SubmitError::Refused(Refused::Full { .. }) => (S::SERVICE_UNAVAILABLE, "mempool_full"),
        SubmitError::Read(_) => (S::INTERNAL_SERVER_ERROR, "storage"),
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code) = self.kind();
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            // The cause is for the operator; the client learns that it was not its fault.
            tracing::error!(error = ?self, "http.storage_failed");
        }
        let error = ErrorDetail { code: code.to_owned(), message: self.to_string() };
        let mut response = (status, Json(ErrorBody { error })).into_response();
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::INSUFFICIENT_STORAGE) {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
        }
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<BackupError> for ApiError {
    /// Of beginning one: how it ends is told by its state.
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Stopping(stopping) => stopping.into(),
            BackupError::NotOpen(state) => ApiError::NotServing(state),
            _ => ApiError::BackupRunning,
        }
    }
}

impl From<SubmitFailure> for ApiError {
    fn from(failure: SubmitFailure) -> Self {
        match failure {
            SubmitFailure::Refused(error) => error.into(),
            SubmitFailure::Busy => ApiError::Busy,
            SubmitFailure::Storage(StorageState::Full) => ApiError::NoSpace,
            SubmitFailure::Storage(state) => ApiError::NotServing(state),
            SubmitFailure::Stopping(stopping) => stopping.into(),
        }
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        match (rejection.status(), rejection) {
            (StatusCode::PAYLOAD_TOO_LARGE, _) => ApiError::BodyTooLarge,
            (_, JsonRejection::MissingJsonContentType(_)) => ApiError::MediaType,
            (_, rejection) => ApiError::Malformed(rejection.body_text()),
        }
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        ApiError::Malformed(rejection.body_text())
    }
}
