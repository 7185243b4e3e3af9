//! How the nodes of a net are.

use super::{Net, process_id::Condition};
use assay_node::{
    api::{
        Client,
        model::{HealthStatus, SyncInfo},
    },
    types::{ChainId, Consensus, Height},
};
use serde::Serialize;
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use tokio::task::JoinSet;

/// How long one question may take. Whoever is slower than this is not well.
const ASK_MAX: Duration = Duration::from_secs(2);

/// The checks that make a node ready.
const READY_CHECKS: [&str; 3] = ["tasks", "storage", "sync"];

/// How a net is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Status {
    /// Its name.
    pub name: String,
    /// How its nodes agree.
    pub consensus: Consensus,
    /// The chain.
    pub chain_id: ChainId,
    /// Its folder.
    pub folder: PathBuf,
    /// Whether it is meant to run.
    pub meant_to_run: bool,
    /// Whether all nodes run and are ready.
    pub healthy: bool,
    /// Its nodes.
    pub nodes: Vec<NodeStatus>,
}

/// How a node is. What only the node knows is there when it answers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NodeStatus {
    /// Its name.
    pub name: String,
    /// How its process is.
    pub state: RunState,
    /// The number of its process.
    pub pid: Option<u32>,
    /// The height of its head.
    pub height: Option<Height>,
    /// The highest height that it has confirmed.
    pub confirmed_height: Option<Height>,
    /// How far it is behind.
    pub sync: Option<SyncInfo>,
    /// Connected peers.
    pub peers: Option<usize>,
    /// Transactions that wait there.
    pub waiting: Option<usize>,
    /// How its storage is.
    pub storage: Option<HealthStatus>,
    /// The worst of its checks.
    pub health: Option<HealthStatus>,
    /// Whether clients should be sent there.
    pub ready: bool,
    /// What is amiss: checks that are not ok, or why it does not answer.
    pub amiss: Vec<String>,
    /// Its release.
    pub version: Option<String>,
    /// Where its API is.
    pub api: String,
}

/// How a node's process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// It runs.
    Running,
    /// It is paused.
    Paused,
    /// A command ended it, or it was never started.
    Stopped,
    /// It ended by itself, or the machine did.
    Crashed,
}

impl Net {
    /// Asks all nodes at the same time. This takes a few seconds at most, and never fails: no answer is an answer.
    pub async fn status(&self) -> Status {
        let mut asked = JoinSet::new();
        for (n, node) in self.state.nodes.iter().enumerate() {
            let state = match (&node.process, self.condition(n)) {
                (_, Condition::Running) => RunState::Running,
                (_, Condition::Paused) => RunState::Paused,
                (Some(_), Condition::Gone) => RunState::Crashed,
                (None, Condition::Gone) => RunState::Stopped,
            };
            let pid = node.process.as_ref().filter(|_| state != RunState::Crashed).map(|process| process.pid);
            let blank = NodeStatus::of(node.name.clone(), state, pid, node.api);
            // One that is paused takes connections and never answers.
            let client = (state == RunState::Running).then(|| self.client(n));
            asked.spawn(async move {
                match client {
                    Some(client) => (n, blank.ask(&client).await),
                    None => (n, blank),
                }
            });
        }
        let mut nodes = Vec::new();
        while let Some(answered) = asked.join_next().await {
            nodes.push(answered.expect("nobody aborts it, and it does not panic"));
        }
        nodes.sort_by_key(|(n, _)| *n);
        let nodes: Vec<_> = nodes.into_iter().map(|(_, node)| node).collect();
        Status {
            name: self.state.name.clone(),
            consensus: self.state.consensus,
            chain_id: self.state.chain_id.clone(),
            folder: self.folder.clone(),
            meant_to_run: self.state.running,
            healthy: nodes.iter().all(|node| node.ready),
            nodes,
        }
    }
}

impl NodeStatus {
    /// Of a node that was not asked yet.
    fn of(name: String, state: RunState, pid: Option<u32>, api: SocketAddr) -> Self {
        Self {
            name,
            state,
            pid,
            height: None,
            confirmed_height: None,
            sync: None,
            peers: None,
            waiting: None,
            storage: None,
            health: None,
            ready: false,
            amiss: Vec::new(),
            version: None,
            api: format!("http://{api}"),
        }
    }

    async fn ask(mut self, client: &Client) -> Self {
        match client.info(ASK_MAX).await {
            Ok(info) => {
                self.height = Some(info.head.height);
                self.confirmed_height = Some(info.head.confirmed_height);
                self.sync = Some(info.sync);
                self.peers = Some(info.peers);
                self.waiting = Some(info.mempool);
                self.version = Some(info.version);
            }
            Err(error) => {
                self.amiss.push(format!("no answer: {error}"));
                return self;
            }
        }
        match client.health("/health", ASK_MAX).await {
            Ok((_, health)) => {
                let is_ok = |name: &str| health.checks.get(name).is_some_and(|check| check.status == HealthStatus::Ok);
                self.ready = READY_CHECKS.into_iter().all(is_ok);
                self.health = Some(health.status);
                self.storage = health.checks.get("storage").map(|check| check.status);
                let bad = health.checks.iter().filter(|(_, check)| check.status != HealthStatus::Ok);
                self.amiss = bad.map(|(name, check)| format!("{name}: {}", check.detail)).collect();
            }
            Err(error) => self.amiss.push(format!("no word about its health: {error}")),
        }
        self
    }
}
