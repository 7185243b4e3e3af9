//! What the client says of requests that go wrong, against scripted servers.

use super::*;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

const SECOND: Duration = Duration::from_secs(1);
const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

/// A client whose connections are served by `serve`, which is told the connection's number; and how many were opened.
fn client<F>(serve: impl Fn(usize, DuplexStream) -> F + Send + Sync + 'static) -> (Client, Arc<AtomicUsize>)
where
    F: Future<Output = ()> + Send + 'static,
{
    let opened = Arc::new(AtomicUsize::new(0));
    let counter = opened.clone();
    let connect = move || {
        let (ours, theirs) = duplex(1024);
        tokio::spawn(serve(counter.fetch_add(1, Ordering::Relaxed), theirs));
        async { Ok(ours) }
    };
    (Client::new("node:8000", connect), opened)
}

/// Reads one request's head.
async fn read_head(pipe: &mut DuplexStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match pipe.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_closed) => break,
        }
    }
    String::from_utf8(head).expect("a head is text")
}

async fn get(client: &Client) -> Result<Answer, RequestError> {
    client.request(Method::GET, "/chain/head", None, SECOND).await
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_used_again() {
    let (client, opened) = client(|_, mut pipe| async move {
        while !read_head(&mut pipe).await.is_empty() {
            pipe.write_all(OK.as_bytes()).await.expect("the client listens");
        }
    });
    for _ in 0..3 {
        assert_eq!(get(&client).await.expect("it is answered").body, "{}");
    }
    assert_eq!(opened.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_kept_connection_that_was_closed_is_replaced() {
    let (client, opened) = client(|_, mut pipe| async move {
        read_head(&mut pipe).await;
        pipe.write_all(OK.as_bytes()).await.expect("the client listens");
    });
    for _ in 0..3 {
        assert_eq!(get(&client).await.expect("it is answered").body, "{}");
    }
    assert_eq!(opened.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn without_a_connection_nothing_was_sent() {
    let refused =
        Client::new("node:8000", || async { Err::<DuplexStream, _>(io::ErrorKind::ConnectionRefused.into()) });
    assert_eq!(get(&refused).await.expect_err("it is refused").to_string(), "not sent: connection refused");
    let silent = Client::new("node:8000", std::future::pending::<io::Result<DuplexStream>>);
    assert_eq!(get(&silent).await.expect_err("it hangs").to_string(), "not sent: no connection in time");
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_and_not_answered_is_unknown() {
    type Serve = fn(DuplexStream) -> BoxFuture<'static, ()>;
    let cases: [(&str, Serve); 4] = [
        ("no answer in time", |pipe| {
            Box::pin(async move {
                let _open = pipe;
                std::future::pending().await
            })
        }),
        ("connection closed before message completed", |mut pipe| {
            Box::pin(async move {
                read_head(&mut pipe).await;
            })
        }),
        ("no answer in time", |mut pipe| {
            Box::pin(async move {
                read_head(&mut pipe).await;
                pipe.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhal").await.expect("the client listens");
                std::future::pending().await
            })
        }),
        ("length limit exceeded", |mut pipe| {
            Box::pin(async move {
                read_head(&mut pipe).await;
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", ANSWER_BYTES_MAX + 1);
                pipe.write_all(head.as_bytes()).await.expect("the client listens");
                // The client hangs up once it has had enough.
                let _hung_up = pipe.write_all(&vec![b' '; ANSWER_BYTES_MAX + 1]).await;
            })
        }),
    ];
    for (cause, serve) in cases {
        let (client, _) = client(move |_, pipe| serve(pipe));
        match get(&client).await {
            Err(RequestError::Unknown(got)) => assert_eq!(got, cause),
            other => panic!("{cause}: {other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn errors_of_the_node_are_told_apart() {
    let cases = [
        ("503 Service Unavailable", r#"{"error":{"code":"busy","message":"later"}}"#, "503: later (busy)"),
        ("502 Bad Gateway", "<html>", "outcome unknown: 502: <html> ()"),
        ("504 Gateway Timeout", r#"{"error":{"code":"timeout","message":"m"}}"#, "outcome unknown: 504: m (timeout)"),
        ("200 OK", "{}", "the answer is not understood: missing field `height` at line 1 column 2"),
    ];
    for (status, body, expected) in cases {
        let (client, _) = client(move |_, mut pipe| async move {
            read_head(&mut pipe).await;
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            pipe.write_all(answer.as_bytes()).await.expect("the client listens");
        });
        assert_eq!(client.head(SECOND).await.expect_err(status).to_string(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn the_request_names_the_node_it_is_for() {
    let (client, _) = client(|_, mut pipe| async move {
        let head = read_head(&mut pipe).await;
        assert_eq!(head, "GET /chain/head HTTP/1.1\r\nhost: node:8000\r\n\r\n");
        pipe.write_all(OK.as_bytes()).await.expect("the client listens");
    });
    get(&client).await.expect("the head is right");
}
