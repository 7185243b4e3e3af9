//! A cluster of production nodes in a world: one host a node, each started through the node's own constructor.
//!
//! Nothing here reaches into a node: it fills the five seams with simulated parts and keeps the handle that
//! `Node::start` gives, as the native driver does.

mod host;
mod seams;
mod spec;

pub use host::{NodeHost, Seen};
pub use spec::{API_PORT, P2P_PORT, Spec};

use crate::{HostId, World};
use assay_node::{NodeView, Snapshot};
use std::{collections::BTreeMap, time::Duration};

/// Whether a host's main ended because it was asked to.
pub(crate) fn stopped_in_order(exit: &str) -> bool {
    exit == host::STOPPED
}

/// The nodes of a run, in order: `n0`, `n1`, ...
pub struct Cluster {
    nodes: Vec<NodeHost>,
}

impl Cluster {
    /// Adds a host for each node of `spec` to `world`; none is started.
    pub fn new(world: &mut World, spec: &Spec) -> Self {
        let hosts: Vec<HostId> = (0..spec.nodes).map(|n| world.add_host(&format!("n{n}"))).collect();
        let addresses: Vec<_> = hosts.iter().map(|host| world.address(*host)).collect();
        let nodes = hosts.iter().enumerate().map(|(n, host)| NodeHost::new(*host, spec.node(n, &addresses))).collect();
        Self { nodes }
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The host of a node.
    pub fn host(&self, node: usize) -> HostId {
        self.nodes[node].host()
    }

    /// The nodes by their hosts.
    pub fn by_host(&self) -> BTreeMap<HostId, usize> {
        self.nodes.iter().enumerate().map(|(n, node)| (node.host(), n)).collect()
    }

    /// Starts a node that is down.
    pub fn boot(&mut self, world: &mut World, node: usize) {
        self.nodes[node].boot(world);
    }

    /// Ends a node's process; its disk keeps what was written.
    pub fn kill(&mut self, world: &mut World, node: usize) {
        self.nodes[node].forget();
        world.kill(self.host(node));
    }

    /// Cuts a node's power; what was not synced is lost.
    pub fn power_cut(&mut self, world: &mut World, node: usize) {
        // The harness lets go of the store first, so that the host's own tasks hold it when the disk is fenced.
        self.nodes[node].forget();
        world.power_cut(self.host(node));
    }

    /// Asks a node to stop in order, as SIGTERM does.
    pub fn ask_to_stop(&mut self, node: usize) {
        self.nodes[node].ask_to_stop();
    }

    /// The handle of a node that has started.
    pub fn view(&self, node: usize) -> Option<NodeView> {
        self.nodes[node].view()
    }

    /// What a node shows of its chain, when it runs.
    pub fn snapshot(&self, node: usize) -> Option<Snapshot> {
        self.view(node).map(|view| *view.snapshot.borrow())
    }

    /// How often a node was started.
    pub fn starts(&self, node: usize) -> u64 {
        self.nodes[node].starts()
    }

    /// What the nodes' chains did since the last call, in order of time and then of nodes.
    pub fn take_seen(&mut self) -> Vec<(Duration, usize, Seen)> {
        let mut all: Vec<_> = (0..self.nodes.len())
            .flat_map(|n| self.nodes[n].take_seen().into_iter().map(move |(at, seen)| (at, n, seen)))
            .collect();
        all.sort_by_key(|(at, node, _)| (*at, *node));
        all
    }
}
