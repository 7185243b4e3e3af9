//! The cluster at regular times: the series of the report, and how long recovery took.

use super::chains::Chains;
use crate::{World, cluster::Cluster, faults::Faults, invariants::Sample};
use assay_node::types::Height;
use assay_reports::{Recovery, Series};
use std::{collections::BTreeMap, time::Duration};

/// Points of a line, at most: more than a plot can show.
const POINTS_MAX: u32 = 400;
/// Nodes count as together when their heights differ by no more.
const APART_MAX: u64 = 1;

/// What one node showed.
#[derive(Clone, Copy, Debug)]
struct NodeSample {
    height: Height,
    confirmed: Height,
    peers: u64,
}

/// All samples of a run.
pub(super) struct Samples {
    times: Vec<Duration>,
    nodes: Vec<Vec<Option<NodeSample>>>,
    points_every: Duration,
    next_point: Duration,
    series: BTreeMap<&'static str, Vec<Vec<(f64, f64)>>>,
    /// Messages that each node had received at the last point, and when that was.
    messages: Vec<u64>,
    last_point: Duration,
    count: usize,
}

/// Name, unit and meaning of each series.
const SERIES: [(&str, &str, &str); 6] = [
    ("height", "blocks", "Height of each node's head."),
    ("confirmed_height", "blocks", "Highest confirmed height of each node."),
    ("reorg_depth", "blocks", "Blocks that a node took back, where it reorganised."),
    ("peers", "peers", "Connected peers of each node."),
    ("mempool", "transactions", "Transactions that wait on each node."),
    ("messages", "messages/s", "Blocks and transactions that each node received from peers."),
];

impl Samples {
    pub fn new(count: usize, duration: Duration) -> Self {
        let series = SERIES.iter().map(|(name, ..)| (*name, vec![Vec::new(); count])).collect();
        Self {
            times: Vec::new(),
            nodes: Vec::new(),
            points_every: (duration / POINTS_MAX).max(Duration::from_secs(1)),
            next_point: Duration::ZERO,
            series,
            messages: vec![0; count],
            last_point: Duration::ZERO,
            count,
        }
    }

    /// Takes a sample now.
    pub fn take(&mut self, world: &World, cluster: &Cluster, faults: &Faults, chains: &mut Chains) -> Sample {
        let now = world.now();
        let show = |node: usize| {
            let snapshot = cluster.snapshot(node).filter(|_| world.is_up(cluster.host(node)))?;
            let (height, confirmed) = (snapshot.head.height, snapshot.head.confirmed);
            Some(NodeSample { height, confirmed, peers: snapshot.peers as u64 })
        };
        let nodes: Vec<_> = (0..self.count).map(show).collect();
        if now >= self.next_point {
            self.next_point = now + self.points_every;
            self.points(now, &nodes, cluster, chains);
        }
        self.times.push(now);
        self.nodes.push(nodes);
        self.last(faults)
    }

    fn points(&mut self, now: Duration, nodes: &[Option<NodeSample>], cluster: &Cluster, chains: &mut Chains) {
        let (at, elapsed) = (now.as_secs_f64(), now.saturating_sub(self.last_point).as_secs_f64());
        self.last_point = now;
        for (node, sample) in nodes.iter().enumerate() {
            let depth = chains.take_recent_depth(node);
            let Some((sample, view)) = (*sample).zip(cluster.view(node)) else {
                self.messages[node] = 0;
                continue;
            };
            let received = view.metrics.messages_received.get();
            let rate = received.saturating_sub(self.messages[node]) as f64 / elapsed.max(f64::MIN_POSITIVE);
            self.messages[node] = received;
            let waiting = view.snapshot.borrow().mempool;
            let values = [
                ("height", sample.height.0 as f64),
                ("confirmed_height", sample.confirmed.0 as f64),
                ("reorg_depth", depth as f64),
                ("peers", sample.peers as f64),
                ("mempool", waiting as f64),
                ("messages", (rate * 1000.0).round() / 1000.0),
            ];
            for (name, value) in values {
                self.series.get_mut(name).expect("every name has its lines")[node].push((at, value));
            }
        }
    }

    /// The last sample, as the properties see it.
    pub fn last(&self, faults: &Faults) -> Sample {
        let nodes = self.nodes.last().map(Vec::as_slice).unwrap_or_default();
        let now = self.times.last().copied().unwrap_or_default();
        Sample {
            nodes: nodes.iter().map(|node| node.map(|node| (node.height, node.confirmed))).collect(),
            healed_for: faults.healed_at().and_then(|at| now.checked_sub(at)),
        }
    }

    /// Connected peers of each node at the end.
    pub fn peers(&self, node: usize) -> u64 {
        self.nodes.last().and_then(|nodes| nodes[node]).map_or(0, |sample| sample.peers)
    }

    /// The first time from `since` on at which all nodes ran, had a peer and were within a block of each other.
    pub fn whole_since(&self, since: Duration) -> Option<Duration> {
        self.first_since(since, |nodes| {
            let all: Option<Vec<_>> = nodes.iter().copied().collect();
            let Some(all) = all else { return false };
            let heights = || all.iter().map(|node| node.height.0);
            let apart = heights().max().unwrap_or(0) - heights().min().unwrap_or(0);
            apart <= APART_MAX && (all.len() == 1 || all.iter().all(|node| node.peers > 0))
        })
    }

    /// The first time from `since` on at which every running node had confirmed a block that is above all there were at `since`.
    pub fn confirmed_since(&self, since: Duration) -> Option<Duration> {
        let mut highest = None;
        self.first_since(since, |nodes| {
            let running = || nodes.iter().flatten();
            let floor = *highest.get_or_insert(running().map(|node| node.height).max().unwrap_or_default());
            running().next().is_some() && running().all(|node| node.confirmed > floor)
        })
    }

    fn first_since(&self, since: Duration, mut holds: impl FnMut(&[Option<NodeSample>]) -> bool) -> Option<Duration> {
        let samples = self.times.iter().zip(&self.nodes).filter(|(at, _)| **at >= since);
        samples.into_iter().find(|(_, nodes)| holds(nodes)).map(|(at, _)| *at)
    }

    /// When the cluster showed a fault that began at `since`: a node that runs had fewer peers than just before.
    fn detected(&self, since: Duration, until: Duration) -> Option<Duration> {
        let before = self.times.iter().rposition(|at| *at <= since)?;
        let had = |node: usize| self.nodes[before][node].map_or(0, |sample| sample.peers);
        let fewer = |nodes: &[Option<NodeSample>]| {
            nodes.iter().enumerate().any(|(node, sample)| sample.is_some_and(|sample| sample.peers < had(node)))
        };
        self.first_since(since, fewer).filter(|at| *at <= until)
    }

    /// How the cluster came back after each fault that was applied.
    pub fn recovery(&self, faults: &Faults, lost: u64) -> Vec<Recovery> {
        let applied = faults.progress().iter().filter_map(|fault| Some((fault, fault.applied_at?)));
        applied
            .map(|(fault, applied_at)| {
                let ended_at = fault.ended_at.unwrap_or(Duration::MAX);
                let whole = self.whole_since(ended_at);
                let seen = self.detected(applied_at, whole.unwrap_or(Duration::MAX));
                Recovery {
                    fault: fault.fault.id.to_string(),
                    detect: seen.map(|at| (at - applied_at).as_secs_f64()),
                    rto: whole.map(|at| (at - ended_at).as_secs_f64()),
                    rpo: lost,
                }
            })
            .collect()
    }

    /// The series of the report.
    pub fn series(&self) -> BTreeMap<String, Series> {
        SERIES
            .iter()
            .map(|(name, unit, about)| {
                let lines = self.series[name].iter().enumerate();
                let lines = lines.map(|(node, points)| (format!("n{node}"), points.clone())).collect();
                ((*name).to_owned(), Series { unit: (*unit).to_owned(), about: (*about).to_owned(), lines })
            })
            .collect()
    }
}
