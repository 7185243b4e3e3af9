//! The record of a run that is over.

use super::{Run, expectations};
use crate::faults::Progress;
use assay_reports::{
    Alert, Expectation, Fault, Invariant, InvariantStatus, Node, Record, SCHEMA_VERSION, TraceHash, Verdict, Workload,
};
use std::collections::BTreeMap;

impl Run<'_> {
    /// Judges the run and writes down what there is to know of it.
    pub(super) fn into_record(self) -> Record {
        let included = self.chains.included(&self.world, &self.cluster);
        let (counts, lost) = {
            let oracle = self.oracle.borrow();
            (oracle.counts(), oracle.lost(included.values()))
        };
        let expectations = if self.options.until.is_some() {
            Vec::new()
        } else {
            expectations::judge(&expectations::Measured {
                scenario: self.scenario,
                faults: &self.faults,
                samples: &self.samples,
                chains: &self.chains,
                forks: &self.forks,
                lost,
                confirmed: counts.confirmed,
            })
        };
        let failure = self.failure(&expectations);
        let alerts = self.scenario.expect.alerts.iter();
        Record {
            schema_version: SCHEMA_VERSION,
            scenario: self.scenario.name.clone(),
            about: self.scenario.about.clone(),
            seed: self.seed,
            backend: "sim".to_owned(),
            git_rev: self.options.git_rev.clone(),
            verdict: if failure.is_none() { Verdict::Passed } else { Verdict::Violated },
            virtual_seconds: self.world.now().as_secs_f64(),
            wall_seconds: self.began.elapsed().as_secs_f64(),
            trace_hash: self.world.trace().hash_hex(),
            nodes: (0..self.cluster.len()).map(|node| self.node(node)).collect(),
            faults: self.faults.progress().iter().map(fault).collect(),
            invariants: self.invariants(),
            expectations,
            recovery: self.samples.recovery(&self.faults, &self.oracle.borrow(), lost),
            alerts: alerts.map(|name| Alert { name: name.clone(), expected: true, fired_at: None }).collect(),
            workload: Workload {
                submitted: counts.submitted,
                acknowledged: counts.acknowledged,
                rejected: counts.refused,
                unknown: counts.unknown,
                confirmed: counts.confirmed,
                lost,
            },
            trace: self.trace(),
            series: self.samples.series(),
            reproduce: self.options.reproduce.clone(),
            failure,
            timeline: {
                let mut timeline = self.timeline;
                timeline.sort_by(|a, b| a.at.total_cmp(&b.at));
                timeline
            },
        }
    }

    /// Why the run has not passed: the first violation, else a fault that has not fired, else what was expected.
    fn failure(&self, expectations: &[Expectation]) -> Option<String> {
        if self.scenario.planted && self.options.until.is_none() {
            return self.planted_failure();
        }
        if let Some((name, found)) = self.checks.first_violation() {
            return Some(format!("{name} violated at {:.3} s: {}", found.at.as_secs_f64(), found.detail));
        }
        if self.options.until.is_none()
            && let Some(idle) = self.faults.progress().iter().find(|fault| fault.hits == 0)
        {
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

    fn node(&self, node: usize) -> Node {
        let (chain, snapshot) = (self.chains.of(node), self.cluster.snapshot(node));
        Node {
            name: format!("n{node}"),
            height: snapshot.map_or(0, |snapshot| snapshot.head.height.0),
            confirmed_height: snapshot.map_or(0, |snapshot| snapshot.head.confirmed.0),
            head: snapshot.map_or_else(String::new, |snapshot| snapshot.head.hash.to_string()),
            peers: self.samples.peers(node),
            restarts: self.cluster.starts(node) - 1,
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

    /// The present state of every lane of the trace.
    fn trace(&self) -> Vec<TraceHash> {
        let mut last = BTreeMap::new();
        for checkpoint in self.world.trace().checkpoints() {
            last.insert((checkpoint.host, checkpoint.subsystem), (checkpoint.index, checkpoint.digest));
        }
        let lanes = last.into_iter().map(|((host, subsystem), (events, digest))| TraceHash {
            host,
            subsystem: subsystem.to_owned(),
            events,
            hash: hex::encode(digest),
        });
        lanes.collect()
    }
}

/// What is said of a property that held.
fn held(invariant: &dyn crate::invariants::Invariant) -> String {
    let about = invariant.about().to_owned();
    invariant.measured().map_or(about.clone(), |measured| format!("{about} {measured}"))
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
        applied_at: progress.applied_at.filter(|_| progress.hits > 0).map(|at| at.as_secs_f64()),
        ended_at: progress.ended_at.map(|at| at.as_secs_f64()),
    }
}
