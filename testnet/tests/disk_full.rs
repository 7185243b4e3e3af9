//! A real disk that is full, under a node that is under load: it says so, serves what it has, and goes on when there is
//! space again.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a live test fills a real file system")]

mod common;

use assay_node::{
    api::{Client, client::ClientError},
    types::Height,
};
use assay_testnet::Processes;
use common::{ASK_MAX, SOON, check, cluster, is_included, metric, payment};
use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

const CHAIN: &str = "disk-full";
const BLOCK_INTERVAL_MS: u64 = 300;
/// The disk: room for a database of minutes, and little enough to fill at once.
const DISK: &str = "24m";
/// From space to a node that writes again.
const RESUMES_WITHIN: Duration = Duration::from_secs(10);

/// The programs that give a process a mount of its own: as root, or as anybody where the system lets users have namespaces.
fn mounts() -> Option<Vec<&'static str>> {
    let ways: [&[&str]; 2] = [&["unshare", "--mount"], &["unshare", "--mount", "--map-root-user"]];
    let works = |way: &&&[&str]| {
        let script = ["sh", "-c", "mount -t tmpfs -o size=1m tmpfs /mnt"];
        let tried = Command::new(way[0]).args(&way[1..]).args(script).output();
        tried.is_ok_and(|output| output.status.success())
    };
    ways.iter().find(works).map(|way| way.to_vec())
}

/// Fills the disk to the last byte.
fn fill(path: &Path) {
    let mut file = File::create(path).expect("the directory is there");
    for size in [64 << 10, 1] {
        let zeros = vec![0; size];
        while file.write_all(&zeros).is_ok() {}
    }
    let last = file.write(&[0]).expect_err("no byte more fits");
    assert_eq!(last.kind(), io::ErrorKind::StorageFull);
}

/// Where the node's own mount is seen from outside.
fn inside(nodes: &mut Processes, n: usize, path: &Path) -> PathBuf {
    let id = nodes.process(n).expect("it runs").id();
    PathBuf::from(format!("/proc/{id}/root{}", path.display()))
}

async fn says_full(client: &Client) -> Result<Option<()>, ClientError> {
    Ok(check(client, "storage").await?.starts_with("no space is left").then_some(()))
}

#[tokio::test]
async fn a_full_disk_stops_writes_and_nothing_else() {
    let Some(mounts) = mounts() else {
        eprintln!("skipped: this system lets its user mount nothing, so there is no disk to fill");
        return;
    };
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let mut nodes = cluster(folder.path(), CHAIN, 2, BLOCK_INTERVAL_MS);
    let volume = nodes.home(1).join("volume");
    std::fs::create_dir(&volume).expect("the home is ours");
    nodes.configure(1, |config| config.storage.path = "volume/db".into()).expect("it was just written");
    let script = format!("mount -t tmpfs -o size={DISK} tmpfs {} && exec \"$0\" \"$@\"", volume.display());
    nodes.start_through(1, &[mounts.as_slice(), &["sh", "-c", &script]].concat());
    nodes.start_all().expect("the programs run");
    nodes.wait_all_ready(SOON).await.unwrap_or_else(|error| panic!("{error}"));

    // Under load, the disk fills up.
    let mut nonce = 0;
    for _ in 0..50 {
        nodes.client(1).submit(&payment(CHAIN, nonce), ASK_MAX).await.expect("it is valid");
        nonce += 1;
    }
    let acknowledged: Vec<_> = (0..nonce).map(|nonce| payment(CHAIN, nonce).id()).collect();
    let filler = inside(&mut nodes, 1, &volume.join("filler"));
    fill(&filler);
    nodes.wait(1, "it says that its disk is full", SOON, says_full).await.unwrap_or_else(|error| panic!("{error}"));

    // It refuses what it would have to write, and serves what it has.
    let refusal = nodes.client(1).submit(&payment(CHAIN, nonce), ASK_MAX).await.expect_err("there is no space");
    let ClientError::Refused { status, code, .. } = refusal else { panic!("{refusal}") };
    assert_eq!((status, code.as_str()), (507, "storage_full"));
    assert_eq!(metric(nodes.client(1), "assay_storage_writable").await.expect("it serves"), 0.0);
    let head = nodes.client(1).head(ASK_MAX).await.expect("it serves its chain");
    common::block_at(nodes.client(1), head.height).await.expect("it serves its blocks");
    let ahead = head.height.0 + 5;
    let goes_on = async |client: &Client| Ok((client.head(ASK_MAX).await?.height >= Height(ahead)).then_some(()));
    nodes.wait(0, "the other node goes on", SOON, goes_on).await.unwrap_or_else(|error| panic!("{error}"));
    let stopped = nodes.client(1).head(ASK_MAX).await.expect("it serves its chain");
    assert_eq!(stopped.height, head.height, "it takes in no block");

    // With space it goes on by itself, and has lost nothing that it had taken in.
    std::fs::remove_file(&filler).expect("it is there");
    let is_writable =
        async |client: &Client| Ok((metric(client, "assay_storage_writable").await? == 1.0).then_some(()));
    let resumed = nodes.wait(1, "it writes again", RESUMES_WITHIN, is_writable).await;
    resumed.unwrap_or_else(|error| panic!("{error}"));
    let has_all = async |client: &Client| {
        for id in &acknowledged {
            if !is_included(client, *id).await? {
                return Ok(None);
            }
        }
        Ok(Some(()))
    };
    nodes
        .wait(1, "all acknowledged payments are included", SOON, has_all)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let caught_up = async |client: &Client| Ok((client.head(ASK_MAX).await?.height >= Height(ahead)).then_some(()));
    nodes.wait(1, "it caught up", SOON, caught_up).await.unwrap_or_else(|error| panic!("{error}"));
    nodes.client(1).submit(&payment(CHAIN, nonce), ASK_MAX).await.expect("there is space");
    assert_eq!(metric(nodes.client(1), "assay_storage_full_total").await.expect("it serves"), 1.0);

    // A full disk keeps nobody from stopping in order.
    fill(&filler);
    nodes.wait(1, "it says that its disk is full", SOON, says_full).await.unwrap_or_else(|error| panic!("{error}"));
    let status = nodes.stop(1).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(status.code(), Some(0));
}
