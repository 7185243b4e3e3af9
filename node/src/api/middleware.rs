//! What every request passes through: a name for it, its measure, and the bounds it works within.

use super::ApiError;
use crate::{Metrics, RequestLabels};
use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::Semaphore, time};
use tracing::Instrument;

/// Bytes of a request's body, at most: four of the largest transactions in JSON.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// Requests under way at a time, those for health and metrics aside; further ones are refused at once.
pub const REQUESTS_MAX: usize = 128;

/// Time for one request.
pub const REQUEST_TIME_MAX: Duration = Duration::from_secs(10);

/// Characters of a client's own request id, at most; a longer one is replaced.
const REQUEST_ID_MAX: usize = 64;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What [`observe`] needs.
#[derive(Clone)]
pub(super) struct Observer {
    metrics: Arc<Metrics>,
    next_id: Arc<AtomicU64>,
}

impl Observer {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, next_id: Arc::default() }
    }

    /// The client's id for its request when it has a fit one, else the next of ours.
    fn request_id(&self, request: &Request) -> HeaderValue {
        let given = request.headers().get(REQUEST_ID);
        let fit = |id: &&HeaderValue| !id.is_empty() && id.len() <= REQUEST_ID_MAX && id.to_str().is_ok();
        given.filter(fit).cloned().unwrap_or_else(|| self.next_id.fetch_add(1, Ordering::Relaxed).into())
    }
}

/// Names, logs and counts a request.
pub(super) async fn observe(State(observer): State<Observer>, mut request: Request, next: Next) -> Response {
    let started = time::Instant::now();
    let id = observer.request_id(&request);
    // Labels come from closed sets, or a client could fill the memory with them.
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let method = method(request.method());
    request.headers_mut().insert(REQUEST_ID, id.clone());
    let span = tracing::debug_span!("http.request", id = id.to_str().unwrap_or_default(), method, route);
    let mut response = next.run(request).instrument(span.clone()).await;
    let (elapsed, status) = (started.elapsed(), response.status().as_u16());
    tracing::debug!(parent: &span, status, elapsed_ms = elapsed.as_millis() as u64, "http.answered");
    observer.metrics.latency.observe(elapsed.as_secs_f64());
    let labels = RequestLabels { route, method: method.to_owned(), status };
    observer.metrics.requests.get_or_create(&labels).inc();
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// The places for requests under way.
#[derive(Clone)]
pub(super) struct Places(Arc<Semaphore>);

impl Default for Places {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(REQUESTS_MAX)))
    }
}

/// Refuses a request when there is no place for it.
pub(super) async fn bound_places(State(places): State<Places>, request: Request, next: Next) -> Response {
    match places.0.try_acquire() {
        Ok(_place) => next.run(request).await,
        Err(_none_free) => ApiError::Busy.into_response(),
    }
}

/// Gives up on a request when its time is over.
pub(super) async fn bound_time(request: Request, next: Next) -> Response {
    let answered = time::timeout(REQUEST_TIME_MAX, next.run(request)).await;
    answered.unwrap_or_else(|_late| ApiError::Timeout.into_response())
}
