//! Whether the node is alive, ready and well. Reads only: to be asked is without effect.
//!
//! | route | 200 | 503 |
//! |---|---|---|
//! | `/health/live` | its tasks run | the chain task is gone: start it again |
//! | `/health/ready` | synced, and the storage reads and writes | send clients elsewhere |
//! | `/health` | it serves; `degraded` says what is amiss | it cannot read its chain, or rebuilds it |

use super::model::{Check, Health, HealthStatus};
use crate::{NodeView, Pressure, Snapshot, StorageState, StorageStatus, chain::Reverted, used_percent};
use axum::{Json, extract::State, http::StatusCode};
use std::collections::BTreeMap;

use HealthStatus::{Degraded, Ok as Fine, Unavailable};

type Answer = (StatusCode, Json<Health>);

/// Everything that is checked, and 503 only when the node cannot serve.
#[utoipa::path(
    get, path = "/health", tag = "health",
    responses(
        (status = 200, description = "It serves: `ok` or `degraded`", body = Health),
        (status = 503, description = "It does not", body = Health),
    )
)]
pub(super) async fn health(State(view): State<NodeView>) -> Answer {
    let snapshot = *view.snapshot.borrow();
    answer([
        ("tasks", tasks(&view)),
        ("storage", storage(&view, &snapshot).await),
        ("disk", disk(&snapshot)),
        ("sync", sync(&snapshot)),
        ("finality", finality(&snapshot)),
        ("peers", peers(&view, &snapshot)),
        ("backup", backup(&view)),
    ])
}

/// Whether the node's tasks run; when not, only a restart helps.
#[utoipa::path(
    get, path = "/health/live", tag = "health",
    responses((status = 200, body = Health), (status = 503, body = Health))
)]
pub(super) async fn live(State(view): State<NodeView>) -> Answer {
    answer([("tasks", tasks(&view))])
}

/// Whether clients should be sent here: the node is synced and takes transactions.
#[utoipa::path(
    get, path = "/health/ready", tag = "health",
    responses((status = 200, body = Health), (status = 503, body = Health))
)]
pub(super) async fn ready(State(view): State<NodeView>) -> Answer {
    let snapshot = *view.snapshot.borrow();
    let checks = [("tasks", tasks(&view)), ("storage", storage(&view, &snapshot).await), ("sync", sync(&snapshot))];
    answer(checks.map(|(name, check)| match check.status {
        Degraded => (name, Check { status: Unavailable, ..check }),
        Fine | Unavailable => (name, check),
    }))
}

fn answer<const N: usize>(checks: [(&str, Check); N]) -> Answer {
    let checks: BTreeMap<_, _> = checks.into_iter().map(|(name, check)| (name.to_owned(), check)).collect();
    let status = checks.values().map(|check| check.status).max().unwrap_or(Fine);
    let code = if status == Unavailable { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    (code, Json(Health { status, checks }))
}

fn check(status: HealthStatus, detail: impl Into<String>) -> Check {
    Check { status, detail: detail.into() }
}

fn tasks(view: &NodeView) -> Check {
    // The chain task holds the other end for as long as it runs.
    match view.snapshot.has_changed() {
        Ok(_) => check(Fine, "running"),
        Err(_) => check(Unavailable, "the chain task has ended"),
    }
}

async fn storage(view: &NodeView, snapshot: &Snapshot) -> Check {
    let height = snapshot.head.height;
    match snapshot.storage.state {
        StorageState::Failing => {
            check(Unavailable, "it failed and is closed; it is opened again as soon as the disk lets it")
        }
        StorageState::Rebuilding => check(Unavailable, format!("it was damaged and is rebuilt, at height {height}")),
        StorageState::Stranded => {
            check(Unavailable, format!("it was damaged, is rebuilt up to height {height}, and no peer has the rest"))
        }
        state @ (StorageState::Open | StorageState::Full) => {
            match super::read::read(view, |_, head| Ok(head.height)).await {
                Err(error) => check(Unavailable, format!("cannot be read: {error}")),
                Ok(_) if state == StorageState::Full => {
                    check(Degraded, "no space is left: it takes no writes, and what is stored can be read")
                }
                Ok(height) => check(Fine, format!("reads and writes, at height {height}")),
            }
        }
    }
}

fn disk(snapshot: &Snapshot) -> Check {
    let StorageStatus { space, pressure, kept, slow, .. } = snapshot.storage;
    if slow {
        return check(Degraded, "slow: commits take longer than they should");
    }
    if space.total == 0 {
        return check(Fine, "the system does not tell its size");
    }
    let used = format!("{} % used, {} MiB free", used_percent(space), space.free >> 20);
    match (pressure, kept) {
        (Pressure::Critical, _) => check(Degraded, format!("critical: {used}")),
        (Pressure::Warning, _) => check(Degraded, format!("warning: {used}")),
        (Pressure::Normal, 0) => check(Fine, used),
        (Pressure::Normal, kept) => check(Fine, format!("{used}, {kept} kept beside the database")),
    }
}

fn sync(snapshot: &Snapshot) -> Check {
    let height = snapshot.head.height;
    match snapshot.best_peer_height {
        Some(best) if !snapshot.is_synced() => check(Degraded, format!("at height {height}, and a peer is at {best}")),
        Some(_) => check(Fine, format!("at height {height}, and no peer is further")),
        None if snapshot.awaits_peers => check(Degraded, format!("at height {height}, and no peer was heard yet")),
        None => check(Fine, format!("at height {height}, and no peer has told its own")),
    }
}

fn finality(snapshot: &Snapshot) -> Check {
    let count = snapshot.reversals.confirmed_reverted;
    match snapshot.reversals.recent {
        Some(Reverted { fork, confirmed }) => check(
            Degraded,
            format!("heights {} to {confirmed} were confirmed, and another branch took their place", fork.next()),
        ),
        None if count > 0 => check(Fine, format!("{count} confirmed blocks were taken back, none of them lately")),
        None => check(Fine, "nothing that was confirmed was taken back"),
    }
}

fn peers(view: &NodeView, snapshot: &Snapshot) -> Check {
    match snapshot.peers {
        0 if view.identity.bootstrap_peers == 0 => check(Fine, "none connected, and none to connect to"),
        0 => check(Degraded, "none connected"),
        count => check(Fine, format!("{count} connected")),
    }
}

fn backup(view: &NodeView) -> Check {
    let (status, interval) = (view.backups.status(), view.backups.interval());
    let (started, now) = (view.identity.started, view.clock.now());
    let age = status.age(started, now).as_secs();
    let newest = match &status.newest {
        Some(backup) => format!("the newest is of height {}, {age} s ago", backup.height),
        None => "there is none".to_owned(),
    };
    match status.last_error() {
        Some(error) => check(Degraded, format!("the last one failed: {error}")),
        None if status.is_late(interval, started, now) => {
            let interval = interval.unwrap_or_default().as_secs();
            check(Degraded, format!("{newest}, and one is due every {interval} s; see the node's log"))
        }
        None => check(Fine, newest),
    }
}
