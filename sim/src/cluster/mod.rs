//! A cluster of production nodes in a world: one host a node, each started through the node's own constructor.
//!
//! Nothing here reaches into a node: it fills the six seams with simulated parts and keeps the handle that
//! `Node::start` gives, as the native driver does.

mod chore;
mod files;
mod host;
mod liar;
mod seams;
mod spec;

pub use chore::{Chore, mark};
pub use host::NodeHost;
pub use liar::Told;
pub use spec::{API_PORT, BACKUPS, DATABASE, P2P_PORT, Spec, VOLUME};

use crate::{HostId, World, ordeal::Seen};
use assay_node::{NodeView, Snapshot};
use assay_scenarios::Lie;
use liar::Liars;
use std::{collections::BTreeMap, time::Duration};

/// Whether a host's main ended because it was asked to.
pub(crate) fn stopped_in_order(exit: &str) -> bool {
    exit == host::STOPPED
}

/// The nodes of a run, in order: `n0`, `n1`, ...
pub struct Cluster {
    nodes: Vec<NodeHost>,
    liars: Liars,
}

impl Cluster {
    /// Adds a host for each node of `spec` to `world`; none is started.
    pub fn new(world: &mut World, spec: &Spec) -> Self {
        let hosts: Vec<HostId> = (0..spec.nodes).map(|n| world.add_host(&format!("n{n}"))).collect();
        let addresses: Vec<_> = hosts.iter().map(|host| world.address(*host)).collect();
        let nodes = hosts.iter().enumerate().map(|(n, host)| NodeHost::new(*host, spec.node(n, &addresses))).collect();
        Self { nodes, liars: Liars::new(spec, &addresses) }
    }

    /// A liar takes the place of a running node, until `until` in virtual time.
    pub fn lie(&mut self, world: &mut World, node: usize, lie: Lie, until: Duration) {
        self.kill(world, node);
        self.liars.begin(world, self.nodes[node].host(), node, lie, until);
    }

    /// Takes a liar off the network, and tells what it did.
    pub fn end_lie(&mut self, world: &mut World, node: usize) -> Told {
        world.kill(self.host(node));
        self.liars.told(node)
    }

    /// What a node has done so far against peers that break the rules, in words; none for one that does not run.
    pub fn defence(&self, node: usize) -> Option<String> {
        self.view(node).map(|view| liar::defence(&view.metrics))
    }

    /// Whether a node has lied, or does so. It is not judged any more.
    pub fn has_lied(&self, node: usize) -> bool {
        self.liars.has_lied(node)
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
        self.boot_with(world, node, Chore::None);
    }

    /// Starts a node that is down, after its operator has done something to its data.
    pub fn boot_with(&mut self, world: &mut World, node: usize, chore: Chore) {
        self.nodes[node].boot(world, chore);
    }

    /// Ends a node's process and takes its data directory away. Backups are elsewhere and stay.
    pub fn lose_volume(&mut self, world: &mut World, node: usize) {
        self.kill(world, node);
        self.nodes[node].lose_volume();
        // It was never made if the node has not started yet.
        let _nothing_to_lose = world.disk(self.host(node)).wipe(VOLUME);
    }

    /// Whether a node that was started on the database of a newer release has refused.
    pub fn has_refused(&self, world: &World, node: usize) -> bool {
        world.exited(self.host(node)).is_some() && self.nodes[node].has_refused()
    }

    /// Asks a running node for a backup.
    pub fn begin_backup(&mut self, world: &mut World, node: usize) {
        self.nodes[node].begin_backup(world);
    }

    /// What became of the backup that a node was asked for, in words; once. None while it is made, or if its process has
    /// ended since.
    pub fn take_backup(&mut self, world: &World, node: usize) -> Option<Result<String, String>> {
        match world.is_up(self.host(node)) {
            true => self.nodes[node].take_backup(),
            false => self.nodes[node].abandon_backup().then(|| Err("the process has ended".to_owned())),
        }
    }

    /// Whether a node makes a backup.
    pub fn is_backing_up(&self, node: usize) -> bool {
        self.nodes[node].is_backing_up()
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
