//! A byte of a table that changes while a node is stopped: found after the start, and healed from peers.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a live test damages a real file")]

mod common;

use assay_node::{
    api::{Client, client::ClientError},
    types::Height,
};
use common::{ASK_MAX, SOON, block_at, cluster, metric, payment};
use std::{
    fs::OpenOptions,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

const CHAIN: &str = "bit-rot";
const BLOCK_INTERVAL_MS: u64 = 200;
/// The least, so that there are tables soon.
const FLUSH_BYTES: u64 = 64 << 10;

/// The largest table in a database.
fn table(database: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(database).expect("it is there").map(|entry| entry.expect("it is there").path());
    let tables = entries.filter(|path| path.extension().is_some_and(|end| end == "sst"));
    tables.max_by_key(|path| std::fs::metadata(path).map_or(0, |metadata| metadata.len()))
}

/// Flips a byte in the middle of a file.
fn damage(path: &Path) {
    let file = OpenOptions::new().read(true).write(true).open(path).expect("it is ours");
    let middle = file.metadata().expect("it is open").len() / 2;
    let mut byte = [0];
    file.read_exact_at(&mut byte, middle).expect("it is within the file");
    file.write_all_at(&[!byte[0]], middle).expect("it is ours");
}

#[tokio::test]
async fn a_damaged_table_is_found_and_healed_from_peers() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let mut nodes = cluster(folder.path(), CHAIN, 3, BLOCK_INTERVAL_MS);
    nodes.configure(2, |config| config.storage.flush_bytes = FLUSH_BYTES).expect("it was just written");
    nodes.start_all().expect("the program runs");
    nodes.wait_all_ready(SOON).await.unwrap_or_else(|error| panic!("{error}"));
    let database = nodes.home(2).join("db");
    let mut nonce = 0;
    while table(&database).is_none() {
        for _ in 0..20 {
            nodes.client(0).submit(&payment(CHAIN, nonce), ASK_MAX).await.expect("it is valid");
            nonce += 1;
        }
        let height = nodes.client(2).head(ASK_MAX).await.expect("it runs").height.next();
        let next = async |client: &Client| Ok((client.head(ASK_MAX).await?.height >= height).then_some(()));
        nodes.wait(2, "one more block", SOON, next).await.unwrap_or_else(|error| panic!("{error}"));
    }
    let before = nodes.client(2).head(ASK_MAX).await.expect("it runs").confirmed_height;
    let block_before = block_at(nodes.client(2), before).await.expect("it has its own blocks");
    assert_eq!(nodes.stop(2).await.unwrap_or_else(|error| panic!("{error}")).code(), Some(0));

    damage(&table(&database).expect("it was there a moment ago"));
    nodes.start(2).expect("the program runs");
    let healed = async |client: &Client| {
        let found = match metric(client, "assay_storage_damage_found_total").await {
            // It does not listen yet.
            Err(ClientError::NotSent(_)) => return Ok(None),
            found => found?,
        };
        let rebuilt = metric(client, "assay_storage_rebuilt_total").await?;
        Ok((found >= 1.0 && rebuilt >= 1.0).then_some((found, rebuilt)))
    };
    let counts = nodes.wait(2, "it finds the damage and is rebuilt", SOON, healed).await;
    assert_eq!(counts.unwrap_or_else(|error| panic!("{error}")), (1.0, 1.0));
    nodes.wait_ready(2, SOON).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(block_at(nodes.client(2), before).await.expect("it has its own blocks"), block_before);
    assert!(table(&nodes.home(2).join("db.damaged-1")).is_some(), "the damaged database is kept");

    // It is one chain with the others again.
    let Height(goal) = nodes.client(0).head(ASK_MAX).await.expect("it runs").confirmed_height;
    let has = async |client: &Client| Ok((client.head(ASK_MAX).await?.confirmed_height.0 >= goal).then_some(()));
    nodes.wait(2, "it follows", SOON, has).await.unwrap_or_else(|error| panic!("{error}"));
    let theirs = block_at(nodes.client(0), Height(goal)).await.expect("it runs");
    assert_eq!(block_at(nodes.client(2), Height(goal)).await.expect("it runs"), theirs);
}
