//! Reads of the store that see one state of the chain.

use super::ApiError;
use crate::{
    NodeView,
    storage::{Store, StoredHead},
    types::Height,
};
use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use std::str::FromStr;

/// Tries before a read gives up. Each failed one means that a block was committed meanwhile, which takes seconds to make.
const READS_MAX: usize = 4;

/// Runs `read` where blocking work is done.
///
/// A read takes several lookups, and a commit may come in between. So the head is compared before and after, and when it
/// has moved the read is repeated: what is returned, an error too, is of the chain that ends in the head given to `read`.
///
/// A node whose storage failed or is being rebuilt has nothing to show: what it has may lack what clients were told.
pub(super) async fn read<T: Send + 'static>(
    view: &NodeView,
    read: impl Fn(&Store, StoredHead) -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let state = view.snapshot.borrow().storage.state;
    if !state.serves() {
        return Err(ApiError::NotServing(state));
    }
    let store = view.store.clone();
    view.blocking.run(move || consistent(&store, read)).await
}

fn consistent<T>(store: &Store, read: impl Fn(&Store, StoredHead) -> Result<T, ApiError>) -> Result<T, ApiError> {
    let mut failure = ApiError::Busy;
    for _ in 0..READS_MAX {
        let before = match store.head() {
            Ok(head) => head,
            Err(error) => {
                failure = error.into();
                continue;
            }
        };
        let result = read(store, before);
        match store.head() {
            Ok(after) if after == before => return result,
            Ok(_) => failure = ApiError::Busy,
            Err(error) => failure = error.into(),
        }
    }
    Err(failure)
}

/// How a block at `height` stands under `head`.
pub(super) struct Depth {
    /// Blocks on top of it.
    pub confirmations: u64,
    /// Whether those are enough.
    pub confirmed: bool,
}

impl Depth {
    pub(super) fn of(view_confirmations: u64, height: Height, head: Height) -> Self {
        let confirmed = height <= head.back(view_confirmations);
        Self { confirmations: head.0.saturating_sub(height.0), confirmed }
    }
}

/// The variable part of a route's path.
pub(super) struct Segment(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let segment = Path::from_request_parts(parts, state).await;
        segment.map(|Path(text)| Self(text)).map_err(|rejection| ApiError::Malformed(rejection.body_text()))
    }
}

/// Reads a variable part of a path; `what` is its name.
pub(super) fn parse<T: FromStr<Err: std::fmt::Display>>(what: &str, text: &str) -> Result<T, ApiError> {
    text.parse().map_err(|error| ApiError::Malformed(format!("{what}: {error}")))
}
