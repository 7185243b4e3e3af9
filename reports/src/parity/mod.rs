//! Simulated and live runs of one scenario side by side: does what happens live lie within what was simulated?
//!
//! A figure agrees when every live value lies within the spread of the simulated ones, give or take
//! [`RESOLUTION_SECONDS`] for a time, since both are sampled once a second. Of a few runs of one and the same kind, some
//! lie outside the spread of the others by chance. How often is known, and what chance does in fewer than one comparison of
//! twenty ([`CHANCE_MAX`]) is a finding, about the simulator or about the node.

mod render;

use crate::{
    figures::Figures,
    record::{ReadError, Record, SCHEMA_VERSION, Verdict, read_versioned},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

pub use render::{json, line, markdown};

/// Two samples: what happens just after one is seen at the next, in either world.
pub const RESOLUTION_SECONDS: f64 = 2.0;

/// What chance does more often than that is no finding.
pub const CHANCE_MAX: f64 = 0.05;

/// The comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParityRecord {
    /// Version of this format: [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Source revision of the live runs.
    pub git_rev: String,
    /// Name of the scenario.
    pub scenario: String,
    /// What the scenario shows.
    pub about: String,
    /// Where the live runs were: `process` or `compose`.
    pub backend: String,
    /// The simulated runs.
    pub simulated: Vec<Played>,
    /// The live runs.
    pub live: Vec<Played>,
    /// Figure by figure.
    pub figures: Vec<Figure>,
    /// What does not agree, each in one sentence.
    pub findings: Vec<String>,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Played {
    /// Its seed.
    pub seed: u64,
    /// Its outcome.
    pub verdict: Verdict,
    /// Why that is not `passed`.
    pub failure: Option<String>,
    /// What happened in which order: faults begin, are noticed, end, and the cluster is whole.
    pub order: String,
}

/// One figure of all runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// What it is.
    pub name: String,
    /// Its unit: `s` or `blocks` or `transactions`.
    pub unit: String,
    /// The simulated values, ascending; a run without one is left out.
    pub simulated: Vec<f64>,
    /// How many simulated runs have none: a fault that nobody noticed, a cluster that did not recover.
    pub simulated_without: usize,
    /// The live values, in the order of the runs.
    pub live: Vec<Option<f64>>,
    /// Whether every live value lies within the simulated ones.
    pub agrees: bool,
    /// In which part of all comparisons so many live values lie outside, when live and simulated runs are alike.
    pub chance: f64,
}

impl Figure {
    fn new(name: String, unit: &str, simulated: &[Option<f64>], live: Vec<Option<f64>>) -> Self {
        let mut values: Vec<f64> = simulated.iter().flatten().copied().collect();
        values.sort_by(f64::total_cmp);
        let without = simulated.len() - values.len();
        let slack = if unit == "s" { RESOLUTION_SECONDS } else { 0.0 };
        let is_within = |value: &Option<f64>| match (value, values.first(), values.last()) {
            (None, ..) => without > 0,
            (Some(value), Some(least), Some(most)) => (least - slack..=most + slack).contains(value),
            (Some(_), ..) => false,
        };
        let outside = live.iter().filter(|value| !is_within(value)).count();
        let chance = chance(simulated.len(), live.len(), outside);
        let (agrees, unit) = (outside == 0, unit.to_owned());
        Self { name, unit, simulated: values, simulated_without: without, live, agrees, chance }
    }

    /// Whether live and simulated runs differ by more than chance.
    pub fn is_finding(&self) -> bool {
        !self.agrees && self.chance < CHANCE_MAX
    }

    /// The middle one of the simulated values.
    pub fn median(&self) -> Option<f64> {
        self.simulated.get(self.simulated.len() / 2).copied()
    }
}

impl ParityRecord {
    /// Compares the runs of one scenario.
    ///
    /// # Errors
    /// [`ParityError`] when they do not belong together.
    pub fn new(simulated: &[Record], live: &[Record]) -> Result<Self, ParityError> {
        let (Some(first), Some(first_live)) = (simulated.first(), live.first()) else {
            return Err(ParityError::Empty);
        };
        let others = simulated.iter().chain(live).find(|record| record.scenario != first.scenario);
        if let Some(other) = others {
            return Err(ParityError::Scenarios(first.scenario.clone(), other.scenario.clone()));
        }
        if let Some(wrong) = simulated.iter().find(|record| record.backend != "sim") {
            return Err(ParityError::Backend(wrong.backend.clone()));
        }
        if live.iter().any(|record| record.backend == "sim" || record.backend != first_live.backend) {
            return Err(ParityError::Backend(first_live.backend.clone()));
        }
        let figures = figures(simulated, live);
        let (simulated, live): (Vec<_>, Vec<_>) =
            (simulated.iter().map(played).collect(), live.iter().map(played).collect());
        let findings = findings(&simulated, &live, &figures);
        Ok(Self {
            schema_version: SCHEMA_VERSION,
            git_rev: first_live.git_rev.clone(),
            scenario: first.scenario.clone(),
            about: first.about.clone(),
            backend: first_live.backend.clone(),
            simulated,
            live,
            figures,
            findings,
        })
    }

    /// Reads `parity.json`, as strictly as [`Record::read`].
    ///
    /// # Errors
    /// [`ReadError`], as for a single run.
    pub fn read(bytes: &[u8]) -> Result<Self, ReadError> {
        read_versioned(bytes)
    }
}

/// In which part of all orders of `simulated + live` values, each as likely as any other, at least `outside` of the live ones
/// come before the first or after the last simulated one; to a thousandth.
fn chance(simulated: usize, live: usize, outside: usize) -> f64 {
    if outside == 0 || simulated < 2 {
        return 1.0;
    }
    let choose = |n: usize, k: usize| (0..k).fold(1.0, |all, i| all * (n - i) as f64 / (i + 1) as f64);
    let all = simulated + live;
    // With s outside, s + 1 ways to have them at the two ends, and a simulated value next to them at either end.
    let orders = (outside..=live).map(|s| (s + 1) as f64 * choose(all - s - 2, live - s));
    (orders.sum::<f64>() / choose(all, live) * 1000.0).round() / 1000.0
}

/// Runs that cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParityError {
    /// There are none of one kind.
    #[error("at least one simulated and one live run are needed")]
    Empty,
    /// They are of different scenarios.
    #[error("runs of {0} and of {1} cannot be compared")]
    Scenarios(String, String),
    /// One is of another back end than the others of its side.
    #[error("a run on {0} is on the wrong side, or beside runs of another back end")]
    Backend(String),
}

fn played(record: &Record) -> Played {
    Played { seed: record.seed, verdict: record.verdict, failure: record.failure.clone(), order: order(record) }
}

/// What happened in which order. Faults are called by their numbers, since their names are the scenario's.
fn order(record: &Record) -> String {
    let mut steps: Vec<(f64, String)> = Vec::new();
    for fault in &record.faults {
        let recovery = record.recovery.iter().find(|recovery| recovery.fault == fault.id);
        let mut step = |at: Option<f64>, what: &str| steps.extend(at.map(|at| (at, format!("{} {what}", fault.id))));
        step(fault.applied_at, "begins");
        step(fault.ended_at, "ends");
        // A fault may be noticed by what it leaves behind, after its end.
        step(fault.applied_at.zip(recovery.and_then(|it| it.detect)).map(|(at, after)| at + after), "is noticed");
        step(fault.ended_at.zip(recovery.and_then(|it| it.rto)).map(|(at, after)| at + after), "is over");
    }
    steps.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    steps.into_iter().map(|(_, what)| what).collect::<Vec<_>>().join(", ")
}

fn figures(simulated: &[Record], live: &[Record]) -> Vec<Figure> {
    let of = |name: String, unit: &str, value: &dyn Fn(&Record) -> Option<f64>| {
        let simulated: Vec<_> = simulated.iter().map(value).collect();
        Figure::new(name, unit, &simulated, live.iter().map(value).collect())
    };
    let mut all = Vec::new();
    let faults = simulated.first().map(|record| record.faults.as_slice()).unwrap_or_default();
    for fault in faults {
        let recovery = |record: &Record| record.recovery.iter().find(|it| it.fault == fault.id).cloned();
        let name = format!("{} ({})", fault.id, fault.kind);
        all.push(of(format!("detect {name}"), "s", &|record| recovery(record).and_then(|it| it.detect)));
        all.push(of(format!("RTO of {name}"), "s", &|record| recovery(record).and_then(|it| it.rto)));
    }
    all.push(of("RPO".into(), "transactions", &|record| Some(record.workload.lost as f64)));
    all.push(of("deepest reorganisation".into(), "blocks", &|record| Some(Figures::of(record).reorg_depth_max as f64)));
    all.push(of("confirmed height".into(), "blocks", &|record| Some(Figures::of(record).confirmed_height as f64)));
    all.push(of("confirmed".into(), "transactions", &|record| Some(record.workload.confirmed as f64)));
    all.push(of("refused".into(), "transactions", &|record| Some(record.workload.rejected as f64)));
    all.push(of("without an answer".into(), "transactions", &|record| Some(record.workload.unknown as f64)));
    let alerts: BTreeSet<&str> =
        simulated.iter().chain(live).flat_map(|record| &record.alerts).map(|alert| alert.name.as_str()).collect();
    for alert in alerts {
        all.push(of(format!("alert {alert} fires"), "s", &|record| {
            record.alerts.iter().find(|it| it.name == alert).and_then(|it| it.fired_at)
        }));
    }
    all
}

fn findings(simulated: &[Played], live: &[Played], figures: &[Figure]) -> Vec<String> {
    let mut found = Vec::new();
    let passed = |runs: &[Played]| runs.iter().filter(|run| run.verdict == Verdict::Passed).count();
    if passed(simulated) < simulated.len() || passed(live) < live.len() {
        found.push(format!(
            "{} of {} simulated and {} of {} live runs passed",
            passed(simulated),
            simulated.len(),
            passed(live),
            live.len()
        ));
    }
    let orders: BTreeSet<&str> = simulated.iter().map(|run| run.order.as_str()).collect();
    let others = live.iter().filter(|run| !orders.contains(run.order.as_str())).count();
    if others > 0 {
        found.push(format!("{others} of {} live runs went in an order that no simulated run had", live.len()));
    }
    for figure in figures.iter().filter(|figure| figure.is_finding()) {
        let live: Vec<_> = figure.live.iter().map(|value| render::value(*value, &figure.unit)).collect();
        let (live, spread) = (live.join(", "), render::spread(figure));
        let chance = render::percent(figure.chance);
        found.push(format!("{} is {live} live, and {spread} simulated; chance does that in {chance}", figure.name));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::chance;

    /// Counts orders one by one.
    fn counted(simulated: usize, live: usize, outside: usize) -> f64 {
        let all = simulated + live;
        let (mut hits, mut orders) = (0, 0);
        for order in (0u32..1 << all).filter(|order| order.count_ones() as usize == live) {
            let first = (0..all).find(|n| order >> n & 1 == 0).unwrap_or(0);
            let last = (0..all).rev().find(|n| order >> n & 1 == 0).unwrap_or(0);
            orders += 1;
            hits += usize::from(first + (all - 1 - last) >= outside);
        }
        (f64::from(hits as u32) / f64::from(orders as u32) * 1000.0).round() / 1000.0
    }

    #[test]
    fn chance_is_as_counted() {
        for (simulated, live) in [(2, 1), (3, 2), (10, 3), (6, 6)] {
            for outside in 1..=live {
                let what = format!("{outside} of {live} outside {simulated}");
                assert_eq!(chance(simulated, live, outside), counted(simulated, live, outside), "{what}");
            }
        }
        assert_eq!(chance(10, 3, 0), 1.0);
        assert_eq!(chance(1, 3, 3), 1.0, "one value has no spread");
    }
}
