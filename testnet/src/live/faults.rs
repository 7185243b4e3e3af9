//! Carrying a plan out on real processes, as `assay_sim::faults` does in the simulator.

use super::{
    backend::{Backend, Exit},
    power::Power,
    relay::{LinkRule, RuleId},
    rot::{self, Rotten},
};
use crate::TestnetError;
use assay_node::{backup::BackupInfo, native::backups::BackupsError, storage::SCHEMA_VERSION};
use assay_scenarios::{DiskDeed, NodeIndex, Plan, PlannedAction, PlannedFault};
use assay_sim::{
    entropy,
    ordeal::{Deed, Schedule},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::sync::oneshot::{self, error::TryRecvError};

/// How long an orderly stop may take before the process is killed, as supervisors do.
const STOP_MAX: Duration = Duration::from_secs(5);
/// How often a node that was asked for something is looked at.
const POLL: Duration = Duration::from_millis(50);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Begin(usize),
    End(usize),
    /// Has the node that was asked to stop, for this fault, done so? Killed at the time given.
    Stopped(usize, usize, Duration),
    /// Have the nodes made their backups?
    BackedUp(usize),
}

/// What a process does, as far as the harness has to do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Running,
    /// Asked to stop.
    Stopping,
    /// Stands still.
    Paused,
    /// Ended by a fault, or by itself.
    Down,
}

/// A node whose start is to be told to whoever watches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Started {
    pub node: usize,
    /// Its data directory was taken away before.
    pub lost: bool,
}

type Backup = oneshot::Receiver<Result<BackupInfo, BackupsError>>;

/// Carries out one plan.
pub(crate) struct Faults {
    seed: u64,
    schedule: Schedule,
    steps: BTreeSet<(Duration, Step)>,
    states: Vec<State>,
    rules: BTreeMap<usize, Vec<RuleId>>,
    /// What users notice of nodes without power.
    power: Power,
    /// What their peers notice.
    dark: BTreeMap<usize, RuleId>,
    /// Data directories that were taken away, until the node is started.
    lost: BTreeSet<usize>,
    full: BTreeSet<(usize, usize)>,
    backups: BTreeMap<(usize, usize), Backup>,
    rotten: Vec<(usize, Duration, Vec<Rotten>)>,
    started: Vec<Started>,
}

impl Faults {
    /// Nothing is done yet; all nodes run.
    pub fn new(plan: &Plan, nodes: usize) -> Self {
        Self {
            seed: plan.seed,
            schedule: Schedule::new(plan),
            steps: plan.faults.iter().enumerate().map(|(n, fault)| (fault.at, Step::Begin(n))).collect(),
            states: vec![State::Running; nodes],
            rules: BTreeMap::new(),
            power: Power::default(),
            dark: BTreeMap::new(),
            lost: BTreeSet::new(),
            full: BTreeSet::new(),
            backups: BTreeMap::new(),
            rotten: Vec::new(),
            started: Vec::new(),
        }
    }

    /// When there is something to do next.
    pub fn next(&self) -> Option<Duration> {
        self.steps.first().map(|(at, _)| *at)
    }

    /// What became of each fault.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// Which nodes have power.
    pub fn power(&self) -> &Power {
        &self.power
    }

    /// What a node's process does.
    pub fn state(&self, node: usize) -> State {
        self.states[node]
    }

    /// The nodes that were started since the last call.
    pub fn take_started(&mut self) -> Vec<Started> {
        std::mem::take(&mut self.started)
    }

    /// The damage that was done to nodes' files: to whom, when and where.
    pub fn rotten(&self) -> &[(usize, Duration, Vec<Rotten>)] {
        &self.rotten
    }

    /// Takes in that a node's process has ended. Returns whether nothing that was done explains it.
    pub fn ended(&mut self, node: usize, exit: &Exit) -> bool {
        let is_asked = self.states[node] == State::Stopping && exit.in_order;
        self.states[node] = State::Down;
        !is_asked
    }

    /// Whether a fault is on that a node must answer by refusing to start.
    pub fn wants_refusal(&self, node: usize) -> bool {
        let mut on = self.schedule.on();
        on.any(|fault| {
            matches!(fault.fault.action, PlannedAction::SchemaNewer { .. })
                && fault.fault.targets.iter().any(|target| target.index() == node)
        })
    }

    /// A node has refused to start; the fault that is on wanted that.
    pub fn refused(&mut self, node: usize) {
        let all = self.schedule.progress().iter().enumerate();
        let on = all.filter(|(_, fault)| fault.applied_at.is_some() && fault.ended_at.is_none());
        let wanted: Vec<usize> = on
            .filter(|(_, fault)| matches!(fault.fault.action, PlannedAction::SchemaNewer { .. }))
            .filter(|(_, fault)| fault.fault.targets.iter().any(|target| target.index() == node))
            .map(|(n, _)| n)
            .collect();
        for n in wanted {
            self.schedule.of(n).hits += 1;
        }
    }

    /// Notes that a node says that it has no space.
    pub fn is_full(&mut self, node: usize) {
        for (n, _) in self.full.iter().filter(|(_, full)| *full == node) {
            self.schedule.of(*n).hits += 1;
        }
    }

    /// Does what is due at `now`.
    ///
    /// # Errors
    /// When the system refuses.
    pub async fn apply_due<B: Backend>(&mut self, now: Duration, cluster: &mut B) -> Result<Vec<Deed>, TestnetError> {
        let mut deeds = Vec::new();
        while let Some((at, step)) = self.steps.first().copied().filter(|(at, _)| *at <= now) {
            self.steps.remove(&(at, step));
            let mut hand = Hand { now, deeds: &mut deeds };
            match step {
                Step::Begin(n) => self.begin(n, &mut hand, cluster).await?,
                Step::End(n) => self.end(n, &mut hand, cluster).await?,
                Step::Stopped(n, node, kill_at) => self.stopped(n, node, kill_at, &mut hand, cluster).await?,
                Step::BackedUp(n) => self.backed_up(n, &mut hand),
            }
        }
        Ok(deeds)
    }

    async fn begin<B: Backend>(&mut self, n: usize, hand: &mut Hand<'_>, cluster: &mut B) -> Result<(), TestnetError> {
        let (now, fault) = (hand.now, self.schedule.of(n).fault.clone());
        self.schedule.of(n).applied_at = Some(now);
        let ends_by_itself = matches!(fault.action, PlannedAction::Restart { .. } | PlannedAction::Backup { .. });
        if let Some(until) = fault.until.filter(|_| !ends_by_itself) {
            // It lasts as long as planned, and ends no earlier than it begins.
            self.steps.insert((until.max(now), Step::End(n)));
        }
        let rules = link_rules(&fault.action, cluster.count());
        if !rules.is_empty() {
            hand.deed(None, fault.kind, fault.detail.clone());
            for rule in rules {
                self.rules.entry(n).or_default().push(cluster.add_rule(rule).await?);
            }
            return Ok(());
        }
        let needs_process = !matches!(fault.action, PlannedAction::Disk { .. });
        let (hit, spared): (Vec<usize>, Vec<usize>) = (fault.targets.iter().map(|node| node.index()))
            .partition(|node| !needs_process || self.states[*node] == State::Running);
        for node in spared {
            hand.deed(Some(node), fault.kind, "it is not running: nothing was done".into());
        }
        match &fault.action {
            PlannedAction::Kill { .. } => self.kill(&hit, cluster).await?,
            PlannedAction::PowerCut { .. } => self.power_cut(&hit, cluster).await?,
            _ => {}
        }
        for node in hit {
            self.strike(n, node, &fault, hand, cluster).await?;
        }
        if matches!(fault.action, PlannedAction::BitRot { restart_after: None, .. }) {
            self.schedule.of(n).ended_at = Some(now);
            self.steps.remove(&(now, Step::End(n)));
        }
        Ok(())
    }

    /// Fault number `n` begins on one node.
    async fn strike<B: Backend>(
        &mut self,
        n: usize,
        node: usize,
        fault: &PlannedFault,
        hand: &mut Hand<'_>,
        cluster: &mut B,
    ) -> Result<(), TestnetError> {
        let mut hits = 1;
        let told = match &fault.action {
            // Both were done to all of its nodes at once.
            PlannedAction::Kill { .. } => "the process is killed".into(),
            PlannedAction::PowerCut { .. } => "the power is cut".into(),
            PlannedAction::Pause { .. } => {
                cluster.pause(node, true).await?;
                self.states[node] = State::Paused;
                "the process stands still".into()
            }
            PlannedAction::Restart { .. } => {
                cluster.ask_to_stop(node).await?;
                self.states[node] = State::Stopping;
                self.steps.insert((hand.now + POLL, Step::Stopped(n, node, hand.now + STOP_MAX)));
                "the process is asked to stop".into()
            }
            PlannedAction::Disk { deed, .. } => {
                if let DiskDeed::Full { leave } = deed {
                    cluster.machine(node).fill(leave.0)?;
                    self.full.insert((n, node));
                }
                // It counts when the node says so.
                hits = 0;
                deed.to_string()
            }
            PlannedAction::BitRot { files, bits, restart_after, .. } => {
                if restart_after.is_some() {
                    self.kill(&[node], cluster).await?;
                }
                let mut stream = entropy::stream(self.seed, "bit rot", &format!("fault {n} n{node}"));
                let rotten = rot::rot(cluster.machine(node), files, *bits, &mut stream)?;
                hits = rotten.len() as u64;
                let told = told(&rotten);
                self.rotten.push((node, hand.now, rotten));
                told
            }
            PlannedAction::LoseVolume { .. } => {
                self.kill(&[node], cluster).await?;
                cluster.machine(node).wipe()?;
                self.lost.insert(node);
                "the process is killed, and its data directory is gone".into()
            }
            PlannedAction::SchemaNewer { .. } => {
                self.kill(&[node], cluster).await?;
                cluster.machine(node).mark(SCHEMA_VERSION + 1)?;
                self.start(&[node], cluster).await?;
                // It counts when the node refuses.
                hits = 0;
                "a newer release has marked its database, and it is started again".into()
            }
            PlannedAction::Backup { .. } => {
                let url = format!("http://{}", cluster.api(node));
                self.backups.insert((n, node), cluster.machine(node).back_up(url)?);
                self.steps.insert((hand.now + POLL, Step::BackedUp(n)));
                hits = 0;
                "a backup is made".into()
            }
            PlannedAction::Partition { .. }
            | PlannedAction::Isolate { .. }
            | PlannedAction::OneWay { .. }
            | PlannedAction::Link { .. } => unreachable!("faults of the network have rules"),
            PlannedAction::Clock { .. } | PlannedAction::MemoryFull { .. } | PlannedAction::Lie { .. } => {
                unreachable!("it was refused before the run began")
            }
        };
        self.schedule.of(n).hits += hits;
        hand.deed(Some(node), fault.kind, told);
        Ok(())
    }

    async fn end<B: Backend>(&mut self, n: usize, hand: &mut Hand<'_>, cluster: &mut B) -> Result<(), TestnetError> {
        let fault = self.schedule.of(n).fault.clone();
        self.schedule.of(n).ended_at = Some(hand.now);
        for rule in self.rules.remove(&n).unwrap_or_default() {
            self.schedule.of(n).hits += cluster.remove_rule(rule).await?;
        }
        let over = format!("{} is over", fault.kind);
        let targets: Vec<usize> = fault.targets.iter().map(|node| node.index()).collect();
        match &fault.action {
            PlannedAction::Kill { .. } | PlannedAction::PowerCut { .. } | PlannedAction::BitRot { .. } => {
                let down: Vec<usize> = targets.into_iter().filter(|node| self.states[*node] == State::Down).collect();
                self.start(&down, cluster).await?;
                for node in down {
                    hand.deed(Some(node), "start", "the process is started again".into());
                }
            }
            PlannedAction::LoseVolume { restore, .. } => {
                for node in targets {
                    let told = match restore.iter().any(|restored| restored.index() == node) {
                        true => {
                            cluster.machine(node).restore()?;
                            "the newest backup is restored, and the process started again"
                        }
                        false => "the process is started again, with nothing",
                    };
                    self.start(&[node], cluster).await?;
                    hand.deed(Some(node), "start", told.into());
                }
            }
            PlannedAction::SchemaNewer { .. } => {
                for node in targets {
                    if self.states[node] != State::Down {
                        self.kill(&[node], cluster).await?;
                    }
                    cluster.machine(node).mark(SCHEMA_VERSION)?;
                    self.start(&[node], cluster).await?;
                    hand.deed(Some(node), "start", "the mark is taken back, and the process started again".into());
                }
            }
            PlannedAction::Disk { .. } => {
                for node in targets {
                    cluster.machine(node).clear()?;
                    self.full.remove(&(n, node));
                }
                hand.deed(None, "heal", over);
            }
            PlannedAction::Pause { .. } => {
                for node in targets.into_iter().filter(|node| self.states[*node] == State::Paused).collect::<Vec<_>>() {
                    cluster.pause(node, false).await?;
                    self.states[node] = State::Running;
                    hand.deed(Some(node), "resume", "the process goes on".into());
                }
            }
            _ => hand.deed(None, "heal", over),
        }
        Ok(())
    }

    async fn stopped<B: Backend>(
        &mut self,
        n: usize,
        node: usize,
        kill_at: Duration,
        hand: &mut Hand<'_>,
        cluster: &mut B,
    ) -> Result<(), TestnetError> {
        let has_stopped = self.states[node] == State::Down;
        if !has_stopped && hand.now < kill_at {
            self.steps.insert((hand.now + POLL, Step::Stopped(n, node, kill_at)));
            return Ok(());
        }
        let told = if has_stopped { "it has stopped and is started again" } else { "it did not stop, and was killed" };
        if !has_stopped {
            self.kill(&[node], cluster).await?;
        }
        self.start(&[node], cluster).await?;
        hand.deed(Some(node), "start", told.into());
        if !self.steps.iter().any(|(_, step)| matches!(step, Step::Stopped(other, ..) if *other == n)) {
            self.schedule.of(n).ended_at = Some(hand.now);
        }
        Ok(())
    }

    /// Sees whether the backups of a fault are made.
    fn backed_up(&mut self, n: usize, hand: &mut Hand<'_>) {
        let fault = self.schedule.of(n).fault.clone();
        for node in fault.targets.iter().map(|node| node.index()) {
            let Some(outcome) = self.backups.get_mut(&(n, node)).map(oneshot::Receiver::try_recv) else { continue };
            let told = match outcome {
                Err(TryRecvError::Empty) => continue,
                Ok(Ok(made)) => {
                    self.schedule.of(n).hits += 1;
                    format!("a backup of height {} is made", made.height)
                }
                Ok(Err(cause)) => format!("no backup was made: {cause}"),
                Err(TryRecvError::Closed) => "no backup was made: whoever asked for it has ended".into(),
            };
            self.backups.remove(&(n, node));
            hand.deed(Some(node), fault.kind, told);
        }
        let waits = self.backups.keys().any(|(fault, _)| *fault == n);
        match waits {
            true => drop(self.steps.insert((hand.now + POLL, Step::BackedUp(n)))),
            false => self.schedule.of(n).ended_at = Some(hand.now),
        }
    }

    async fn kill<B: Backend>(&mut self, nodes: &[usize], cluster: &mut B) -> Result<(), TestnetError> {
        cluster.kill(nodes).await?;
        for node in nodes {
            self.states[*node] = State::Down;
        }
        Ok(())
    }

    /// First nobody hears of the nodes any more, then their disks have no power, then their processes are gone.
    async fn power_cut<B: Backend>(&mut self, nodes: &[usize], cluster: &mut B) -> Result<(), TestnetError> {
        for node in nodes {
            self.power.cut(*node);
            let others: BTreeSet<usize> = (0..cluster.count()).filter(|other| other != node).collect();
            let silence = cluster.add_rule(LinkRule::Cut { from: [*node].into(), to: others }).await?;
            self.dark.insert(*node, silence);
        }
        for node in nodes {
            cluster.machine(*node).cut()?;
        }
        self.kill(nodes, cluster).await?;
        nodes.iter().try_for_each(|node| cluster.machine(*node).power_up())
    }

    async fn start<B: Backend>(&mut self, nodes: &[usize], cluster: &mut B) -> Result<(), TestnetError> {
        for node in nodes {
            self.power.back(*node);
            if let Some(silence) = self.dark.remove(node) {
                cluster.remove_rule(silence).await?;
            }
        }
        cluster.start(nodes).await?;
        for node in nodes {
            self.states[*node] = State::Running;
            self.started.push(Started { node: *node, lost: self.lost.remove(node) });
        }
        Ok(())
    }
}

/// When something is done, and where that is noted.
struct Hand<'a> {
    now: Duration,
    deeds: &'a mut Vec<Deed>,
}

impl Hand<'_> {
    fn deed(&mut self, node: Option<usize>, kind: &str, detail: String) {
        self.deeds.push(Deed { at: self.now, node, kind: kind.to_owned(), detail });
    }
}

/// The rules of a fault of the network; none for any other.
fn link_rules(action: &PlannedAction, nodes: usize) -> Vec<LinkRule> {
    let set = |nodes: &[NodeIndex]| nodes.iter().map(|node| node.index()).collect::<BTreeSet<_>>();
    let rest = |own: &BTreeSet<usize>| (0..nodes).filter(|node| !own.contains(node)).collect::<BTreeSet<_>>();
    let cut = |from: BTreeSet<usize>, to| LinkRule::Cut { from, to };
    match action {
        PlannedAction::Partition { groups } => {
            groups.iter().map(|group| set(group)).map(|group| cut(group.clone(), rest(&group))).collect()
        }
        PlannedAction::Isolate { nodes } => nodes
            .iter()
            .map(|node| set(&[*node]))
            .flat_map(|alone| [cut(alone.clone(), rest(&alone)), cut(rest(&alone), alone)])
            .collect(),
        PlannedAction::OneWay { from, to } => vec![cut(set(from), set(to))],
        PlannedAction::Link { between, to, quality } => {
            let (delay, jitter) = (quality.delay, quality.jitter);
            let slow = |from: &[NodeIndex], to: &[NodeIndex]| {
                let (from, to) = (set(from), set(to));
                LinkRule::Slow { from, to, delay, jitter }
            };
            vec![slow(between, to), slow(to, between)]
        }
        _ => Vec::new(),
    }
}

/// What rotted, in words.
fn told(rotten: &[Rotten]) -> String {
    let name = |rotten: &Rotten| rotten.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let files: BTreeSet<_> = rotten.iter().map(name).collect();
    match rotten.len() {
        0 => "there is no such file: nothing was done".to_owned(),
        1 => format!("a bit flips in {}", name(&rotten[0])),
        count => format!("{count} bits flip in {}", files.into_iter().collect::<Vec<_>>().join(" ")),
    }
}
