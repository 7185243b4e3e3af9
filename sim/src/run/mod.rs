//! One run: a scenario and a seed in, a record out.
//!
//! ```text
//!   scenario ─ plan(seed) ─> Faults ──> World ──> Cluster, Workload
//!                                         │ what the nodes do
//!                              Chains ────┴──> Observations ──> Checks (the invariants)
//!                              Samples ──────> series, recovery
//!                                                   └─────────> Record: verdict, figures, the command that repeats it
//! ```

mod chains;
mod checks;
mod expectations;
mod forks;
mod logs;
mod record;
mod samples;

pub use logs::LogFilter;

use crate::{
    HostPanic, LinkModel, World, WorldConfig, WorldError,
    cluster::{Cluster, Spec, stopped_in_order},
    faults::{Deed, Faults},
    invariants::Observation,
    trace::Trace,
    workload::{self, Oracle},
    world::{ThreadPanic, run_on_fresh_thread},
};
use assay_reports::{Event, Record};
use assay_scenarios::Scenario;
use chains::Chains;
use checks::Checks;
use forks::Forks;
use samples::Samples;
use std::{
    cell::RefCell,
    io::{self, Write},
    rc::Rc,
    time::Duration,
};

/// Seconds between two samples.
const SAMPLE_SECONDS: u64 = 1;
/// The end of the run that is left for asking the nodes about what was confirmed.
const AUDIT: Duration = Duration::from_secs(30);
/// Entries of the timeline, at most: a run that makes more is reported with the first of them, and says so.
const TIMELINE_MAX: usize = 2000;

/// How a run is to be done; all of it leaves the run itself as it is, but for `until`.
#[derive(Default)]
pub struct Options {
    /// Source revision, for the record.
    pub git_rev: String,
    /// The command that repeats the run, for the record.
    pub reproduce: String,
    /// Where every event of the trace goes as a line of text.
    pub trace: Option<Box<dyn Write + Send>>,
    /// Whose logs go to standard error, stamped with virtual time.
    pub logs: Option<LogFilter>,
    /// Ends the run early. What the scenario expects is then not judged.
    pub until: Option<Duration>,
}

/// How far a run is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Virtual time.
    pub at: Duration,
    /// When it ends.
    pub end: Duration,
    /// Each node's height; `None` when it is down.
    pub heights: Vec<Option<u64>>,
    /// The faults that are on.
    pub faults: Vec<String>,
}

/// A run that could not be carried out; it says nothing about the node.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The world could not be made.
    #[error(transparent)]
    World(#[from] WorldError),
    /// The workload or another part of the harness panicked.
    #[error("the harness failed: {0}")]
    Harness(String),
    /// The trace could not be written.
    #[error("the trace could not be written: {0}")]
    Trace(#[from] io::Error),
}

impl From<ThreadPanic> for RunError {
    fn from(panic: ThreadPanic) -> Self {
        RunError::Harness(panic.to_string())
    }
}

/// Runs `scenario` with `seed` on a thread of its own and reports how far it is once a virtual second.
///
/// # Errors
/// [`RunError`]; a violated invariant is a verdict, not an error.
pub fn run(
    scenario: &Scenario,
    seed: u64,
    options: Options,
    progress: &mut (dyn FnMut(&Progress) + Send),
) -> Result<Record, RunError> {
    let logs = options.logs.as_ref().map(LogFilter::dispatch);
    run_on_fresh_thread(&format!("{} {seed}", scenario.name), move || {
        let _logs = logs.as_ref().map(tracing::dispatcher::set_default);
        Run::new(scenario, seed, options)?.finish(progress)
    })?
}

/// A run under way.
struct Run<'a> {
    scenario: &'a Scenario,
    seed: u64,
    world: World,
    cluster: Cluster,
    oracle: Rc<RefCell<Oracle>>,
    faults: Faults,
    chains: Chains,
    checks: Checks,
    forks: Forks,
    samples: Samples,
    timeline: Vec<Event>,
    /// How many starts of each node are known to have ended by themselves.
    failed_starts: Vec<u64>,
    options: Options,
    #[allow(clippy::disallowed_types, reason = "the harness measures how long the run takes on the machine")]
    began: std::time::Instant,
}

impl<'a> Run<'a> {
    #[allow(clippy::disallowed_methods, reason = "the harness measures how long the run takes on the machine")]
    fn new(scenario: &'a Scenario, seed: u64, mut options: Options) -> Result<Self, RunError> {
        let began = std::time::Instant::now();
        let network = &scenario.network;
        let link = LinkModel {
            latency: network.latency.min..=network.latency.max,
            jitter: network.jitter,
            loss: f64::from(network.loss.parts_per_million()) / 1e6,
        };
        let mut config = WorldConfig::with_link(seed, link);
        if let Some(sink) = options.trace.take() {
            config.trace = Trace::with_sink(sink);
        }
        let mut world = World::new(config)?;
        let spec = Spec::new(scenario, seed);
        let mut cluster = Cluster::new(&mut world, &spec);
        let client = world.add_host(workload::CLIENT);
        for node in 0..cluster.len() {
            cluster.boot(&mut world, node);
        }
        let oracle = Rc::default();
        let settings = workload::Settings {
            nodes: (0..cluster.len()).map(|node| Spec::api(world.address(cluster.host(node)))).collect(),
            chain_id: spec.genesis.chain_id.clone(),
            accounts: spec.accounts.clone(),
            interval: scenario.workload.transfers_per_second.interval(),
            stake_interval: Duration::from_secs(60).checked_div(scenario.workload.stake_changes_per_minute),
            stake_min: spec.genesis.params.pos.stake_min,
            until: scenario.duration.saturating_sub(scenario.workload.stop_before_end),
            audit_at: scenario.duration.saturating_sub(AUDIT),
        };
        workload::boot(&mut world, client, settings, Rc::clone(&oracle));
        let first = first_block(&spec);
        Ok(Self {
            faults: Faults::new(&scenario.plan(seed)),
            chains: Chains::new(cluster.len(), &spec, &first),
            checks: Checks::new(&spec.genesis, &first, &scenario.expect, spec.liars(scenario)),
            forks: Forks::default(),
            samples: Samples::new(cluster.len(), scenario.duration),
            timeline: Vec::new(),
            failed_starts: vec![0; cluster.len()],
            scenario,
            seed,
            world,
            cluster,
            oracle,
            options,
            began,
        })
    }

    fn finish(mut self, progress: &mut (dyn FnMut(&Progress) + Send)) -> Result<Record, RunError> {
        let end = self.options.until.map_or(self.scenario.duration, |until| until.min(self.scenario.duration));
        while self.world.now() < end {
            let sample_at = Duration::from_secs(self.world.now().as_secs() + SAMPLE_SECONDS);
            let next = self.faults.next().unwrap_or(end).min(sample_at).min(end);
            let panicked = self.world.run_until(next).err();
            self.observe();
            if let Some(panic) = panicked {
                self.on_panic(&panic)?;
                break;
            }
            if self.world.now() >= sample_at {
                self.sample();
                progress(&self.progress(end));
            }
            let deeds = self.faults.apply_due(&mut self.world, &mut self.cluster);
            self.on_deeds(&deeds);
        }
        self.end();
        self.world.trace().finish()?;
        Ok(self.into_record())
    }

    /// Takes in what the nodes did since the last time.
    fn observe(&mut self) {
        for (at, node, seen) in self.cluster.take_seen() {
            let mut sink = chains::Sink { at, node, checks: &mut self.checks, timeline: &mut self.timeline };
            let confirmed = self.chains.take(seen, &mut self.world, &self.cluster, &mut sink);
            self.oracle.borrow_mut().confirmed(&confirmed, at);
        }
        let at = self.world.now();
        for answer in self.oracle.borrow_mut().take_answers() {
            let (id, confirmed, said) = (answer.id, answer.confirmed, answer.said.as_str());
            self.checks.observe(at, answer.node, &Observation::Answered { id, confirmed, said });
        }
        for node in 0..self.cluster.len() {
            let starts = self.cluster.starts(node);
            let exit = self.world.exited(self.cluster.host(node)).filter(|exit| !stopped_in_order(exit));
            if let Some(reason) = exit.filter(|_| self.failed_starts[node] != starts) {
                self.failed_starts[node] = starts;
                if self.cluster.has_refused(&self.world, node) && self.faults.wants_refusal(node) {
                    self.note(Some(node), "refused", reason);
                    continue;
                }
                self.note(Some(node), "failed", reason.clone());
                self.checks.observe(at, node, &Observation::Failed { reason: &reason });
            }
        }
    }

    fn on_panic(&mut self, panic: &HostPanic) -> Result<(), RunError> {
        let Some(node) = self.cluster.by_host().get(&panic.id).copied() else {
            return Err(RunError::Harness(panic.to_string()));
        };
        let reason = format!("panicked at {}: {}", panic.location, panic.message);
        self.note(Some(node), "panic", reason.clone());
        self.checks.observe(panic.at, node, &Observation::Failed { reason: &reason });
        Ok(())
    }

    fn on_deeds(&mut self, deeds: &[Deed]) {
        for deed in deeds {
            self.note(deed.node, &deed.kind, deed.detail.clone());
        }
        for node in 0..self.cluster.len() {
            let lie_ended = deeds.iter().any(|deed| deed.kind == "lie over");
            if let Some(defence) = self.cluster.defence(node).filter(|_| lie_ended) {
                self.note(Some(node), "defence", defence);
            }
        }
        let now = self.world.now();
        for (node, ..) in self.faults.rotten().iter().filter(|(_, at, rotten)| *at == now && !rotten.is_empty()) {
            self.checks.observe(now, *node, &Observation::Damaged);
        }
        let ended = self.faults.progress().iter().filter(|fault| fault.ended_at == Some(now));
        let forks: Vec<_> = ended.filter_map(|fault| self.forks.split_ended(&fault.fault, now, &self.chains)).collect();
        for fork in forks {
            self.note(None, "fork", fork);
        }
    }

    fn note(&mut self, node: Option<usize>, kind: &str, detail: String) {
        let host = node.map(|node| format!("n{node}"));
        push(&mut self.timeline, Event { at: self.world.now().as_secs_f64(), host, kind: kind.to_owned(), detail });
    }

    fn sample(&mut self) {
        let sample = self.samples.take(&self.world, &self.cluster, &self.faults, &mut self.chains);
        self.checks.observe(self.world.now(), 0, &Observation::Sample(&sample));
        for (node, before, now) in self.samples.storage_changes() {
            self.note(Some(node), "storage", format!("its storage is {}, and was {}", now.name(), before.name()));
        }
        for node in (0..self.cluster.len()).filter(|node| !self.cluster.has_lied(*node)) {
            if let Some(view) = self.cluster.view(node) {
                let fills = view.metrics.load.fills();
                self.checks.observe(self.world.now(), node, &Observation::Load { fills: &fills });
            }
        }
        for node in self.samples.have_noticed() {
            self.checks.observe(self.world.now(), node, &Observation::Noticed);
        }
    }

    fn progress(&self, end: Duration) -> Progress {
        let heights =
            (0..self.cluster.len()).map(|node| self.cluster.snapshot(node).map(|s| s.head.height.0)).collect();
        let faults = self.faults.on().map(|fault| format!("{} {}", fault.fault.kind, fault.fault.detail)).collect();
        Progress { at: self.world.now(), end, heights, faults }
    }

    /// The last look at everything.
    fn end(&mut self) {
        self.faults.finish(&mut self.world);
        let included = self.chains.included(&self.world, &self.cluster);
        let sample = self.samples.last(&self.faults);
        if self.options.until.is_none() {
            self.look_for_damage();
            let end = Observation::End { sample: &sample, included: &included };
            self.checks.observe(self.world.now(), 0, &end);
        }
    }
}

impl Run<'_> {
    /// Tells what of the damage done to files is still there. A file that is gone has taken its damage along.
    fn look_for_damage(&mut self) {
        let now = self.world.now();
        for (node, _, rotten) in self.faults.rotten() {
            let files = self.world.disk(self.cluster.host(*node)).files();
            for rotten in rotten.iter().filter(|rotten| files.contains_key(&rotten.path)) {
                let still = Observation::StillDamaged { path: &rotten.path, offset: rotten.offset };
                self.checks.observe(now, *node, &still);
            }
        }
    }
}

fn push(timeline: &mut Vec<Event>, event: Event) {
    match timeline.len() {
        ..TIMELINE_MAX => timeline.push(event),
        TIMELINE_MAX => {
            let detail = format!("more happened: the timeline ends after {TIMELINE_MAX} entries");
            timeline.push(Event { host: None, kind: "cut".to_owned(), detail, ..event });
        }
        _ => {}
    }
}

fn first_block(spec: &Spec) -> assay_node::types::Block {
    let executed = assay_node::ledger::execute_genesis(&spec.genesis).expect("executing a document reads nothing");
    spec.genesis.block(executed.state_root)
}
