//! One client's connections.

use super::{ANSWER_BYTES_MAX, Answer, IDLE_CONNECTIONS_MAX, RequestError};
use axum::http::{
    Method, Request,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST},
};
use bytes::Bytes;
use futures::future::BoxFuture;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use std::{
    fmt::Display,
    io,
    pin::Pin,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::JoinHandle,
    time::{self, Instant},
};

pub(super) trait Duplex: AsyncRead + AsyncWrite + Send {}
impl<T: AsyncRead + AsyncWrite + Send> Duplex for T {}

pub(super) type ConnectionIo = Pin<Box<dyn Duplex>>;
type Open = Box<dyn Fn() -> BoxFuture<'static, io::Result<ConnectionIo>> + Send + Sync>;

type Outgoing = Request<Full<Bytes>>;

/// What became of a request on one connection.
enum Exchange {
    Answered(Answer),
    /// Some of it was sent.
    Unanswered(String),
    /// None of it was sent.
    Returned(Box<Outgoing>),
}

/// The connections to one node.
pub(super) struct Pool {
    authority: String,
    open: Open,
    /// Connections that no request uses, the one used last at the end.
    idle: Mutex<Vec<Connection>>,
}

impl Pool {
    pub(super) fn new(authority: String, open: Open) -> Self {
        Self { authority, open, idle: Mutex::default() }
    }

    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    pub(super) async fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
        token: Option<&str>,
        time_max: Duration,
    ) -> Result<Answer, RequestError> {
        let deadline = Instant::now() + time_max;
        let mut request = Request::builder().method(method).uri(path).header(HOST, &self.authority);
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let mut request = Box::new(request.body(Full::new(body.unwrap_or_default())).map_err(not_sent)?);
        // A kept connection may have been closed by the node meanwhile. A request that it did not take goes to the next.
        while let Some(connection) = self.take_idle() {
            match self.exchange(connection, request, deadline).await {
                Exchange::Answered(answer) => return Ok(answer),
                Exchange::Unanswered(cause) => return Err(RequestError::Unknown(cause)),
                Exchange::Returned(untouched) => request = untouched,
            }
        }
        let opened = time::timeout_at(deadline, self.connect()).await;
        let connection = opened.map_err(|_| RequestError::NotSent("no connection in time".into()))??;
        match self.exchange(connection, request, deadline).await {
            Exchange::Answered(answer) => Ok(answer),
            Exchange::Unanswered(cause) => Err(RequestError::Unknown(cause)),
            Exchange::Returned(_) => Err(RequestError::NotSent("the connection was closed at once".into())),
        }
    }

    async fn exchange(&self, mut connection: Connection, request: Box<Outgoing>, deadline: Instant) -> Exchange {
        let late = || Exchange::Unanswered("no answer in time".into());
        let sent = time::timeout_at(deadline, connection.sender.try_send_request(*request));
        let response = match sent.await {
            Err(_late) => return late(),
            Ok(Err(mut failed)) => match failed.take_message() {
                Some(request) => return Exchange::Returned(Box::new(request)),
                None => return Exchange::Unanswered(failed.error().to_string()),
            },
            Ok(Ok(response)) => response,
        };
        let status = response.status();
        match time::timeout_at(deadline, Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect()).await {
            Err(_late) => late(),
            Ok(Err(error)) => Exchange::Unanswered(error.to_string()),
            Ok(Ok(body)) => {
                self.keep(connection);
                Exchange::Answered(Answer { status, body: body.to_bytes() })
            }
        }
    }

    async fn connect(&self) -> Result<Connection, RequestError> {
        let stream = (self.open)().await.map_err(not_sent)?;
        let (sender, driver) = handshake(TokioIo::new(stream)).await.map_err(not_sent)?;
        // Its error comes back through the sender as well.
        let driver = tokio::spawn(async move { drop(driver.await) });
        Ok(Connection { sender, driver })
    }

    fn take_idle(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|connection| !connection.sender.is_closed());
        idle.pop()
    }

    fn keep(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_CONNECTIONS_MAX && !connection.sender.is_closed() {
            idle.push(connection);
        }
    }
}

fn not_sent(error: impl Display) -> RequestError {
    RequestError::NotSent(error.to_string())
}

/// An open connection and the task that drives it, which ends with it.
struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}
