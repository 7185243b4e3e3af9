//! What is amiss is named, and each route draws its own line.

use super::host::{Host, Mining};
use crate::{
    Identity, NodeView, Pressure, Snapshot, StorageState,
    api::{health, model::HealthStatus},
    chain::{Reversals, Reverted},
    seams::{Clock, Space},
    types::{Height, Timestamp},
};
use axum::{Json, extract::State};
use std::{sync::Arc, time::Duration};
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
    // That of this machine is not the test's business.
    snapshot.storage.space = Space { total: 1 << 30, free: 1 << 29 };
    snapshot.storage.pressure = Pressure::Normal;
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
    let (mut view, _alive) = changed(&host, |snapshot| snapshot.peers = 0);
    view.identity = host.node.view().identity.clone();
    assert_eq!(asked(&view).await, [WELL, WELL, WELL]);
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
async fn with_confirmed_blocks_taken_back_it_is_degraded_for_a_while() {
    let host = Host::start(Mining::Off).await;
    let recent = Some(Reverted { fork: Height(7), confirmed: Height(9) });
    let (view, _alive) = changed(&host, |snapshot| {
        snapshot.reversals = Reversals { confirmed_reverted: 2, recent, forks_refused: 1 };
    });
    let lost = "finality: heights 8 to 9 were confirmed, and another branch took their place";
    assert_eq!(asked(&view).await, [amiss(200, lost), WELL, WELL]);
    let metrics = view.metrics.render(&view, &view.snapshot.borrow());
    for line in ["assay_confirmed_reverted_total 2", "assay_forks_refused_total 1"] {
        assert!(metrics.lines().any(|found| found == line), "{line} is not in\n{metrics}");
    }
    let (view, _alive) = changed(&host, |snapshot| {
        snapshot.reversals = Reversals { confirmed_reverted: 2, recent: None, forks_refused: 1 };
    });
    assert_eq!(asked(&view).await, [WELL, WELL, WELL]);
}

#[tokio::test(start_paused = true)]
async fn with_storage_that_takes_no_writes_it_is_degraded_and_not_ready() {
    let host = Host::start(Mining::Off).await;
    let (view, _alive) = changed(&host, |snapshot| snapshot.storage.state = StorageState::Full);
    let full = "storage: no space is left: it takes no writes, and what is stored can be read";
    assert_eq!(asked(&view).await, [amiss(200, full), WELL, amiss(503, full)]);
}

#[tokio::test(start_paused = true)]
async fn with_storage_that_is_closed_or_rebuilt_it_does_not_serve() {
    let host = Host::start(Mining::Off).await;
    for (state, detail) in [
        (StorageState::Failing, "it failed and is closed; it is opened again as soon as the disk lets it"),
        (StorageState::Rebuilding, "it was damaged and is rebuilt, at height 0"),
        (StorageState::Stranded, "it was damaged, is rebuilt up to height 0, and no peer has the rest"),
    ] {
        let (view, _alive) = changed(&host, |snapshot| snapshot.storage.state = state);
        let amiss = amiss(503, &format!("storage: {detail}"));
        assert_eq!(asked(&view).await, [amiss.clone(), WELL, amiss]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_fills_up_is_told_in_time() {
    let host = Host::start(Mining::Off).await;
    for (pressure, free_mib, told) in [
        (Pressure::Warning, 300, "disk: warning: 70 % used, 300 MiB free"),
        (Pressure::Critical, 100, "disk: critical: 90 % used, 100 MiB free"),
    ] {
        let (view, _alive) = changed(&host, |snapshot| {
            snapshot.storage.pressure = pressure;
            snapshot.storage.space = Space { total: 1024 << 20, free: free_mib << 20 };
        });
        assert_eq!(asked(&view).await, [amiss(200, told), WELL, WELL]);
    }
}

#[tokio::test(start_paused = true)]
async fn without_its_chain_task_it_must_be_started_again() {
    let host = Host::start(Mining::Off).await;
    let (view, gone) = changed(&host, |_| {});
    drop(gone);
    let ended = amiss(503, "tasks: the chain task has ended");
    assert_eq!(asked(&view).await, [ended.clone(), ended.clone(), ended]);
}

#[tokio::test(start_paused = true)]
async fn with_a_backup_that_is_late_it_is_degraded() {
    let host = Host::start_with(Mining::Off, |setup| setup.config.backup.interval_s = 600).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (mut view, _alive) = changed(&host, |_| {});
    assert_eq!(asked(&view).await, [WELL, WELL, WELL]);
    let made = view.backups.status().newest.expect("one was due at once").created;
    view.clock = Clock::new(move || Timestamp(made.0 + 1_200_000));
    assert_eq!(asked(&view).await, [WELL, WELL, WELL], "one may be under way");
    view.clock = Clock::new(move || Timestamp(made.0 + 1_201_000));
    let late = "backup: the newest is of height 0, 1201 s ago, and one is due every 600 s; see the node's log";
    assert_eq!(asked(&view).await, [amiss(200, late), WELL, WELL]);
}
