//! Connections: accepted, served, and wound down.

use super::router;
use crate::{
    Failure, NodeView,
    seams::{HttpIo, HttpListener},
};
use axum::{Router, serve::Listener};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{pin::pin, time::Duration};
use tokio::{task::JoinSet, time};
use tokio_util::sync::CancellationToken;

/// Time that requests under way have to be answered once the node stops; then their connections are cut.
pub const GRACE_MAX: Duration = Duration::from_secs(3);

/// Time that a connection may take to send the head of its next request; it is closed then, so an idle one is too.
pub const IDLE_MAX: Duration = Duration::from_secs(30);

/// Header lines of a request, at most.
pub const HEADERS_MAX: usize = 64;

/// Bytes of a request's head, at most; also of what is read ahead of its handler.
pub const HEADER_BYTES_MAX: usize = 16 * 1024;

/// Serves the API until `stop` is cancelled. Then takes no new connection, answers what is under way, and after [`GRACE_MAX`]
/// cuts what is left.
///
/// # Errors
/// None of its own: a connection that fails concerns its client alone.
pub(crate) async fn serve(view: NodeView, mut listener: HttpListener, stop: CancellationToken) -> Result<(), Failure> {
    let router = router(view);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(_ended) = connections.join_next() => {}
            (io, _peer) = listener.accept() => {
                connections.spawn(connection(io, router.clone(), stop.clone()));
            }
        }
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if time::timeout(GRACE_MAX, drained).await.is_err() {
        tracing::warn!(connections = connections.len(), "http.connections_cut");
    }
    Ok(())
}

async fn connection(io: HttpIo, router: Router, stop: CancellationToken) {
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(IDLE_MAX);
    server.max_headers(HEADERS_MAX).max_buf_size(HEADER_BYTES_MAX);
    // The date would come from the machine's clock and not through the clock seam.
    server.auto_date_header(false);
    let mut connection = pin!(server.serve_connection(TokioIo::new(io), TowerToHyperService::new(router)));
    let ended = tokio::select! {
        biased;
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "http.connection_failed");
    }
}
