//! The record of a run that is over.

use super::{
    Ordeal, expectations,
    schedule::{Progress, Schedule},
    seen::Last,
};
use crate::workload::{Kept, Requests};
use assay_reports::{
    Asked, Expectation, Fault, Invariant, InvariantStatus, Node, Record, RequestCounts, SCHEMA_VERSION, ScenarioFile,
    TraceHash, Verdict, Workload,
};
use std::time::Duration;

/// What whoever carried a run out knows of it.
#[derive(Clone, Debug)]
pub struct About {
    /// From which its choices followed.
    pub seed: u64,
    /// Where it ran: `sim`, `process` or `compose`.
    pub backend: &'static str,
    /// Source revision.
    pub git_rev: String,
    /// The command that repeats it.
    pub reproduce: String,
    /// When it was over, since it began.
    pub now: Duration,
    /// How long it took on the machine.
    pub wall: Duration,
    /// Whether it was carried out to its end, so that what the scenario expects is judged.
    pub complete: bool,
    /// Hash over all of `trace`, in hex; empty where nothing is traced.
    pub trace_hash: String,
    /// The lanes of the trace.
    pub trace: Vec<TraceHash>,
    /// The nodes as they are.
    pub nodes: Vec<Last>,
}

impl Ordeal<'_> {
    /// Judges the run and writes down what there is to know of it. `judged` says which nodes run and have never lied.
    pub fn into_record(self, about: About, schedule: &Schedule, judged: impl Fn(usize) -> bool) -> Record {
        let included = self.chains.included(judged);
        let (counts, lost) = {
            let oracle = self.oracle.borrow();
            (oracle.counts(), oracle.lost(included.values()))
        };
        let expectations = match about.complete {
            false => Vec::new(),
            true => expectations::judge(&expectations::Measured {
                scenario: self.scenario,
                faults: schedule,
                samples: &self.samples,
                chains: &self.chains,
                forks: &self.forks,
                lost,
                confirmed: counts.confirmed,
            }),
        };
        let failure = self.failure(&expectations, schedule, about.complete);
        Record {
            schema_version: SCHEMA_VERSION,
            scenario: self.scenario.name.clone(),
            about: self.scenario.about.clone(),
            seed: about.seed,
            backend: about.backend.to_owned(),
            git_rev: about.git_rev,
            verdict: if failure.is_none() { Verdict::Passed } else { Verdict::Violated },
            virtual_seconds: about.now.as_secs_f64(),
            wall_seconds: about.wall.as_secs_f64(),
            trace_hash: about.trace_hash,
            nodes: about.nodes.iter().enumerate().map(|(node, last)| self.node(node, last)).collect(),
            faults: schedule.progress().iter().map(fault).collect(),
            invariants: self.invariants(),
            expectations,
            recovery: self.samples.recovery(schedule, &self.oracle.borrow(), lost),
            // They are judged from the metrics, by whoever has Prometheus's engine.
            alerts: Vec::new(),
            steps: if self.checks.first_violation().is_some() { self.window.steps() } else { Vec::new() },
            workload: Workload {
                submitted: counts.submitted,
                acknowledged: counts.acknowledged,
                rejected: counts.refused,
                unknown: counts.unknown,
                confirmed: counts.confirmed,
                lost,
            },
            requests: requests(self.oracle.borrow().requests()),
            trace: about.trace,
            series: self.samples.series(),
            scenario_file: Some(ScenarioFile { name: self.scenario.file.clone(), text: self.scenario.text.clone() }),
            reproduce: about.reproduce,
            failure,
            timeline: {
                let mut timeline = self.timeline;
                timeline.sort_by(|a, b| a.at.total_cmp(&b.at));
                timeline
            },
        }
    }

    /// Why the run has not passed: the first violation, else a fault that has not fired, else what was expected.
    fn failure(&self, expectations: &[Expectation], schedule: &Schedule, complete: bool) -> Option<String> {
        if self.scenario.planted && complete {
            return self.planted_failure();
        }
        if let Some((name, found)) = self.checks.first_violation() {
            return Some(format!("{name} violated at {:.3} s: {}", found.at.as_secs_f64(), found.detail));
        }
        if complete && let Some(idle) = schedule.progress().iter().find(|fault| fault.hits == 0) {
            let (file, line, fault) = (&self.scenario.file, idle.fault.line, &idle.fault);
            return Some(format!("{file}:{line}: {} ({}) never fired: it met nothing", fault.id, fault.kind));
        }
        let unmet = expectations.iter().find(|expectation| !expectation.met)?;
        let place = unmet.line.map_or_else(String::new, |line| format!("{}:{line}: ", self.scenario.file));
        Some(format!("{place}{} is {}, and {} was expected", unmet.name, unmet.actual, unmet.expected))
    }

    /// Why a planted run has not passed: something that must be violated was not.
    fn planted_failure(&self) -> Option<String> {
        let violated = |name: &str| self.checks.all().iter().any(|c| c.invariant.name() == name && c.found.is_some());
        let missed = self.scenario.expect.violates.iter().find(|name| !violated(name))?;
        Some(format!("{}: {missed} must be violated, since the scenario is planted, and it held", self.scenario.file))
    }

    fn node(&self, node: usize, last: &Last) -> Node {
        let chain = self.chains.of(node);
        Node {
            name: format!("n{node}"),
            height: last.height.0,
            confirmed_height: last.confirmed.0,
            head: last.head.map_or_else(String::new, |head| head.to_string()),
            peers: self.samples.peers(node),
            restarts: last.starts.saturating_sub(1),
            blocks_produced: chain.produced,
            reorgs: chain.reorgs,
            reorg_depth_max: chain.reorg_depth_max,
        }
    }

    fn invariants(&self) -> Vec<Invariant> {
        let all = self.checks.all().iter();
        all.map(|check| Invariant {
            name: check.invariant.name().to_owned(),
            status: match (&check.found, check.count) {
                (Some(_), _) => InvariantStatus::Violated,
                (None, 0) => InvariantStatus::NotChecked,
                (None, _) => InvariantStatus::Held,
            },
            at: check.found.as_ref().map(|found| found.at.as_secs_f64()),
            detail: check.found.as_ref().map_or_else(|| held(&*check.invariant), |found| found.detail.clone()),
            checks: check.count,
        })
        .collect()
    }
}

/// What is said of a property that held.
fn held(invariant: &dyn crate::invariants::Invariant) -> String {
    let about = invariant.about().to_owned();
    invariant.measured().map_or(about.clone(), |measured| format!("{about} {measured}"))
}

fn requests(of: &Requests) -> assay_reports::Requests {
    let count = RequestCounts { ok: of.ok.count(), failed: of.failed.count(), unknown: of.unknown.count() };
    assay_reports::Requests { count, ok: asked(&of.ok), failed: asked(&of.failed), unknown: asked(&of.unknown) }
}

/// What is kept, to the microsecond: finer than anything that is drawn, and short in JSON.
fn asked(kept: &Kept) -> Asked {
    let seconds = |time: Duration| time.as_micros() as f64 / 1e6;
    let mut asked = Asked::new();
    for request in kept.in_order() {
        let nodes = asked.entry(request.kind.to_owned()).or_default();
        nodes.entry(format!("n{}", request.node)).or_default().push((seconds(request.sent), seconds(request.took)));
    }
    asked
}

fn fault(progress: &Progress) -> Fault {
    let fault = &progress.fault;
    Fault {
        id: fault.id.to_string(),
        kind: fault.kind.to_owned(),
        target: fault.targets.iter().map(ToString::to_string).collect(),
        detail: fault.detail.clone(),
        line: fault.line,
        planned_at: fault.at.as_secs_f64(),
        planned_until: fault.until.map(|at| at.as_secs_f64()),
        applied_at: progress.applied_at.filter(|_| progress.hits > 0).map(|at| at.as_secs_f64()),
        ended_at: progress.ended_at.map(|at| at.as_secs_f64()),
    }
}
