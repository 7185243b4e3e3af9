//! The cluster at regular times: the series of the report, and how long recovery took.

use super::{
    chains::Chains,
    schedule::{Progress, Schedule},
    seen::{Met, Shown},
};
use crate::{invariants::Sample, workload::Oracle};
use assay_node::StorageState;
use assay_reports::{Recovery, Series};
use std::{collections::BTreeMap, time::Duration};

/// Points of a line, at most: more than a plot can show.
const POINTS_MAX: u32 = 400;
/// Nodes count as together when their heights differ by no more.
const APART_MAX: u64 = 1;

/// The counts of a node, which begin anew with each of its processes.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    starts: u64,
    before: Met,
    now: Met,
}

impl Tally {
    fn total(&self) -> Met {
        Met { damage: self.before.damage + self.now.damage, all: self.before.all + self.now.all }
    }
}

/// All samples of a run.
pub(super) struct Samples {
    times: Vec<Duration>,
    nodes: Vec<Vec<Option<Shown>>>,
    points_every: Duration,
    next_point: Duration,
    series: BTreeMap<&'static str, Vec<Vec<(f64, f64)>>>,
    /// Messages that each node had received at the last point, and when that was.
    messages: Vec<u64>,
    last_point: Duration,
    tallies: Vec<Tally>,
    /// Which nodes have lied, and so are not judged.
    liars: Vec<bool>,
    count: usize,
}

/// Name, unit and meaning of each series.
const SERIES: [(&str, &str, &str); 7] = [
    ("height", "blocks", "Height of each node's head."),
    ("confirmed_height", "blocks", "Highest confirmed height of each node."),
    ("reorg_depth", "blocks", "Blocks that a node took back, where it reorganised."),
    ("peers", "peers", "Connected peers of each node."),
    ("mempool", "transactions", "Transactions that wait on each node."),
    ("storage", "state", "Storage of each node: 0 open, 1 full, 2 rebuilding, 3 stranded, 4 failing."),
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
            tallies: vec![Tally::default(); count],
            liars: vec![false; count],
            count,
        }
    }

    /// Takes a sample of what the nodes show `now`; those that do not run show nothing. `liars` have lied by now.
    pub fn take(
        &mut self,
        now: Duration,
        shown: Vec<Option<Shown>>,
        liars: Vec<bool>,
        schedule: &Schedule,
        chains: &mut Chains,
    ) -> Sample {
        self.liars = liars;
        let shown = shown.into_iter().enumerate();
        let nodes: Vec<_> = shown.map(|(node, shown)| shown.map(|shown| self.add_up(node, shown))).collect();
        if now >= self.next_point {
            self.next_point = now + self.points_every;
            self.points(now, &nodes, chains);
        }
        self.times.push(now);
        self.nodes.push(nodes);
        self.last(schedule)
    }

    /// What a node's storage has met in all of its processes so far, in the place of what it met in this one.
    fn add_up(&mut self, node: usize, shown: Shown) -> Shown {
        let tally = &mut self.tallies[node];
        if tally.starts != shown.starts {
            *tally = Tally { starts: shown.starts, before: tally.total(), now: Met::default() };
        }
        tally.now = shown.met;
        Shown { met: tally.total(), ..shown }
    }

    /// By how many blocks the highest confirmed height has grown from the first sample in a time to the last.
    pub fn confirmed_between(&self, from: Duration, to: Duration) -> u64 {
        let within = self.times.iter().zip(&self.nodes).filter(|(at, _)| (from..=to).contains(at));
        let heights: Vec<_> =
            within.filter_map(|(_, nodes)| nodes.iter().flatten().map(|node| node.confirmed.0).max()).collect();
        heights.last().zip(heights.first()).map_or(0, |(last, first)| last.saturating_sub(*first))
    }

    /// The nodes that have met damage between the last two samples.
    pub fn have_noticed(&self) -> impl Iterator<Item = usize> + '_ {
        let last = self.nodes.len().checked_sub(1);
        let met = move |sample: usize, node: usize| {
            self.nodes[..=sample].iter().rev().find_map(|nodes| nodes[node]).map_or(0, |node| node.met.damage)
        };
        (0..self.count).filter(move |node| {
            last.is_some_and(|last| met(last, *node) > last.checked_sub(1).map_or(0, |before| met(before, *node)))
        })
    }

    /// The nodes whose storage is in another state than in the sample before, with that and the state now.
    pub fn storage_changes(&self) -> Vec<(usize, StorageState, StorageState)> {
        let [.., before, now] = self.nodes.as_slice() else { return Vec::new() };
        let both = before.iter().zip(now).enumerate();
        let changes =
            both.filter_map(|(node, (before, now))| Some((node, before.as_ref()?.storage, now.as_ref()?.storage)));
        changes.filter(|(_, before, now)| before != now).collect()
    }

    fn points(&mut self, now: Duration, nodes: &[Option<Shown>], chains: &mut Chains) {
        let (at, elapsed) = (now.as_secs_f64(), now.saturating_sub(self.last_point).as_secs_f64());
        self.last_point = now;
        for (node, shown) in nodes.iter().enumerate() {
            let depth = chains.take_recent_depth(node);
            let Some(shown) = shown else {
                self.messages[node] = 0;
                continue;
            };
            let rate = shown.received.saturating_sub(self.messages[node]) as f64 / elapsed.max(f64::MIN_POSITIVE);
            self.messages[node] = shown.received;
            let values = [
                ("height", shown.height.0 as f64),
                ("confirmed_height", shown.confirmed.0 as f64),
                ("reorg_depth", depth as f64),
                ("peers", shown.peers as f64),
                ("mempool", shown.mempool as f64),
                ("storage", shown.storage as u8 as f64),
                ("messages", (rate * 1000.0).round() / 1000.0),
            ];
            for (name, value) in values {
                self.series.get_mut(name).expect("every name has its lines")[node].push((at, value));
            }
        }
    }

    /// The last sample, as the properties see it.
    pub fn last(&self, faults: &Schedule) -> Sample {
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

    /// The first time from `since` on at which the storage of every node that ran took writes.
    pub fn writable_since(&self, since: Duration) -> Option<Duration> {
        self.first_since(since, |nodes| nodes.iter().flatten().all(|node| node.storage == StorageState::Open))
    }

    /// The first time from `since` on at which all nodes that have never lied ran, took writes, had a peer and were within a block of each
    /// other.
    pub fn whole_since(&self, since: Duration) -> Option<Duration> {
        self.first_since(since, |nodes| {
            let judged = nodes.iter().zip(&self.liars).filter(|(_, lied)| !**lied);
            let all: Option<Vec<_>> = judged.map(|(node, _)| *node).collect();
            let Some(all) = all else { return false };
            let heights = || all.iter().map(|node| node.height.0);
            let apart = heights().max().unwrap_or(0) - heights().min().unwrap_or(0);
            let is_open = all.iter().all(|node| node.storage == StorageState::Open);
            is_open && apart <= APART_MAX && (all.len() == 1 || all.iter().all(|node| node.peers > 0))
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

    /// What happens at `since` happens after the sample of that moment.
    fn first_since(&self, since: Duration, mut holds: impl FnMut(&[Option<Shown>]) -> bool) -> Option<Duration> {
        let samples = self.times.iter().zip(&self.nodes).filter(|(at, _)| **at > since);
        samples.into_iter().find(|(_, nodes)| holds(nodes)).map(|(at, _)| *at)
    }

    /// When the cluster showed a fault that began at `since`: a node that runs had fewer peers than just before, or the
    /// storage of a target met something.
    fn detected(&self, fault: &Progress, since: Duration, until: Duration) -> Option<Duration> {
        let before = self.times.iter().rposition(|at| *at <= since)?;
        let had = |node: usize| self.nodes[before][node].map_or(0, |sample| sample.peers);
        let had_met = |node: usize| {
            let known = self.nodes[..=before].iter().rev().find_map(|nodes| nodes[node]);
            known.map_or(0, |sample| sample.met.all)
        };
        let is_target = |node: usize| fault.fault.targets.iter().any(|target| target.index() == node);
        let shows = |nodes: &[Option<Shown>]| {
            nodes.iter().enumerate().any(|(node, sample)| {
                let Some(sample) = sample else { return false };
                sample.peers < had(node) || is_target(node) && sample.met.all > had_met(node)
            })
        };
        self.first_since(since, shows).filter(|at| *at <= until)
    }

    /// How the cluster came back after each fault that was applied. A fault is detected when the cluster shows it, or a
    /// user sees one of its nodes fail.
    pub fn recovery(&self, faults: &Schedule, oracle: &Oracle, lost: u64) -> Vec<Recovery> {
        let applied = faults.progress().iter().filter_map(|fault| Some((fault, fault.applied_at?)));
        applied
            .map(|(fault, applied_at)| {
                let ended_at = fault.ended_at.unwrap_or(Duration::MAX);
                let whole = self.whole_since(ended_at);
                let shown = self.detected(fault, applied_at, whole.unwrap_or(Duration::MAX));
                let is_target = |node| fault.fault.targets.iter().any(|target| target.index() == node);
                let failed = oracle.first_failure(applied_at, is_target);
                let failed = failed.filter(|at| *at <= whole.unwrap_or(Duration::MAX));
                let seen = shown.into_iter().chain(failed).min();
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
