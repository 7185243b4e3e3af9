//! A live run: a scenario and a seed in, a record out, in the time of the machine.
//!
//! ```text
//!   scenario ─ plan(seed) ─> Faults ──> Backend ──> processes or containers
//!                              │            │ what their APIs say, once a second (Eye)
//!                              └──────> Ordeal <── users (assay_sim::workload)
//!                                          └─────> Record
//! ```

use super::{
    backend::Backend,
    eye::{Eye, Look},
    faults::{Faults, State},
};
use crate::TestnetError;
use assay_node::api::Client;
use assay_reports::{Record, scrapes::Scraper};
use assay_scenarios::Scenario;
use assay_sim::{
    cluster::Spec,
    ordeal::{About, Last, Ordeal, Outside, SAMPLE_SECONDS, Shown},
    run::{Played, Progress},
    scrape,
    workload::{self, Nodes, Oracle, Settings},
};
use futures::future::join_all;
use std::{cell::RefCell, rc::Rc, time::Duration};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep_until, timeout},
};

/// Seconds without an answer after which a node that should run shows nothing.
const SILENT_MAX: Duration = Duration::from_secs(3);
/// How long the users may take beyond the end of the run, to ask their last questions.
const USERS_LATE_MAX: Duration = Duration::from_secs(60);

/// What a live run is told.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Source revision, for the record.
    pub git_rev: String,
    /// The command that repeats the run, for the record.
    pub reproduce: String,
}

/// Plays `scenario` on `cluster`, whose nodes are laid out and do not run.
///
/// # Errors
/// When the system refuses something; a violated invariant is a verdict, not an error.
pub(crate) async fn run<B: Backend>(
    scenario: &Scenario,
    spec: &Spec,
    cluster: B,
    options: Options,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Played, TestnetError> {
    let oracle: Rc<RefCell<Oracle>> = Rc::default();
    let nodes = cluster.count();
    let began = Instant::now();
    let mut run = Run {
        scenario,
        faults: Faults::new(&scenario.plan(spec.seed), nodes),
        ordeal: Ordeal::new(scenario, &spec.genesis, spec.liars(scenario), Rc::clone(&oracle)),
        eyes: Vec::new(),
        shown: vec![None; nodes],
        starts: vec![0; nodes],
        scraper: Rc::new(RefCell::new(scrape::scraper(scenario))),
        cluster,
        began,
    };
    let outcome = run.play(spec, oracle, progress).await;
    let (now, shown) = (run.now(), run.shown(run.now()));
    run.cluster.end().await?;
    outcome?;
    let scrapes = run.scraper.replace(scrape::scraper(scenario)).finish();
    Ok(Played::new(run.into_record(now, &shown, spec.seed, options), scrapes))
}

struct Run<'a, B> {
    scenario: &'a Scenario,
    cluster: B,
    faults: Faults,
    ordeal: Ordeal<'a>,
    eyes: Vec<Eye>,
    /// What each node showed last, and when.
    shown: Vec<Option<(Duration, Shown)>>,
    starts: Vec<u64>,
    scraper: Rc<RefCell<Scraper>>,
    began: Instant,
}

impl<B: Backend> Run<'_, B> {
    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    async fn play(
        &mut self,
        spec: &Spec,
        oracle: Rc<RefCell<Oracle>>,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<(), TestnetError> {
        let genesis = assay_sim::ordeal::first_block(&spec.genesis).hash();
        let all: Vec<usize> = (0..self.cluster.count()).collect();
        self.cluster.start(&all).await?;
        for node in all {
            self.starts[node] += 1;
            let api = self.cluster.api(node);
            let client = Client::new(api.to_string(), move || TcpStream::connect(api));
            let mut eye = Eye::new(client, spec.proposer(node).address(), genesis);
            eye.started(false);
            self.eyes.push(eye);
        }
        self.began = Instant::now();
        let users = tokio::task::spawn_local(workload::run(self.users(), Settings::new(self.scenario, spec), oracle));
        let scraping = {
            let (clients, scraper) = (self.clients(), Rc::clone(&self.scraper));
            tokio::task::spawn_local(async move { scrape::run(&clients, &scraper).await })
        };
        let end = self.scenario.duration;
        let mut next_sample = Duration::from_secs(SAMPLE_SECONDS);
        while self.now() < end {
            let next = self.faults.next().unwrap_or(end).min(next_sample).min(end);
            sleep_until(self.began + next).await;
            self.see_ends().await?;
            if self.now() >= next_sample {
                self.look().await;
                progress(&self.progress());
                // Samples that were missed because something took long are not made up for.
                next_sample = Duration::from_secs(self.now().as_secs() + SAMPLE_SECONDS);
            }
            let now = self.now();
            let deeds = self.faults.apply_due(now, &mut self.cluster).await?;
            self.ordeal.deeds(now, &deeds, self.faults.schedule());
            for started in self.faults.take_started() {
                self.starts[started.node] += 1;
                self.eyes[started.node].started(started.lost);
                self.shown[started.node] = None;
            }
            for (node, ..) in self.faults.rotten().iter().filter(|(_, at, hit)| *at == now && !hit.is_empty()) {
                self.ordeal.damaged(now, *node);
            }
        }
        scraping.abort();
        // A user's last questions are of this run.
        let asked = timeout(USERS_LATE_MAX, users).await;
        if !matches!(asked, Ok(Ok(()))) {
            return Err(TestnetError::Users(
                asked.map_or_else(|_| "they did not end".into(), |ended| format!("{ended:?}")),
            ));
        }
        self.ordeal.answers(self.now());
        self.finish();
        Ok(())
    }

    /// Clients of all nodes, as whoever is elsewhere has them.
    fn clients(&self) -> Vec<Client> {
        let client = |node| self.faults.power().client(node, self.cluster.api(node));
        (0..self.cluster.count()).map(client).collect()
    }

    fn users(&self) -> Nodes {
        let (clients, began) = (self.clients(), self.began);
        Nodes { clients, now: Box::new(move || began.elapsed()), notes: Box::new(|_, _| ()) }
    }

    /// Takes in which processes have ended by themselves.
    async fn see_ends(&mut self) -> Result<(), TestnetError> {
        for node in 0..self.cluster.count() {
            let Some(exit) = self.cluster.exited(node).await? else { continue };
            let now = self.now();
            if !self.faults.ended(node, &exit) {
                continue;
            }
            if self.faults.wants_refusal(node) {
                self.faults.refused(node);
                self.ordeal.note(now, Some(node), "refused", exit.reason);
                continue;
            }
            self.ordeal.failed(now, node, "failed", &exit.reason);
        }
        Ok(())
    }

    /// Looks at all nodes, and takes in what they show.
    async fn look(&mut self) {
        let states: Vec<State> = (0..self.cluster.count()).map(|node| self.faults.state(node)).collect();
        let looks = self.eyes.iter_mut().zip(&states).map(|(eye, state)| async move {
            match state {
                State::Running | State::Stopping => eye.look().await,
                State::Paused | State::Down => Look::default(),
            }
        });
        let looks = join_all(looks).await;
        let now = self.now();
        for (node, look) in looks.into_iter().enumerate() {
            for seen in look.seen {
                self.ordeal.seen(now, node, seen, Some(&mut Outside));
            }
            if !look.fills.is_empty() {
                self.ordeal.load(now, node, &look.fills);
            }
            if let Some(shown) = look.shown {
                self.shown[node] = Some((now, shown));
                if shown.storage == assay_node::StorageState::Full {
                    self.faults.is_full(node);
                }
            }
        }
        self.ordeal.answers(now);
        let shown = self.shown(now);
        let liars = vec![false; shown.len()];
        self.ordeal.sample(now, shown, liars, self.faults.schedule());
        self.ordeal.noticed(now);
    }

    /// What each node shows: a process that stands still shows what it did, one that is down or silent nothing.
    fn shown(&self, now: Duration) -> Vec<Option<Shown>> {
        let of = |(node, shown): (usize, &Option<(Duration, Shown)>)| match self.faults.state(node) {
            State::Down => None,
            State::Paused => shown.map(|(_, shown)| shown),
            State::Running | State::Stopping => {
                shown.filter(|(at, _)| now.saturating_sub(*at) <= SILENT_MAX).map(|(_, shown)| shown)
            }
        };
        self.shown.iter().enumerate().map(of).collect()
    }

    fn progress(&self) -> Progress {
        let now = self.now();
        let heights = self.shown(now).into_iter().map(|shown| shown.map(|shown| shown.height.0)).collect();
        let on = self.faults.schedule().on();
        let faults = on.map(|fault| format!("{} {}", fault.fault.kind, fault.fault.detail)).collect();
        Progress { at: now, end: self.scenario.duration, heights, faults }
    }

    /// The last look at everything.
    fn finish(&mut self) {
        let now = self.now();
        for (node, _, rotten) in self.faults.rotten() {
            for rotten in rotten.iter().filter(|rotten| rotten.is_still_there()) {
                self.ordeal.still_damaged(now, *node, &rotten.path.display().to_string(), rotten.offset);
            }
        }
        let faults = &self.faults;
        self.ordeal.end(now, faults.schedule(), |node| faults.state(node) == State::Running);
    }

    /// The record of the run, which was over at `now`, when the nodes showed this.
    fn into_record(self, now: Duration, shown: &[Option<Shown>], seed: u64, options: Options) -> Record {
        let Self { ordeal, faults, starts, eyes, .. } = self;
        let nodes = shown.iter().zip(starts).zip(&eyes).map(|((shown, starts), eye)| Last {
            height: shown.map_or_else(Default::default, |shown| shown.height),
            confirmed: shown.map_or_else(Default::default, |shown| shown.confirmed),
            head: shown.map(|_| eye.head()),
            starts,
        });
        let about = About {
            seed,
            backend: B::NAME,
            git_rev: options.git_rev,
            reproduce: options.reproduce,
            now,
            wall: now,
            complete: true,
            trace_hash: String::new(),
            trace: Vec::new(),
            nodes: nodes.collect(),
        };
        ordeal.into_record(about, faults.schedule(), |node| faults.state(node) == State::Running)
    }
}
