//! Key figures: the handful of numbers and the one sentence that every renderer shows first.

use crate::parts::{Expectation, Fault, Invariant, InvariantStatus};
use crate::record::{Record, Verdict};
use crate::text::{clock_fine, count, plural, seconds};

/// The numbers that sum up a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// Virtual seconds per wall second; `None` if the wall time is unknown.
    pub speed: Option<f64>,
    /// Height of the highest head.
    pub height: u64,
    /// Highest confirmed height.
    pub confirmed_height: u64,
    /// Blocks produced on all branches.
    pub blocks_produced: u64,
    /// Most blocks undone by one reorganisation on any node.
    pub reorg_depth_max: u64,
    /// The slowest recovery.
    pub rto_worst: Rto,
    /// The longest time in seconds without a new confirmed block anywhere, from the first one on; `None` without one.
    pub finality_lag: Option<f64>,
}

/// The slowest recovery of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rto {
    /// There was nothing to recover from, or no recovery was measured.
    NoFault,
    /// Every recovery ended; the longest took this many seconds.
    Seconds(f64),
    /// At least one fault had not been recovered from when the run ended.
    NotRecovered,
}

impl Rto {
    /// Seconds, if there is a number.
    pub fn seconds(self) -> Option<f64> {
        match self {
            Rto::Seconds(value) => Some(value),
            Rto::NoFault | Rto::NotRecovered => None,
        }
    }

    /// For a table cell.
    pub(crate) fn text(self) -> String {
        match self {
            Rto::NoFault => "–".to_owned(),
            Rto::Seconds(value) => seconds(value),
            Rto::NotRecovered => "not recovered".to_owned(),
        }
    }
}

impl Figures {
    /// Sums up `record`.
    pub fn of(record: &Record) -> Self {
        let most = |value: fn(&crate::Node) -> u64| record.nodes.iter().map(value).max().unwrap_or(0);
        let rto_worst = record.recovery.iter().fold(Rto::NoFault, |worst, recovery| match (worst, recovery.rto) {
            (Rto::NotRecovered, _) | (_, None) => Rto::NotRecovered,
            (Rto::Seconds(a), Some(b)) => Rto::Seconds(a.max(b)),
            (Rto::NoFault, Some(b)) => Rto::Seconds(b),
        });
        Figures {
            speed: (record.wall_seconds > 0.0).then(|| record.virtual_seconds / record.wall_seconds),
            height: most(|node| node.height),
            confirmed_height: most(|node| node.confirmed_height),
            blocks_produced: record.nodes.iter().map(|node| node.blocks_produced).sum(),
            reorg_depth_max: most(|node| node.reorg_depth_max),
            rto_worst,
            finality_lag: finality_lag(record),
        }
    }

    /// The speed as `240×`.
    pub(crate) fn speed_text(&self) -> String {
        match self.speed {
            Some(ratio) if ratio < 10.0 => format!("{ratio:.1}×"),
            Some(ratio) => format!("{}×", count(ratio as u64)),
            None => "–".to_owned(),
        }
    }
}

/// From the samples of the confirmed heights, so it is known to a sample's distance.
fn finality_lag(record: &Record) -> Option<f64> {
    let mut samples: Vec<(f64, f64)> =
        record.series.get("confirmed_height")?.lines.values().flatten().copied().collect();
    samples.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut rises = Vec::new();
    let mut highest = 0.0;
    for (at, height) in &samples {
        if *height > highest {
            highest = *height;
            rises.push(*at);
        }
    }
    let end = samples.last().map(|(at, _)| *at);
    rises.extend((!rises.is_empty()).then_some(end).flatten());
    rises.windows(2).map(|pair| pair[1] - pair[0]).reduce(f64::max)
}

/// What became of those that a fault did not touch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Blast {
    /// How many there are.
    pub(crate) nodes: usize,
    /// The longest time in seconds that one of them stood still, from the fault until the cluster was whole.
    pub(crate) stood_still: f64,
    /// The longest time that one of them stood still before the first fault.
    pub(crate) usual: Option<f64>,
}

/// The blast radius of `fault`; `None` if it touched all nodes, or did not happen.
pub(crate) fn blast(record: &Record, fault: &Fault) -> Option<Blast> {
    let touched: Vec<&str> = fault.target.iter().flat_map(|target| target.split_whitespace()).collect();
    let heights = &record.series.get("height")?.lines;
    let others: Vec<_> = heights.iter().filter(|(node, _)| !touched.contains(&node.as_str())).collect();
    let rto = record.recovery.iter().find(|it| it.fault == fault.id).and_then(|it| it.rto);
    let from = fault.applied_at?;
    let to = fault.ended_at.map_or(record.virtual_seconds, |at| at + rto.unwrap_or(0.0));
    let longest = |from, to| others.iter().filter_map(|(_, line)| stood_still(line, from, to)).reduce(f64::max);
    let first = record.faults.iter().filter_map(|fault| fault.applied_at).reduce(f64::min)?;
    Some(Blast { nodes: others.len(), stood_still: longest(from, to)?, usual: longest(0.0, first) })
}

/// The longest time without a rise from `from` to `to`; `None` without a sample.
fn stood_still(line: &[(f64, f64)], from: f64, to: f64) -> Option<f64> {
    let before = line.iter().rev().find(|(at, _)| *at <= from);
    let within = line.iter().filter(|(at, _)| (from..=to).contains(at));
    let mut highest = before.or(line.first())?.1;
    let (mut since, mut longest) = (from, 0.0_f64);
    for (at, height) in within {
        if *height > highest {
            longest = longest.max(at - since);
            (since, highest) = (*at, *height);
        }
    }
    Some(longest.max(to - since))
}

/// The invariants, violated ones first, then those that were not checked.
pub(crate) fn invariants(record: &Record) -> Vec<&Invariant> {
    let mut sorted: Vec<&Invariant> = record.invariants.iter().collect();
    sorted.sort_by_key(|it| match it.status {
        InvariantStatus::Violated => 0,
        InvariantStatus::NotChecked => 1,
        InvariantStatus::Held => 2,
    });
    sorted
}

/// The expectations, unmet ones first.
pub(crate) fn expectations(record: &Record) -> Vec<&Expectation> {
    let mut sorted: Vec<&Expectation> = record.expectations.iter().collect();
    sorted.sort_by_key(|it| it.met);
    sorted
}

/// What happened, in one sentence.
pub(crate) fn sentence(record: &Record) -> String {
    match (record.verdict, &record.failure) {
        (Verdict::Passed, _) => passed(record),
        (_, Some(failure)) => failure.clone(),
        (Verdict::Violated, None) => violated(record),
        (Verdict::Infrastructure, None) => "The run could not be carried out; it says nothing about the node.".into(),
        (Verdict::Nondeterministic, None) => "The same seed gave two different runs.".into(),
    }
}

fn passed(record: &Record) -> String {
    let held = record.invariants.iter().filter(|it| it.status == InvariantStatus::Held).count();
    let met = record.expectations.iter().filter(|it| it.met).count();
    let applied = record.faults.iter().filter(|it| it.applied_at.is_some()).count();
    let mut text = format!("{} held", plural(held, "invariant"));
    if met > 0 {
        text += &format!(" and {} met", plural(met, "expectation"));
    }
    text += &match applied {
        0 => ", without a fault".to_owned(),
        _ => format!(", through {}", plural(applied, "fault")),
    };
    if let Rto::Seconds(rto) = Figures::of(record).rto_worst {
        text += &format!("; the cluster was whole again within {}", seconds(rto));
    }
    text + "."
}

fn violated(record: &Record) -> String {
    if let Some(bad) = record.invariants.iter().find(|it| it.status == InvariantStatus::Violated) {
        let at = bad.at.map_or(String::new(), |at| format!(" at {}", clock_fine(at)));
        return format!("{} violated{at}: {}", bad.name, bad.detail);
    }
    if let Some(bad) = record.expectations.iter().find(|it| !it.met) {
        return format!("{}: expected {}, got {}", bad.name, bad.expected, bad.actual);
    }
    if let Some(bad) = record.faults.iter().find(|it| it.applied_at.is_none()) {
        return format!("fault {} ({}) of line {} never fired", bad.id, bad.kind, bad.line);
    }
    "An invariant was violated.".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_time_without_a_rise_counts_the_ends() {
        let line = [(0.0, 1.0), (10.0, 2.0), (20.0, 2.0), (30.0, 3.0), (60.0, 3.0)];
        assert_eq!(stood_still(&line, 0.0, 60.0), Some(30.0));
        assert_eq!(stood_still(&line, 5.0, 12.0), Some(5.0));
        assert_eq!(stood_still(&line, 12.0, 30.0), Some(18.0));
        assert_eq!(stood_still(&[], 0.0, 60.0), None);
    }
}
