//! Where log lines go: a file, its rotation, SIGHUP, and what happens when it cannot be written.

use super::support::{Folder, SOON};
use std::time::{Duration, Instant};

/// The events in a file of JSON lines; of a last line that is being written, nothing.
fn events(folder: &Folder, file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(folder.path(file)).unwrap_or_default();
    let event = |line: &str| {
        let event: serde_json::Value = serde_json::from_str(line).expect("each line is JSON");
        event["message"].as_str().unwrap_or_default().to_owned()
    };
    text.split_inclusive('\n').filter(|line| line.ends_with('\n')).map(event).collect()
}

/// Waits until `is_so`.
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < SOON, "{what}: not within {SOON:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn wait_for(folder: &Folder, file: &str, event: &str) {
    wait_until(&format!("{event} in {file}"), || events(folder, file).iter().any(|found| found == event));
}

#[test]
fn a_file_takes_all_lines_and_is_rotated_by_size() {
    let folder = Folder::new();
    folder.init("home");
    let flags = "--set log.file=node.log --log-level trace --set log.rotate_bytes=4096 --set log.keep=2";
    let node = folder.launch("home", flags);
    wait_until("two rotations", || folder.path("home/node.log.2").exists());
    node.signal("TERM");
    let (status, on_standard_error, _) = node.end();
    assert_eq!((status, on_standard_error), (Some(0), Vec::<String>::new()));
    assert!(events(&folder, "home/node.log").contains(&"node.stopped".to_owned()));
    for old in ["home/node.log.1", "home/node.log.2"] {
        assert!(!events(&folder, old).is_empty());
        let bytes = folder.read(old).len();
        assert!((1..=4096).contains(&bytes), "{old} has {bytes} bytes");
    }
    assert!(!folder.path("home/node.log.3").exists());
}

#[test]
fn sighup_opens_a_file_again_that_was_moved() {
    let folder = Folder::new();
    folder.init("home");
    let node = folder.launch("home", "--set log.file=node.log");
    wait_for(&folder, "home/node.log", "node.started");
    std::fs::rename(folder.path("home/node.log"), folder.path("moved.log")).expect("the folder is ours");
    node.signal("HUP");
    wait_for(&folder, "home/node.log", "log.reopened");
    node.signal("TERM");
    assert_eq!(node.end().0, Some(0));
    assert!(events(&folder, "moved.log").contains(&"node.started".to_owned()));
    assert_eq!(events(&folder, "home/node.log").last().map(String::as_str), Some("node.stopped"));
}

#[test]
fn sighup_without_a_file_changes_nothing() {
    let folder = Folder::new();
    folder.init("home");
    let mut node = folder.start("home");
    node.signal("HUP");
    node.wait_for_event("node.signal_ignored");
    let height = node.wait_for_height(1);
    node.wait_for_height(height + 1);
    node.signal("TERM");
    assert_eq!(node.end().0, Some(0));
}

#[test]
fn a_file_that_cannot_be_written_gives_way_to_standard_error_until_it_can() {
    let folder = Folder::new();
    folder.init("home");
    let mut node = folder.launch("home", "--set log.file=logs/node.log");
    let failed = node.wait_for_event("log.file_failed");
    assert_eq!(failed["cause"], "No such file or directory (os error 2)");
    node.wait_for_event("node.started");
    node.signal("HUP");
    node.wait_for_event("log.reopen_failed");
    std::fs::create_dir(folder.path("home/logs")).expect("the folder is ours");
    node.signal("HUP");
    wait_for(&folder, "home/logs/node.log", "log.reopened");
    // Moved first: the node could make its file again in a directory that is being emptied.
    std::fs::rename(folder.path("home/logs"), folder.path("gone")).expect("the folder is ours");
    std::fs::remove_dir_all(folder.path("gone")).expect("the folder is ours");
    node.signal("TERM");
    let (status, events, _) = node.end();
    assert_eq!(status, Some(0));
    assert!(events.contains(&"log.file_failed".to_owned()), "a directory that goes while the node runs: {events:?}");
    assert_eq!(events.last().map(String::as_str), Some("node.stopped"));
}

#[test]
fn a_full_disk_is_told_once_and_does_not_stop_the_node() {
    let folder = Folder::new();
    folder.init("home");
    let mut node = folder.launch("home", "--set log.file=/dev/full");
    let failed = node.wait_for_event("log.file_failed");
    assert_eq!(failed["cause"], "No space left on device (os error 28)");
    node.wait_for_event("node.started");
    node.signal("TERM");
    let (status, events, _) = node.end();
    assert_eq!((status, events.last().map(String::as_str)), (Some(0), Some("node.stopped")));
    assert!(!events.contains(&"log.file_failed".to_owned()), "{events:?}");
}

#[test]
fn standard_error_that_was_closed_does_not_stop_the_node() {
    let folder = Folder::new();
    folder.init("home");
    let mut node = folder.start("home");
    node.close_standard_error();
    node.signal("HUP");
    let height = node.wait_for_height(1);
    node.wait_for_height(height + 1);
    node.signal("TERM");
    assert_eq!(node.end().0, Some(0));
}

#[test]
fn the_end_of_a_node_is_told_in_the_file_too() {
    let folder = Folder::new();
    folder.init("home");
    let said = folder.say("run --home home --api-listen 192.0.2.1:1 --log-format json --set log.file=node.log");
    assert_eq!(said.status, Some(1));
    assert_eq!(events(&folder, "home/node.log"), ["node.failed"]);
}

#[test]
fn the_nodes_own_files_take_no_log_lines() {
    let folder = Folder::new();
    folder.init("home");
    let key = folder.read("home/node.key");
    let said = folder.say("run --home home --set log.file=../home/node.key");
    insta::assert_snapshot!(said.err, @"assay-node: log.file = home/../home/node.key is a file of the node itself; choose another one");
    assert_eq!((said.status, folder.read("home/node.key")), (Some(2), key));
    for own in ["config.toml", "genesis.json", "proposer.key", "db/node.log"] {
        assert_eq!(folder.say(&format!("config check --home home --set log.file={own}")).status, Some(2), "{own}");
    }
    assert_eq!(folder.say("config check --home home --set log.file=node.log").status, Some(0));
}
