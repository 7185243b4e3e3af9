//! What a client cannot do to the node.

use super::host::{Host, LONG, Mining};
use crate::api::{BODY_BYTES_MAX, GRACE_MAX, IDLE_MAX, REQUEST_TIME_MAX, REQUESTS_MAX};
use axum::http::Method;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Duration, Instant},
};

/// A request whose body never comes.
const UNFINISHED: &str =
    "POST /submit-tx HTTP/1.1\r\nhost: node\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";

#[tokio::test(start_paused = true)]
async fn a_large_body_is_refused() {
    let host = Host::start(Mining::Off).await;
    for (size, status) in [(BODY_BYTES_MAX, 400), (BODY_BYTES_MAX + 1, 413)] {
        let body = vec![b' '; size];
        let answer = host.client().request(Method::POST, "/submit-tx", Some(body), LONG).await.expect("it is answered");
        assert_eq!(answer.status.as_u16(), status, "{size} bytes");
    }
}

#[tokio::test(start_paused = true)]
async fn a_large_head_is_refused() {
    let host = Host::start(Mining::Off).await;
    let many = "a: b\r\n".repeat(100);
    let long = format!("a: {}\r\n", "b".repeat(64 * 1024));
    for headers in [many, long] {
        let mut pipe = host.connect().await;
        // The node may answer and close before all is written.
        let _closed =
            pipe.write_all(format!("GET /chain/head HTTP/1.1\r\nhost: node\r\n{headers}\r\n").as_bytes()).await;
        let mut answer = Vec::new();
        pipe.read_to_end(&mut answer).await.expect("the pipe closes");
        assert!(answer.starts_with(b"HTTP/1.1 431 "), "{}", String::from_utf8_lossy(&answer));
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_and_a_slow_head_are_closed() {
    let host = Host::start(Mining::Off).await;
    for sent in ["", "GET /chain/head HTTP/1.1\r\nho"] {
        let start = Instant::now();
        host.raw(sent).await;
        assert_eq!(start.elapsed(), IDLE_MAX, "{sent:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_request_is_given_up() {
    let host = Host::start(Mining::Off).await;
    let mut pipe = host.connect().await;
    pipe.write_all(UNFINISHED.as_bytes()).await.expect("the pipe is open");
    let start = Instant::now();
    let mut answer = [0; 12];
    pipe.read_exact(&mut answer).await.expect("it is answered");
    assert_eq!((&answer, start.elapsed()), (b"HTTP/1.1 504", REQUEST_TIME_MAX));
}

#[tokio::test(start_paused = true)]
async fn a_crowd_is_turned_away_and_health_still_answers() {
    let host = Host::start(Mining::Off).await;
    let mut crowd = Vec::new();
    for _ in 0..REQUESTS_MAX {
        let mut pipe = host.connect().await;
        pipe.write_all(UNFINISHED.as_bytes()).await.expect("the pipe is open");
        crowd.push(pipe);
    }
    tokio::time::sleep(Duration::from_millis(1)).await;
    let answer = host.raw("GET /chain/head HTTP/1.1\r\nhost: node\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: 1\r\n"), "{answer}");
    assert_eq!(host.get("/health/ready").await.status.as_u16(), 200);
    drop(crowd);
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(host.get("/chain/head").await.status.as_u16(), 200, "their places are free again");
}

#[tokio::test(start_paused = true)]
async fn stopping_waits_for_requests_but_not_for_ever() {
    let host = Host::start(Mining::Off).await;
    let idle = host.connect().await;
    let mut hanging = host.connect().await;
    hanging.write_all(UNFINISHED.as_bytes()).await.expect("the pipe is open");
    tokio::time::sleep(Duration::from_millis(1)).await;
    let start = Instant::now();
    host.node.stop().await.expect("it stops in order");
    assert_eq!(start.elapsed(), GRACE_MAX);
    drop((idle, hanging));
}

#[tokio::test(start_paused = true)]
async fn stopping_does_not_wait_for_idle_connections() {
    let host = Host::start(Mining::Off).await;
    let client = host.client();
    client.head(LONG).await.expect("it is answered");
    let start = Instant::now();
    host.node.stop().await.expect("it stops in order");
    assert_eq!(start.elapsed(), Duration::ZERO);
    client.head(LONG).await.expect_err("nobody listens");
}
