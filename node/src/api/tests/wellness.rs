//! What is amiss is named, and each route draws its own line.

use super::host::{Host, Mining};
use crate::{
    Identity, NodeView, Snapshot,
    api::{health, model::HealthStatus},
    types::Height,
};
use axum::{Json, extract::State};
use std::sync::Arc;
use tokio::sync::watch;

/// Status of `/health`, `/health/live` and `/health/ready`, and what they say is amiss.
async fn asked(view: &NodeView) -> [(u16, Vec<String>); 3] {
    let answers = [
        health::health(State(view.clone())).await,
        health::live(State(view.clone())).await,
        health::ready(State(view.clone())).await,
    ];
    answers.map(|(status, Json(health))| {
        let amiss = health.checks.into_iter().filter(|(_, check)| check.status != HealthStatus::Ok);
        (status.as_u16(), amiss.map(|(name, check)| format!("{name}: {}", check.detail)).collect())
    })
}

/// A view of `host` that shows `change` made to its snapshot, and the end that keeps it alive.
fn changed(host: &Host, change: impl Fn(&mut Snapshot)) -> (NodeView, watch::Sender<Snapshot>) {
    let mut view = host.node.view().clone();
    let mut snapshot = *view.snapshot.borrow();
    snapshot.peers = 3;
    change(&mut snapshot);
    let (sender, receiver) = watch::channel(snapshot);
    view.snapshot = receiver;
    view.identity = Arc::new(Identity { bootstrap_peers: 1, ..(*view.identity).clone() });
    (view, sender)
}

fn amiss(status: u16, what: &str) -> (u16, Vec<String>) {
    (status, vec![what.to_owned()])
}

const WELL: (u16, Vec<String>) = (200, Vec::new());

#[tokio::test(start_paused = true)]
async fn a_node_with_peers_is_well() {
    let host = Host::start(Mining::Off).await;
    let (view, _alive) = changed(&host, |_| {});
    assert_eq!(asked(&view).await, [WELL, WELL, WELL]);
}

#[tokio::test(start_paused = true)]
async fn without_peers_it_is_degraded() {
    let host = Host::start(Mining::Off).await;
    let (view, _alive) = changed(&host, |snapshot| snapshot.peers = 0);
    assert_eq!(asked(&view).await, [amiss(200, "peers: none connected"), WELL, WELL]);
}

#[tokio::test(start_paused = true)]
async fn alone_by_design_it_is_well() {
    let host = Host::start(Mining::Off).await;
    assert_eq!(asked(host.node.view()).await, [WELL, WELL, WELL]);
}

#[tokio::test(start_paused = true)]
async fn before_a_peer_is_heard_it_is_degraded_and_not_ready() {
    let host = Host::start(Mining::Off).await;
    let (view, _alive) = changed(&host, |snapshot| snapshot.awaits_peers = true);
    let what = "sync: at height 0, and no peer was heard yet";
    assert_eq!(asked(&view).await, [amiss(200, what), WELL, amiss(503, what)]);
}

#[tokio::test(start_paused = true)]
async fn behind_its_peers_it_is_degraded_and_not_ready() {
    let host = Host::start(Mining::Off).await;
    let (view, _alive) = changed(&host, |snapshot| snapshot.best_peer_height = Some(Height(2)));
    assert_eq!(asked(&view).await, [WELL, WELL, WELL], "blocks are always under way");
    let (view, _alive) = changed(&host, |snapshot| snapshot.best_peer_height = Some(Height(3)));
    let behind = "sync: at height 0, and a peer is at 3";
    assert_eq!(asked(&view).await, [amiss(200, behind), WELL, amiss(503, behind)]);
}

#[tokio::test(start_paused = true)]
async fn with_storage_that_takes_no_writes_it_is_degraded_and_not_ready() {
    let host = Host::start(Mining::Off).await;
    let (view, _alive) = changed(&host, |snapshot| snapshot.writable = false);
    let full = "storage: takes no writes; what is stored can be read";
    assert_eq!(asked(&view).await, [amiss(200, full), WELL, amiss(503, full)]);
}

#[tokio::test(start_paused = true)]
async fn without_its_chain_task_it_must_be_started_again() {
    let host = Host::start(Mining::Off).await;
    let (view, gone) = changed(&host, |_| {});
    drop(gone);
    let ended = amiss(503, "tasks: the chain task has ended");
    assert_eq!(asked(&view).await, [ended.clone(), ended.clone(), ended]);
}
