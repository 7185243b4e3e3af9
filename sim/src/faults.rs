//! Carrying out a plan: what is done to the world, and when.
//!
//! A fault has a beginning, an end unless it lasts, and for processes a start again. Each takes effect at its time,
//! between two windows of the world. What a fault *did* is kept apart from what was planned: a partition that no packet
//! met, or a kill of a node that was down, has not fired.

use crate::{
    World,
    cluster::Cluster,
    net::{Rule, RuleId},
};
use assay_scenarios::{NodeIndex, Plan, PlannedAction, PlannedFault};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// How long an orderly stop may take before the process is killed, as supervisors do.
pub const STOP_MAX: Duration = Duration::from_secs(5);
/// How often a node that was asked to stop is looked at.
const STOP_POLL: Duration = Duration::from_millis(50);

/// Something that was done, for the timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// When.
    pub at: Duration,
    /// To whom; `None` for the network.
    pub node: Option<usize>,
    /// Its kind: that of its fault, `heal`, `start` or `resume`.
    pub kind: String,
    /// What was done.
    pub detail: String,
}

/// A planned fault and what became of it.
#[derive(Clone, Debug)]
pub struct Progress {
    /// The plan.
    pub fault: PlannedFault,
    /// When it began.
    pub applied_at: Option<Duration>,
    /// When its effect was over.
    pub ended_at: Option<Duration>,
    /// What it met: packets dropped or delayed, or processes stopped. 0 has not fired.
    pub hits: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Begin(usize),
    End(usize),
    /// Has the node that was asked to stop done so?
    Stopped(Stopping),
}

/// A node that was asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Stopping {
    fault: usize,
    node: usize,
    /// When it is killed instead.
    kill_at: Duration,
}

/// Carries out one plan.
pub struct Faults {
    progress: Vec<Progress>,
    steps: BTreeSet<(Duration, Step)>,
    rules: BTreeMap<usize, Vec<RuleId>>,
}

impl Faults {
    /// Nothing is done yet.
    pub fn new(plan: &Plan) -> Self {
        let progress: Vec<_> = plan
            .faults
            .iter()
            .map(|fault| Progress { fault: fault.clone(), applied_at: None, ended_at: None, hits: 0 })
            .collect();
        let steps = plan.faults.iter().enumerate().map(|(n, fault)| (fault.at, Step::Begin(n))).collect();
        Self { progress, steps, rules: BTreeMap::new() }
    }

    /// When there is something to do next.
    pub fn next(&self) -> Option<Duration> {
        self.steps.first().map(|(at, _)| *at)
    }

    /// What became of each fault.
    pub fn progress(&self) -> &[Progress] {
        &self.progress
    }

    /// The faults that are on now.
    pub fn on(&self) -> impl Iterator<Item = &Progress> {
        self.progress.iter().filter(|fault| fault.applied_at.is_some() && fault.ended_at.is_none())
    }

    /// When the last fault was over; `None` while one is on or still to come. A node that stays down is no longer a
    /// fault that is on: the others must go on without it.
    pub fn healed_at(&self) -> Option<Duration> {
        let over = |fault: &Progress| match (fault.fault.until, fault.ended_at) {
            (Some(_), ended_at) => ended_at,
            (None, _) => fault.applied_at,
        };
        self.progress.iter().map(over).try_fold(Duration::ZERO, |latest, at| Some(latest.max(at?)))
    }

    /// Does what is due at the world's time.
    pub fn apply_due(&mut self, world: &mut World, cluster: &mut Cluster) -> Vec<Deed> {
        let mut deeds = Vec::new();
        while let Some((at, step)) = self.steps.first().copied().filter(|(at, _)| *at <= world.now()) {
            self.steps.remove(&(at, step));
            match step {
                Step::Begin(n) => self.begin(n, world, cluster, &mut deeds),
                Step::End(n) => self.end(n, world, cluster, &mut deeds),
                Step::Stopped(stopping) => self.stopped(stopping, world, cluster, &mut deeds),
            }
        }
        deeds
    }

    fn begin(&mut self, n: usize, world: &mut World, cluster: &mut Cluster, deeds: &mut Vec<Deed>) {
        let (now, fault) = (world.now(), self.progress[n].fault.clone());
        self.progress[n].applied_at = Some(now);
        if let Some(until) = fault.until.filter(|_| !matches!(fault.action, PlannedAction::Restart { .. })) {
            self.steps.insert((until, Step::End(n)));
        }
        let mut deed = |node: Option<NodeIndex>, detail: &str| {
            let (node, detail) = (node.map(NodeIndex::index), detail.to_owned());
            deeds.push(Deed { at: now, node, kind: fault.kind.to_owned(), detail });
        };
        let rules = rules(&fault.action, cluster);
        if !rules.is_empty() {
            deed(None, &fault.detail);
            self.rules.insert(n, rules.into_iter().map(|rule| world.network().add_rule(rule)).collect());
            return;
        }
        for node in &fault.targets {
            let (index, host) = (node.index(), cluster.host(node.index()));
            if !world.is_up(host) || world.is_paused(host) {
                deed(Some(*node), "it is not running: nothing was done");
                continue;
            }
            self.progress[n].hits += 1;
            match fault.action {
                PlannedAction::Kill { .. } => {
                    cluster.kill(world, index);
                    deed(Some(*node), "the process is killed");
                }
                PlannedAction::PowerCut { .. } => {
                    cluster.power_cut(world, index);
                    deed(Some(*node), "the power is cut");
                }
                PlannedAction::Pause { .. } => {
                    world.pause(host);
                    deed(Some(*node), "the process stands still");
                }
                PlannedAction::Restart { .. } => {
                    cluster.ask_to_stop(index);
                    let stopping = Stopping { fault: n, node: index, kill_at: now + STOP_MAX };
                    self.steps.insert((now + STOP_POLL, Step::Stopped(stopping)));
                    deed(Some(*node), "the process is asked to stop");
                }
                _ => unreachable!("faults of the network have rules"),
            }
        }
    }

    fn end(&mut self, n: usize, world: &mut World, cluster: &mut Cluster, deeds: &mut Vec<Deed>) {
        let (now, fault) = (world.now(), self.progress[n].fault.clone());
        self.progress[n].ended_at = Some(now);
        for rule in self.rules.remove(&n).unwrap_or_default() {
            self.progress[n].hits += world.network().remove_rule(rule).map_or(0, |stats| stats.hits());
        }
        let mut deed = |node: Option<usize>, kind: &str, detail: &str| {
            deeds.push(Deed { at: now, node, kind: kind.to_owned(), detail: detail.to_owned() });
        };
        match fault.action {
            PlannedAction::Kill { .. } | PlannedAction::PowerCut { .. } => {
                for node in fault.targets.iter().map(|node| node.index()) {
                    if !world.is_up(cluster.host(node)) {
                        cluster.boot(world, node);
                        deed(Some(node), "start", "the process is started again");
                    }
                }
            }
            PlannedAction::Pause { .. } => {
                for node in fault.targets.iter().map(|node| node.index()) {
                    world.resume(cluster.host(node));
                    deed(Some(node), "resume", "the process goes on");
                }
            }
            _ => deed(None, "heal", &format!("{} is over", fault.kind)),
        }
    }

    fn stopped(&mut self, stopping: Stopping, world: &mut World, cluster: &mut Cluster, deeds: &mut Vec<Deed>) {
        let Stopping { fault: n, node, kill_at } = stopping;
        let (now, host) = (world.now(), cluster.host(node));
        let has_stopped = world.exited(host).is_some();
        if !has_stopped && now < kill_at {
            self.steps.insert((now + STOP_POLL, Step::Stopped(stopping)));
            return;
        }
        let detail =
            if has_stopped { "it has stopped and is started again" } else { "it did not stop, and was killed" };
        cluster.kill(world, node);
        cluster.boot(world, node);
        deeds.push(Deed { at: now, node: Some(node), kind: "start".into(), detail: detail.into() });
        let still_stopping =
            self.steps.iter().any(|(_, step)| matches!(step, Step::Stopped(other) if other.fault == n));
        if !still_stopping {
            self.progress[n].ended_at = Some(now);
        }
    }

    /// Counts what the rules that are still on have met; for the end of a run.
    pub fn finish(&mut self, world: &mut World) {
        for (n, rules) in &self.rules {
            let hits = rules.iter().filter_map(|rule| world.network().rule_stats(*rule)).map(|stats| stats.hits());
            self.progress[*n].hits += hits.sum::<u64>();
        }
        self.rules.clear();
    }
}

/// The rules of a fault of the network; none for a fault of processes.
fn rules(action: &PlannedAction, cluster: &Cluster) -> Vec<Rule> {
    let hosts = |nodes: &[NodeIndex]| nodes.iter().map(|node| cluster.host(node.index())).collect::<BTreeSet<_>>();
    let all: BTreeSet<_> = (0..cluster.len()).map(|node| cluster.host(node)).collect();
    let rest = |own: &BTreeSet<_>| all.difference(own).copied().collect::<BTreeSet<_>>();
    match action {
        PlannedAction::Partition { groups } => {
            groups.iter().map(|group| hosts(group)).map(|group| Rule::Block { to: rest(&group), from: group }).collect()
        }
        PlannedAction::Isolate { nodes } => nodes
            .iter()
            .flat_map(|node| {
                let alone = hosts(&[*node]);
                Rule::partition(&alone, &rest(&alone))
            })
            .collect(),
        PlannedAction::OneWay { from, to } => vec![Rule::Block { from: hosts(from), to: hosts(to) }],
        PlannedAction::Link { between, to, quality } => {
            let loss = f64::from(quality.loss.parts_per_million()) / 1e6;
            let (delay, jitter) = (quality.delay, quality.jitter);
            let degrade = |from, to| Rule::Degrade { from, to, delay, jitter, loss };
            vec![degrade(hosts(between), hosts(to)), degrade(hosts(to), hosts(between))]
        }
        _ => Vec::new(),
    }
}
