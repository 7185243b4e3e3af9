//! kill -9 again and again under load: what the node has told is there when it is back.

mod common;

use assay_node::{
    api::Client,
    crypto::Hash,
    types::{Height, Nonce},
};
use common::{ASK_MAX, SOON, block_at, cluster, is_included, payment, rich};
use std::collections::BTreeSet;

const CHAIN: &str = "kill-loop";
/// Fast, so that a kill finds a commit under way.
const BLOCK_INTERVAL_MS: u64 = 100;
const KILLS: usize = 50;
/// Payments between two kills.
const PAYMENTS: u64 = 8;
/// Blocks between a start and the next kill.
const BLOCKS: u64 = 3;

#[tokio::test]
async fn nothing_that_was_told_is_lost_by_fifty_kills() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    // Alone, so that no peer brings back what was lost, and no other chain is heavier.
    let mut nodes = cluster(folder.path(), CHAIN, 1, BLOCK_INTERVAL_MS);
    let mut told: Option<(Height, Hash)> = None;
    let mut included: BTreeSet<Hash> = BTreeSet::new();
    for round in 0..KILLS {
        nodes.start(0).expect("the program runs");
        nodes.wait_ready(0, SOON).await.unwrap_or_else(|error| panic!("round {round}: {error}"));
        if let Some((height, hash)) = told {
            let found =
                block_at(nodes.client(0), height).await.unwrap_or_else(|error| panic!("round {round}: {error}"));
            assert_eq!(found, hash, "round {round}: the head that was told, at height {height}");
        }
        for id in &included {
            assert!(is_included(nodes.client(0), *id).await.expect("it runs"), "round {round}: {id} was included");
        }
        // Payments that only waited are gone, as they may be; their nonces are free again.
        let balance = nodes.client(0).balance(rich().address(), ASK_MAX).await.expect("it runs");
        let Nonce(first) = balance.next_nonce;
        let sent: Vec<_> = (first..first + PAYMENTS).map(|nonce| payment(CHAIN, nonce)).collect();
        for payment in &sent {
            nodes.client(0).submit(payment, ASK_MAX).await.unwrap_or_else(|error| panic!("round {round}: {error}"));
        }
        let goal = Height(told.map_or(0, |(height, _)| height.0) + BLOCKS);
        let head = async |client: &Client| {
            let head = client.head(ASK_MAX).await?;
            Ok((head.height >= goal).then_some((head.height, head.hash)))
        };
        let head = nodes.wait(0, "some more blocks", SOON, head).await;
        told = Some(head.unwrap_or_else(|error| panic!("round {round}: {error}")));
        for payment in &sent {
            if is_included(nodes.client(0), payment.id()).await.expect("it runs") {
                included.insert(payment.id());
            }
        }
        nodes.kill(0).expect("it runs");
    }
    assert!(included.len() > KILLS, "the load was there: {} payments", included.len());
}
