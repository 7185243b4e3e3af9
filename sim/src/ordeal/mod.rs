//! What a run is judged by, wherever its nodes run: in the simulator, as processes or as containers.
//!
//! ```text
//!   what the nodes do ─ Seen ──> Chains ──┐
//!   what they show ─── Shown ──> Samples ─┼──> Observations ──> Checks (the invariants)
//!   what was done ──── Deed ───> timeline ┘
//!                                              └──> Record: verdict, figures, the command that repeats it
//! ```
//!
//! It knows no world, no process and no clock: whoever carries a run out says what happened and when.

mod chains;
mod checks;
mod expectations;
mod forks;
mod record;
mod samples;
mod schedule;
mod seen;
mod window;

pub use record::About;
pub use schedule::{Deed, Progress, Schedule};
pub use seen::{Inside, Last, Met, Outside, Seen, Shown};

use crate::{
    invariants::{Observation, Sample},
    workload::Oracle,
};
use assay_node::{
    Fill,
    crypto::Address,
    types::{Block, Genesis},
};
use assay_reports::Event;
use assay_scenarios::Scenario;
use chains::{Chains, Sink};
use checks::Checks;
use forks::Forks;
use samples::Samples;
use std::{cell::RefCell, collections::BTreeSet, rc::Rc, time::Duration};
use window::Window;

/// Seconds between two samples.
pub const SAMPLE_SECONDS: u64 = 1;
/// The end of the run that is left for asking the nodes about what was confirmed.
pub const AUDIT: Duration = Duration::from_secs(30);
/// Entries of the timeline, at most: a run that makes more is reported with the first of them, and says so.
const TIMELINE_MAX: usize = 2000;

/// A run under judgement.
pub struct Ordeal<'a> {
    scenario: &'a Scenario,
    oracle: Rc<RefCell<Oracle>>,
    chains: Chains,
    checks: Checks,
    forks: Forks,
    samples: Samples,
    timeline: Vec<Event>,
    window: Window,
}

impl<'a> Ordeal<'a> {
    /// Nodes of `scenario` on the chain of `genesis`. `liars` are the accounts that may contradict themselves. What users
    /// do and find goes through `oracle`.
    pub fn new(
        scenario: &'a Scenario,
        genesis: &Genesis,
        liars: BTreeSet<Address>,
        oracle: Rc<RefCell<Oracle>>,
    ) -> Self {
        let nodes = usize::from(scenario.nodes.get());
        let first = first_block(genesis);
        Self {
            scenario,
            oracle,
            chains: Chains::new(nodes, genesis, &first),
            checks: Checks::new(genesis, &first, &scenario.expect, liars),
            forks: Forks::default(),
            samples: Samples::new(nodes, scenario.duration),
            timeline: Vec::new(),
            window: Window::default(),
        }
    }

    /// A node's chain did something. `inside` is none for a node that has stopped since.
    pub fn seen(&mut self, at: Duration, node: usize, seen: Seen, inside: Option<&mut dyn Inside>) {
        self.window.seen(at, node, &seen, self.checks.first_violation().map(|(_, found)| found.at));
        let mut sink = Sink { at, node, checks: &mut self.checks, timeline: &mut self.timeline };
        let confirmed = self.chains.take(seen, inside, &mut sink);
        self.oracle.borrow_mut().confirmed(&confirmed, at);
    }

    /// Takes in what users were answered since the last time.
    pub fn answers(&mut self, at: Duration) {
        for answer in self.oracle.borrow_mut().take_answers() {
            let (id, confirmed, said) = (answer.id, answer.confirmed, answer.said.as_str());
            self.checks.observe(at, answer.node, &Observation::Answered { id, confirmed, said });
        }
    }

    /// A node stopped by itself, or one of its tasks panicked; `kind` is the timeline's word for it.
    pub fn failed(&mut self, at: Duration, node: usize, kind: &str, reason: &str) {
        self.note(at, Some(node), kind, reason.to_owned());
        self.checks.observe(at, node, &Observation::Failed { reason });
    }

    /// Things were done to the cluster; faults of `schedule` may have ended with them.
    pub fn deeds(&mut self, at: Duration, deeds: &[Deed], schedule: &Schedule) {
        for deed in deeds {
            self.note(at, deed.node, &deed.kind, deed.detail.clone());
        }
        let ended = schedule.progress().iter().filter(|fault| fault.ended_at == Some(at));
        let forks: Vec<_> = ended.filter_map(|fault| self.forks.split_ended(&fault.fault, at, &self.chains)).collect();
        for fork in forks {
            self.note(at, None, "fork", fork);
        }
    }

    /// Bytes of a node's files were damaged at rest.
    pub fn damaged(&mut self, at: Duration, node: usize) {
        self.checks.observe(at, node, &Observation::Damaged);
    }

    /// The run is over, and a byte of a node's file is still as the damage left it.
    pub fn still_damaged(&mut self, at: Duration, node: usize, path: &str, offset: u64) {
        self.checks.observe(at, node, &Observation::StillDamaged { path, offset });
    }

    /// An entry of the timeline.
    pub fn note(&mut self, at: Duration, node: Option<usize>, kind: &str, detail: String) {
        let host = node.map(|node| format!("n{node}"));
        push(&mut self.timeline, Event { at: at.as_secs_f64(), host, kind: kind.to_owned(), detail });
    }

    /// What all nodes show at one moment; those that do not run show nothing. `liars` says which have lied by now.
    pub fn sample(&mut self, at: Duration, shown: Vec<Option<Shown>>, liars: Vec<bool>, schedule: &Schedule) {
        let sample = self.samples.take(at, shown, liars, schedule, &mut self.chains);
        self.checks.observe(at, 0, &Observation::Sample(&sample));
        for (node, before, now) in self.samples.storage_changes() {
            self.note(at, Some(node), "storage", format!("its storage is {}, and was {}", now.name(), before.name()));
        }
    }

    /// How full everything is that a node bounds.
    pub fn load(&mut self, at: Duration, node: usize, fills: &[Fill]) {
        self.checks.observe(at, node, &Observation::Load { fills });
    }

    /// Takes in which nodes have met damage between the last two samples.
    pub fn noticed(&mut self, at: Duration) {
        let noticed: Vec<_> = self.samples.have_noticed().collect();
        for node in noticed {
            self.checks.observe(at, node, &Observation::Noticed);
        }
    }

    /// The last sample, as the properties see it.
    pub fn last_sample(&self, schedule: &Schedule) -> Sample {
        self.samples.last(schedule)
    }

    /// The run is over, and was carried out to its end. `judged` says which nodes run and have never lied.
    pub fn end(&mut self, at: Duration, schedule: &Schedule, judged: impl Fn(usize) -> bool) {
        let included = self.chains.included(judged);
        let sample = self.samples.last(schedule);
        self.checks.observe(at, 0, &Observation::End { sample: &sample, included: &included });
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

/// The first block of the chain of `genesis`.
///
/// # Panics
/// When the document is not valid.
pub fn first_block(genesis: &Genesis) -> Block {
    let executed = assay_node::ledger::execute_genesis(genesis).expect("executing a document reads nothing");
    genesis.block(executed.state_root)
}
