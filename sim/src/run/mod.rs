//! One run: a scenario and a seed in, a record out.
//!
//! ```text
//!   scenario ─ plan(seed) ─> Faults ──> World ──> Cluster, Workload
//!                              │          │ what the nodes do and show
//!                              └──────> Ordeal ──> Record: verdict, figures, the command that repeats it
//! ```

mod inside;
mod logs;
mod trace;

pub use logs::LogFilter;

use crate::{
    HostPanic, LinkModel, World, WorldConfig, WorldError,
    cluster::{Cluster, Spec, stopped_in_order},
    faults::Faults,
    ordeal::{About, Deed, Inside, Ordeal, SAMPLE_SECONDS, Shown},
    scrape,
    trace::Trace,
    workload::{self, Oracle},
    world::{ThreadPanic, run_on_fresh_thread},
};
use assay_reports::{
    Record,
    scrapes::{Scraper, Scrapes},
};
use assay_scenarios::Scenario;
use std::{
    cell::RefCell,
    io::{self, Write},
    rc::Rc,
    time::Duration,
};

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

/// What a run leaves.
#[derive(Clone, Debug)]
pub struct Played {
    /// What there is to know of it, and its verdict.
    pub record: Record,
    /// The metrics of its nodes.
    pub scrapes: Scrapes,
}

impl Played {
    /// A run with its metrics, some of which the report draws.
    pub fn new(mut record: Record, scrapes: Scrapes) -> Self {
        record.series.extend(scrapes.series());
        Self { record, scrapes }
    }
}

/// As [`play`], for those who want the record alone.
///
/// # Errors
/// [`RunError`].
pub fn run(
    scenario: &Scenario,
    seed: u64,
    options: Options,
    progress: &mut (dyn FnMut(&Progress) + Send),
) -> Result<Record, RunError> {
    Ok(play(scenario, seed, options, progress)?.record)
}

/// Runs `scenario` with `seed` on a thread of its own and reports how far it is once a virtual second.
///
/// # Errors
/// [`RunError`]; a violated invariant is a verdict, not an error.
pub fn play(
    scenario: &Scenario,
    seed: u64,
    options: Options,
    progress: &mut (dyn FnMut(&Progress) + Send),
) -> Result<Played, RunError> {
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
    faults: Faults,
    ordeal: Ordeal<'a>,
    scraper: Rc<RefCell<Scraper>>,
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
        let [client, prometheus] = [workload::CLIENT, scrape::HOST].map(|name| world.add_host(name));
        for node in 0..cluster.len() {
            cluster.boot(&mut world, node);
        }
        let oracle: Rc<RefCell<Oracle>> = Rc::default();
        let apis: Vec<_> = (0..cluster.len()).map(|node| Spec::api(world.address(cluster.host(node)))).collect();
        workload::boot(&mut world, client, &apis, workload::Settings::new(scenario, &spec), Rc::clone(&oracle));
        let scraper = Rc::new(RefCell::new(scrape::scraper(scenario)));
        scrape::boot(&mut world, prometheus, &apis, Rc::clone(&scraper));
        Ok(Self {
            faults: Faults::new(&scenario.plan(seed)),
            ordeal: Ordeal::new(scenario, &spec.genesis, spec.liars(scenario), Rc::clone(&oracle)),
            failed_starts: vec![0; cluster.len()],
            scraper,
            scenario,
            seed,
            world,
            cluster,
            options,
            began,
        })
    }

    fn finish(mut self, progress: &mut (dyn FnMut(&Progress) + Send)) -> Result<Played, RunError> {
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
        let scrapes = self.scraper.replace(scrape::scraper(self.scenario)).finish();
        Ok(Played::new(self.into_record(), scrapes))
    }

    /// Takes in what the nodes did since the last time.
    fn observe(&mut self) {
        for (at, node, seen) in self.cluster.take_seen() {
            self.world.trace().record(
                self.cluster.host(node),
                trace::CHAIN,
                at,
                format_args!("{}", trace::Line(&seen)),
            );
            let mut within = inside::Within::new(&mut self.world, &self.cluster, node);
            let inside = within.as_mut().map(|within| within as &mut dyn Inside);
            self.ordeal.seen(at, node, seen, inside);
        }
        let now = self.world.now();
        self.ordeal.answers(now);
        for node in 0..self.cluster.len() {
            let starts = self.cluster.starts(node);
            let exit = self.world.exited(self.cluster.host(node)).filter(|exit| !stopped_in_order(exit));
            if let Some(reason) = exit.filter(|_| self.failed_starts[node] != starts) {
                self.failed_starts[node] = starts;
                if self.cluster.has_refused(&self.world, node) && self.faults.wants_refusal(node) {
                    self.ordeal.note(now, Some(node), "refused", reason);
                    continue;
                }
                self.ordeal.failed(now, node, "failed", &reason);
            }
        }
    }

    fn on_panic(&mut self, panic: &HostPanic) -> Result<(), RunError> {
        let Some(node) = self.cluster.by_host().get(&panic.id).copied() else {
            return Err(RunError::Harness(panic.to_string()));
        };
        let reason = format!("panicked at {}: {}", panic.location, panic.message);
        self.ordeal.failed(panic.at, node, "panic", &reason);
        Ok(())
    }

    fn on_deeds(&mut self, deeds: &[Deed]) {
        let now = self.world.now();
        self.ordeal.deeds(now, deeds, self.faults.schedule());
        for node in 0..self.cluster.len() {
            let lie_ended = deeds.iter().any(|deed| deed.kind == "lie over");
            if let Some(defence) = self.cluster.defence(node).filter(|_| lie_ended) {
                self.ordeal.note(now, Some(node), "defence", defence);
            }
        }
        for (node, ..) in self.faults.rotten().iter().filter(|(_, at, rotten)| *at == now && !rotten.is_empty()) {
            self.ordeal.damaged(now, *node);
        }
    }

    fn sample(&mut self) {
        let now = self.world.now();
        let nodes = 0..self.cluster.len();
        let shown = nodes.clone().map(|node| self.show(node)).collect();
        let liars: Vec<_> = nodes.clone().map(|node| self.cluster.has_lied(node)).collect();
        self.ordeal.sample(now, shown, liars.clone(), self.faults.schedule());
        for node in nodes.filter(|node| !liars[*node]) {
            if let Some(view) = self.cluster.view(node) {
                self.ordeal.load(now, node, &view.metrics.load.fills());
            }
        }
        self.ordeal.noticed(now);
    }

    fn show(&self, node: usize) -> Option<Shown> {
        let view = self.cluster.view(node).filter(|_| self.world.is_up(self.cluster.host(node)))?;
        Some(inside::shown(&view, self.cluster.starts(node)))
    }

    fn progress(&self, end: Duration) -> Progress {
        let heights =
            (0..self.cluster.len()).map(|node| self.cluster.snapshot(node).map(|s| s.head.height.0)).collect();
        let on = self.faults.schedule().on();
        let faults = on.map(|fault| format!("{} {}", fault.fault.kind, fault.fault.detail)).collect();
        Progress { at: self.world.now(), end, heights, faults }
    }

    /// The last look at everything.
    fn end(&mut self) {
        self.faults.finish(&mut self.world);
        if self.options.until.is_none() {
            self.look_for_damage();
            let (world, cluster) = (&self.world, &self.cluster);
            self.ordeal.end(world.now(), self.faults.schedule(), |node| is_judged(world, cluster, node));
        }
    }

    /// Tells what of the damage done to files is still there. A file that is gone has taken its damage along.
    fn look_for_damage(&mut self) {
        let now = self.world.now();
        for (node, _, rotten) in self.faults.rotten() {
            let files = self.world.disk(self.cluster.host(*node)).files();
            for rotten in rotten.iter().filter(|rotten| files.contains_key(&rotten.path)) {
                self.ordeal.still_damaged(now, *node, &rotten.path, rotten.offset);
            }
        }
    }

    fn into_record(self) -> Record {
        let Self { ordeal, world, cluster, faults, options, began, seed, .. } = self;
        let about = About {
            seed,
            backend: "sim",
            git_rev: options.git_rev,
            reproduce: options.reproduce,
            now: world.now(),
            wall: began.elapsed(),
            complete: options.until.is_none(),
            trace_hash: world.trace().hash_hex(),
            trace: trace::lanes(&world),
            nodes: (0..cluster.len()).map(|node| inside::last(&cluster, node)).collect(),
        };
        ordeal.into_record(about, faults.schedule(), |node| is_judged(&world, &cluster, node))
    }
}

/// Whether a node runs and has never lied.
fn is_judged(world: &World, cluster: &Cluster, node: usize) -> bool {
    world.is_up(cluster.host(node)) && !cluster.has_lied(node)
}
