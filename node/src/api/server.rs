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
use std::{collections::BTreeMap, net::IpAddr, pin::pin, sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time,
};
use tokio_util::sync::CancellationToken;

/// Time that requests under way have to be answered once the node stops; then their connections are cut.
pub const GRACE_MAX: Duration = Duration::from_secs(3);

/// Time that a connection may take to send the head of its next request; it is closed then, so an idle one is too.
pub const IDLE_MAX: Duration = Duration::from_secs(30);

/// Header lines of a request, at most.
pub const HEADERS_MAX: usize = 64;

/// Bytes of a request's head, at most; also of what is read ahead of its handler.
pub const HEADER_BYTES_MAX: usize = 16 * 1024;

/// Connections of one client, by its address. A reverse proxy keeps fewer; one that sends slowly holds no more.
pub const CONNECTIONS_PER_CLIENT_MAX: usize = 64;

/// Serves the API until `stop` is cancelled. Then takes no new connection, answers what is under way, and after [`GRACE_MAX`]
/// cuts what is left.
///
/// # Errors
/// None of its own: a connection that fails concerns its client alone.
pub(crate) async fn serve(view: NodeView, mut listener: HttpListener, stop: CancellationToken) -> Result<(), Failure> {
    let metrics = view.metrics.clone();
    let router = router(view);
    let mut connections = JoinSet::new();
    let mut clients = Clients::default();
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(_ended) = connections.join_next() => {}
            (io, peer) = listener.accept() => match clients.place(peer.ip()) {
                Some(place) => {
                    let connection = connection(io, router.clone(), stop.clone());
                    connections.spawn(async move {
                        connection.await;
                        drop(place);
                    });
                }
                None => {
                    metrics.http_connections_refused.inc();
                }
            }
        }
        metrics.load.http_connections.show(connections.len());
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if time::timeout(GRACE_MAX, drained).await.is_err() {
        tracing::warn!(connections = connections.len(), "http.connections_cut");
    }
    Ok(())
}

/// The places of each client that has a connection.
#[derive(Default)]
struct Clients(BTreeMap<IpAddr, Arc<Semaphore>>);

impl Clients {
    /// A place for one more connection of a client; none when it has too many.
    fn place(&mut self, client: IpAddr) -> Option<OwnedSemaphorePermit> {
        self.0.retain(|_, places| places.available_permits() < CONNECTIONS_PER_CLIENT_MAX);
        let places = self.0.entry(client).or_insert_with(|| Arc::new(Semaphore::new(CONNECTIONS_PER_CLIENT_MAX)));
        places.clone().try_acquire_owned().ok()
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_so_many_connections_and_no_more() {
        let (mut clients, one, other) = (Clients::default(), IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let mut places: Vec<_> = (0..100).filter_map(|_| clients.place(one)).collect();
        assert_eq!(places.len(), CONNECTIONS_PER_CLIENT_MAX);
        assert!(clients.place(other).is_some(), "others are not affected");
        places.pop();
        places.extend(clients.place(one));
        assert_eq!(places.len(), CONNECTIONS_PER_CLIENT_MAX, "one has ended, and one came");
        assert!(clients.place(one).is_none());
        drop(places);
        let _place = clients.place(other);
        assert_eq!(clients.0.len(), 1, "nothing is kept of who is gone");
    }
}
