//! `run` and `health`: start, signals, kill, ports.

use super::support::{Folder, Running, SOON, taken_port};
use std::{io::Write, net::TcpStream, time::Duration};

/// The events of its life as a whole, without those of threads that may end some work at any moment, such as the
/// storage's audit.
fn of_the_node(events: &[String]) -> Vec<&str> {
    events.iter().map(String::as_str).filter(|event| event.starts_with("node.")).collect()
}

#[test]
fn a_node_runs_until_sigterm_and_says_how_it_is() {
    let folder = Folder::new();
    folder.init("home");
    let node = folder.start("home");
    node.wait_for_height(3);
    let url = format!("--url http://{}", node.api);
    for question in ["", "--live", "--ready"] {
        let said = folder.say(&format!("health {url} {question}"));
        assert_eq!((said.status, said.err.as_str()), (Some(0), ""), "{question} {}", said.out);
    }
    node.signal("TERM");
    let (status, events, took) = node.end();
    assert_eq!(status, Some(0));
    let events = of_the_node(&events);
    assert_eq!(events[events.len() - 2..], ["node.stopping", "node.stopped"]);
    assert!(took < Duration::from_secs(5), "{took:?}");
}

/// A request whose body has begun and does not go on, so that its handler waits.
const HALF_A_TRANSACTION: &str =
    "POST /submit-tx HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{";

/// A client that is connected, and has sent these bytes and no more.
fn client_that_sent(node: &Running, bytes: &str) -> TcpStream {
    let mut stream = TcpStream::connect(node.api).expect("it listens");
    stream.write_all(bytes.as_bytes()).expect("it reads");
    // The answer to a later connection shows that this one was accepted.
    assert_eq!(node.get("/health/live").0, 200);
    stream
}

#[test]
fn no_client_holds_up_the_stop() {
    for sent in ["", "GET /chain/head HTTP/1.1\r\n", HALF_A_TRANSACTION] {
        let folder = Folder::new();
        folder.init("home");
        let node = folder.start("home");
        let _client = client_that_sent(&node, sent);
        node.signal("INT");
        let (status, _, took) = node.end();
        assert_eq!(status, Some(0), "{sent:?}");
        assert!(took < Duration::from_secs(5), "{sent:?} {took:?}");
    }
}

#[test]
fn a_second_signal_ends_a_stop_that_takes_its_time() {
    let folder = Folder::new();
    folder.init("home");
    let mut node = folder.start("home");
    let _client = client_that_sent(&node, HALF_A_TRANSACTION);
    node.signal("TERM");
    node.wait_for_event("node.stopping");
    node.signal("TERM");
    let (status, events, took) = node.end();
    assert_eq!(status, Some(1), "{events:?}");
    assert_eq!(of_the_node(&events).last(), Some(&"node.stop_forced"));
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn nobody_there_is_status_3_and_nonsense_is_2() {
    let folder = Folder::new();
    let (listener, port) = taken_port();
    drop(listener);
    let said = folder.say(&format!("health --url http://127.0.0.1:{port}"));
    assert_eq!(said.status, Some(3), "{}", said.err);
    assert!(said.err.starts_with(&format!("assay-node: no answer from 127.0.0.1:{port}: ")), "{}", said.err);
    assert_eq!(folder.say("health --url nonsense").status, Some(2));
    assert_eq!(folder.say("health").status, Some(2));
}

#[test]
fn a_port_in_use_is_told_before_anything_is_written() {
    let folder = Folder::new();
    folder.init("home");
    let (_listener, port) = taken_port();
    let said = folder.say(&format!("run --home home --api-listen 127.0.0.1:{port}"));
    let expected = format!(
        "assay-node: api.listen = 127.0.0.1:{port} is in use by another process; stop that one or set another address\n"
    );
    assert_eq!((said.status, said.err, folder.path("home/db").exists()), (Some(1), expected, false));
    let said = folder.say(&format!("run --home home --api-listen 127.0.0.1:0 --p2p-listen /ip4/127.0.0.1/tcp/{port}"));
    let expected = format!(
        "assay-node: p2p.listen = 127.0.0.1:{port} is in use by another process; stop that one or set another address\n"
    );
    assert_eq!((said.status, said.err, folder.path("home/db").exists()), (Some(1), expected, false));
}

#[test]
fn kill_9_loses_no_block() {
    let folder = Folder::new();
    folder.init("home");
    let node = folder.start("home");
    node.wait_for_height(5);
    let head = node.get("/chain/head").1;
    node.kill();
    let node = folder.start("home");
    let (height, hash) = (&head["height"], &head["hash"]);
    let (status, block) = node.get(&format!("/block/{height}"));
    assert_eq!((status, &block["hash"]), (200, hash), "the block at the head before the kill");
    assert!(node.wait_for_height(height.as_u64().expect("a head has a height") + 1) > 5, "it goes on within {SOON:?}");
}
