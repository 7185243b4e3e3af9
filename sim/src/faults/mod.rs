//! Carrying out a plan: what is done to the world, and when.
//!
//! A fault has a beginning, an end unless it lasts, and for processes a start again. Each takes effect at its time,
//! between two windows of the world. What a fault *did* is kept apart from what was planned: a partition that no packet
//! met, or a kill of a node that was down, has not fired.

mod network;
mod storage;

use crate::{
    World,
    cluster::{Chore, Cluster},
    net::RuleId,
    ordeal::{Deed, Schedule},
};
use assay_scenarios::{NodeIndex, Plan, PlannedAction};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use storage::DiskFaults;
pub use storage::Rotten;

/// How long an orderly stop may take before the process is killed, as supervisors do.
pub const STOP_MAX: Duration = Duration::from_secs(5);
/// How often a node that was asked for something is looked at.
const STOP_POLL: Duration = Duration::from_millis(50);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Begin(usize),
    End(usize),
    /// Has the node that was asked to stop done so?
    Stopped(Stopping),
    /// Has the node made its backup?
    BackedUp(usize),
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
    schedule: Schedule,
    steps: BTreeSet<(Duration, Step)>,
    rules: BTreeMap<usize, Vec<RuleId>>,
    disks: DiskFaults,
}

impl Faults {
    /// Nothing is done yet.
    pub fn new(plan: &Plan) -> Self {
        let steps = plan.faults.iter().enumerate().map(|(n, fault)| (fault.at, Step::Begin(n))).collect();
        Self { schedule: Schedule::new(plan), steps, rules: BTreeMap::new(), disks: DiskFaults::default() }
    }

    /// When there is something to do next.
    pub fn next(&self) -> Option<Duration> {
        self.steps.first().map(|(at, _)| *at)
    }

    /// What became of each fault.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
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
                Step::BackedUp(n) => self.backed_up(n, world, cluster, &mut deeds),
            }
        }
        deeds
    }

    fn begin(&mut self, n: usize, world: &mut World, cluster: &mut Cluster, deeds: &mut Vec<Deed>) {
        let (now, fault) = (world.now(), self.schedule.of(n).fault.clone());
        self.schedule.of(n).applied_at = Some(now);
        let ends_by_itself = matches!(fault.action, PlannedAction::Restart { .. } | PlannedAction::Backup { .. });
        if let Some(until) = fault.until.filter(|_| !ends_by_itself) {
            self.steps.insert((until, Step::End(n)));
        }
        let mut deed = |node: Option<NodeIndex>, detail: &str| {
            let (node, detail) = (node.map(NodeIndex::index), detail.to_owned());
            deeds.push(Deed { at: now, node, kind: fault.kind.to_owned(), detail });
        };
        let rules = network::rules(&fault.action, cluster);
        if !rules.is_empty() {
            deed(None, &fault.detail);
            self.rules.insert(n, rules.into_iter().map(|rule| world.network().add_rule(rule)).collect());
            return;
        }
        for node in &fault.targets {
            let (index, host) = (node.index(), cluster.host(node.index()));
            let needs_process = !matches!(
                fault.action,
                PlannedAction::Disk { .. } | PlannedAction::Clock { .. } | PlannedAction::MemoryFull { .. }
            );
            if needs_process && (!world.is_up(host) || world.is_paused(host)) {
                deed(Some(*node), "it is not running: nothing was done");
                continue;
            }
            match &fault.action {
                PlannedAction::Kill { .. } => {
                    cluster.kill(world, index);
                    self.schedule.of(n).hits += 1;
                    deed(Some(*node), "the process is killed");
                }
                PlannedAction::PowerCut { torn, .. } => {
                    world.disk(host).set_torn_writes(*torn);
                    cluster.power_cut(world, index);
                    world.disk(host).set_torn_writes(false);
                    self.schedule.of(n).hits += 1;
                    deed(Some(*node), "the power is cut");
                }
                PlannedAction::Pause { .. } => {
                    world.pause(host);
                    self.schedule.of(n).hits += 1;
                    deed(Some(*node), "the process stands still");
                }
                PlannedAction::Restart { .. } => {
                    cluster.ask_to_stop(index);
                    let stopping = Stopping { fault: n, node: index, kill_at: now + STOP_MAX };
                    self.steps.insert((now + STOP_POLL, Step::Stopped(stopping)));
                    self.schedule.of(n).hits += 1;
                    deed(Some(*node), "the process is asked to stop");
                }
                PlannedAction::Disk { deed: disk, .. } => {
                    self.disks.begin(n, index, world.disk(host), disk);
                    deed(Some(*node), &disk.to_string());
                }
                PlannedAction::Clock { error, .. } => {
                    world.set_clock_error(host, error.skew_ms, error.drift_ppm);
                    self.schedule.of(n).hits += 1;
                    deed(Some(*node), &format!("its {error}"));
                }
                PlannedAction::MemoryFull { leave, .. } => {
                    world.memory(host).set_left(Some(leave.0));
                    self.schedule.of(n).hits += 1;
                    deed(Some(*node), &format!("other programs take its memory, but for {leave}"));
                }
                PlannedAction::Lie { lie, .. } => {
                    cluster.lie(world, index, *lie, fault.until.unwrap_or(now));
                    deed(Some(*node), &format!("a liar takes its place: {lie}"));
                }
                PlannedAction::BitRot { files, bits, restart_after, .. } => {
                    if restart_after.is_some() {
                        cluster.kill(world, index);
                    }
                    let rotten = storage::rot(n, *bits, files, world.disk(host));
                    self.schedule.of(n).hits += rotten.len() as u64;
                    deed(Some(*node), &storage::told(&rotten));
                    self.disks.rotten.push((index, now, rotten));
                }
                PlannedAction::LoseVolume { .. } => {
                    cluster.lose_volume(world, index);
                    self.schedule.of(n).hits += 1;
                    deed(Some(*node), "the process is killed, and its data directory is gone");
                }
                PlannedAction::SchemaNewer { .. } => {
                    cluster.kill(world, index);
                    cluster.boot_with(world, index, Chore::MarkNewer);
                    deed(Some(*node), "a newer release has marked its database, and it is started again");
                }
                PlannedAction::Backup { .. } => {
                    cluster.begin_backup(world, index);
                    self.steps.insert((now + STOP_POLL, Step::BackedUp(n)));
                    deed(Some(*node), "a backup is made");
                }
                PlannedAction::Partition { .. }
                | PlannedAction::Isolate { .. }
                | PlannedAction::OneWay { .. }
                | PlannedAction::Link { .. } => unreachable!("faults of the network have rules"),
            }
        }
        let is_instant = matches!(fault.action, PlannedAction::BitRot { restart_after: None, .. });
        if is_instant {
            self.schedule.of(n).ended_at = Some(now);
            self.steps.remove(&(now, Step::End(n)));
        }
    }

    fn end(&mut self, n: usize, world: &mut World, cluster: &mut Cluster, deeds: &mut Vec<Deed>) {
        let (now, fault) = (world.now(), self.schedule.of(n).fault.clone());
        self.schedule.of(n).ended_at = Some(now);
        for rule in self.rules.remove(&n).unwrap_or_default() {
            self.schedule.of(n).hits += world.network().remove_rule(rule).map_or(0, |stats| stats.hits());
        }
        let mut deed = |node: Option<usize>, kind: &str, detail: &str| {
            deeds.push(Deed { at: now, node, kind: kind.to_owned(), detail: detail.to_owned() });
        };
        let targets = || fault.targets.iter().map(|node| node.index());
        match &fault.action {
            PlannedAction::Kill { .. } | PlannedAction::PowerCut { .. } | PlannedAction::BitRot { .. } => {
                for node in targets() {
                    if !world.is_up(cluster.host(node)) {
                        cluster.boot(world, node);
                        deed(Some(node), "start", "the process is started again");
                    }
                }
            }
            PlannedAction::LoseVolume { restore, .. } => {
                for node in targets() {
                    let (chore, told) = match restore.iter().any(|restored| restored.index() == node) {
                        true => (Chore::Restore, "the newest backup is restored, and the process started again"),
                        false => (Chore::None, "the process is started again, with nothing"),
                    };
                    cluster.boot_with(world, node, chore);
                    deed(Some(node), "start", told);
                }
            }
            PlannedAction::SchemaNewer { .. } => {
                for node in targets() {
                    self.schedule.of(n).hits += u64::from(cluster.has_refused(world, node));
                    cluster.kill(world, node);
                    cluster.boot_with(world, node, Chore::UnmarkNewer);
                    deed(Some(node), "start", "the mark is taken back, and the process started again");
                }
            }
            PlannedAction::Disk { .. } => {
                for node in targets() {
                    let storage = cluster.snapshot(node).map(|snapshot| snapshot.storage);
                    self.schedule.of(n).hits += self.disks.end(n, node, world.disk(cluster.host(node)), storage);
                }
                deed(None, "heal", &format!("{} is over", fault.kind));
            }
            PlannedAction::Clock { .. } => {
                for node in targets() {
                    world.set_clock_error(cluster.host(node), 0, 0);
                    deed(Some(node), "heal", "its clock is set right");
                }
            }
            PlannedAction::MemoryFull { .. } => {
                for node in targets() {
                    world.memory(cluster.host(node)).set_left(None);
                    deed(Some(node), "heal", "other programs give its memory back");
                }
            }
            PlannedAction::Lie { .. } => {
                for node in targets() {
                    let told = cluster.end_lie(world, node);
                    self.schedule.of(n).hits += told.deeds;
                    deed(Some(node), "lie over", &told.to_string());
                }
            }
            PlannedAction::Pause { .. } => {
                for node in targets() {
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
            self.schedule.of(n).ended_at = Some(now);
        }
    }

    /// Sees whether the backups of a fault are made.
    fn backed_up(&mut self, n: usize, world: &World, cluster: &mut Cluster, deeds: &mut Vec<Deed>) {
        let (now, fault) = (world.now(), self.schedule.of(n).fault.clone());
        let mut waits = false;
        for node in fault.targets.iter().map(|node| node.index()) {
            let (done, detail) = match cluster.take_backup(world, node) {
                Some(Ok(told)) => (1, told),
                Some(Err(cause)) => (0, format!("no backup was made: {cause}")),
                None => {
                    waits |= cluster.is_backing_up(node);
                    continue;
                }
            };
            self.schedule.of(n).hits += done;
            deeds.push(Deed { at: now, node: Some(node), kind: fault.kind.to_owned(), detail });
        }
        match waits {
            true => drop(self.steps.insert((now + STOP_POLL, Step::BackedUp(n)))),
            false => self.schedule.of(n).ended_at = Some(now),
        }
    }

    /// The damage that was done to nodes' files: to whom, when and where.
    pub fn rotten(&self) -> &[(usize, Duration, Vec<Rotten>)] {
        &self.disks.rotten
    }

    /// Whether a fault is on that a node must answer by refusing to start.
    pub fn wants_refusal(&self, node: usize) -> bool {
        self.schedule.on().any(|fault| {
            matches!(fault.fault.action, PlannedAction::SchemaNewer { .. })
                && fault.fault.targets.iter().any(|target| target.index() == node)
        })
    }

    /// Counts what the rules that are still on have met; for the end of a run.
    pub fn finish(&mut self, world: &mut World) {
        for (n, rules) in &self.rules {
            let hits = rules.iter().filter_map(|rule| world.network().rule_stats(*rule)).map(|stats| stats.hits());
            self.schedule.of(*n).hits += hits.sum::<u64>();
        }
        self.rules.clear();
    }
}
