//! A client of the API, over any byte stream.
//!
//! What became of a request is one of three things, and they never blur: it was answered; it was not sent, so it has had no
//! effect; or it was sent and the answer is missing, so its effect is *unknown*.
//!
//! Connections are kept for the next request, [`IDLE_CONNECTIONS_MAX`] at most; requests at the same time use connections of
//! their own. An answer is bounded by [`ANSWER_BYTES_MAX`], a request by the time that its caller gives.

mod connection;
#[cfg(test)]
mod tests;

use self::connection::{ConnectionIo, Pool};
use super::model::{
    BackupStarted, BackupState, Balance, ChainInfo, ErrorBody, HeadInfo, Health, Submitted, TransactionInfo,
};
use crate::{
    crypto::{Address, Hash},
    types::Transaction,
};
use axum::http::{Method, StatusCode};
use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use serde::de::DeserializeOwned;
use std::{fmt, io, time::Duration};
use tokio::io::{AsyncRead, AsyncWrite};

/// Bytes of an answer, at most: a full block in JSON is smaller.
pub const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Idle connections that are kept.
pub const IDLE_CONNECTIONS_MAX: usize = 4;

/// An HTTP answer, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The body.
    pub body: Bytes,
}

/// A request that was not answered.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// It was not sent and had no effect: there was no connection to send it on.
    #[error("not sent: {0}")]
    NotSent(String),
    /// It was sent, or a part of it, and the answer is missing: whether it had an effect is unknown.
    #[error("sent, and not answered: {0}")]
    Unknown(String),
}

/// A request that did not get what it was for.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// It was not sent and had no effect.
    #[error("not sent: {0}")]
    NotSent(String),
    /// Whether it had an effect is unknown.
    #[error("outcome unknown: {0}")]
    Unknown(String),
    /// The node answered with an error; it had no effect.
    #[error("{status}: {message} ({code})")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The API's code; empty when the answer is not the API's.
        code: String,
        /// The API's explanation.
        message: String,
    },
    /// The node answered with success, and with a body of another form.
    #[error("the answer is not understood: {0}")]
    Malformed(#[from] serde_json::Error),
}

impl From<RequestError> for ClientError {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::NotSent(cause) => ClientError::NotSent(cause),
            RequestError::Unknown(cause) => ClientError::Unknown(cause),
        }
    }
}

/// A client of one node.
pub struct Client {
    pool: Pool,
}

impl Client {
    /// A client of the node called `authority` (`HOST:PORT`, for the `Host` header), to which `connect` opens connections.
    /// Nothing is opened yet.
    pub fn new<F, S>(authority: impl Into<String>, connect: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let open = move || -> BoxFuture<'static, io::Result<ConnectionIo>> {
            connect().map(|opened| opened.map(|stream| Box::pin(stream) as ConnectionIo)).boxed()
        };
        Self { pool: Pool::new(authority.into(), Box::new(open)) }
    }

    /// Whose client it is: `HOST:PORT`.
    pub fn authority(&self) -> &str {
        self.pool.authority()
    }

    /// Sends a request and waits for the whole answer, `time_max` at most.
    ///
    /// # Errors
    /// [`RequestError`]; a status of any kind is none.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
        time_max: Duration,
    ) -> Result<Answer, RequestError> {
        self.pool.request(method, path, body.map(Bytes::from), None, time_max).await
    }

    /// As [`Client::request`], without a body, of the node's administrator: `token` is one of [`super::AdminKey::token`].
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn request_as_admin(
        &self,
        method: Method,
        path: &str,
        token: &str,
        time_max: Duration,
    ) -> Result<Answer, RequestError> {
        self.pool.request(method, path, None, Some(token), time_max).await
    }

    /// Gets what is at `path`.
    ///
    /// # Errors
    /// [`ClientError`]; so for all methods below.
    pub async fn get_json<T: DeserializeOwned>(&self, path: &str, time_max: Duration) -> Result<T, ClientError> {
        success(self.request(Method::GET, path, None, time_max).await?)
    }

    /// The head of the node's chain.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn head(&self, time_max: Duration) -> Result<HeadInfo, ClientError> {
        self.get_json("/chain/head", time_max).await
    }

    /// The chain and the node's place in it.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn info(&self, time_max: Duration) -> Result<ChainInfo, ClientError> {
        self.get_json("/api/v1/chain/info", time_max).await
    }

    /// A transaction that waits at the node or is included; `None` when the node knows of none.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn tx(&self, hash: Hash, time_max: Duration) -> Result<Option<TransactionInfo>, ClientError> {
        match self.get_json(&format!("/tx/{hash}"), time_max).await {
            Err(ClientError::Refused { code, .. }) if code == "unknown_transaction" => Ok(None),
            found => found.map(Some),
        }
    }

    /// What an address has.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn balance(&self, address: Address, time_max: Duration) -> Result<Balance, ClientError> {
        self.get_json(&format!("/balance/{address}"), time_max).await
    }

    /// Submits a transaction. When the outcome is unknown it may be submitted again: the node takes it once.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn submit(&self, transaction: &Transaction, time_max: Duration) -> Result<Submitted, ClientError> {
        let body = serde_json::to_vec(transaction)?;
        success(self.request(Method::POST, "/submit-tx", Some(body), time_max).await?)
    }

    /// Begins a backup.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn begin_backup(&self, token: &str, time_max: Duration) -> Result<BackupStarted, ClientError> {
        success(self.request_as_admin(Method::POST, "/admin/backup", token, time_max).await?)
    }

    /// How a backup goes on.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn backup(&self, attempt: u64, token: &str, time_max: Duration) -> Result<BackupState, ClientError> {
        success(self.request_as_admin(Method::GET, &format!("/admin/backup/{attempt}"), token, time_max).await?)
    }

    /// A health route's status and body: `/health`, `/health/live` or `/health/ready`. A 503 is an answer as well.
    ///
    /// # Errors
    /// [`ClientError`] when the answer is not that of a health route.
    pub async fn health(&self, path: &str, time_max: Duration) -> Result<(StatusCode, Health), ClientError> {
        let answer = self.request(Method::GET, path, None, time_max).await?;
        match serde_json::from_slice(&answer.body) {
            Ok(health) => Ok((answer.status, health)),
            Err(error) => Err(refusal(answer).err().unwrap_or(ClientError::Malformed(error))),
        }
    }
}

fn success<T: DeserializeOwned>(answer: Answer) -> Result<T, ClientError> {
    Ok(serde_json::from_slice(&refusal(answer)?.body)?)
}

/// Sorts out answers that are errors.
fn refusal(answer: Answer) -> Result<Answer, ClientError> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    let status = answer.status.as_u16();
    let (code, message) = match serde_json::from_slice::<ErrorBody>(&answer.body) {
        Ok(ErrorBody { error }) => (error.code, error.message),
        Err(_) => (String::new(), String::from_utf8_lossy(&answer.body).chars().take(200).collect()),
    };
    let refusals = [StatusCode::SERVICE_UNAVAILABLE, StatusCode::INSUFFICIENT_STORAGE];
    if answer.status.is_server_error() && !refusals.contains(&answer.status) {
        // A timeout or a fault within the node: it may have got far before.
        return Err(ClientError::Unknown(format!("{status}: {message} ({code})")));
    }
    Err(ClientError::Refused { status, code, message })
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({})", self.pool.authority())
    }
}
