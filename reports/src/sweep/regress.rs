//! What became worse since a baseline: a sweep held against an earlier one, over the runs that both have.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{SweepRecord, SweepRun};
use crate::record::Verdict;
use crate::render::markdown::table;
use crate::text::{markdown as escape, plural, seconds};

/// What may differ without being worse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// Share of a time's value before.
    pub ratio: f64,
    /// Seconds on top of that: what is short may double without harm.
    pub slack: f64,
    /// Share of the speed. Machines differ, and a busy one is slower.
    pub speed: f64,
}

impl Default for Tolerance {
    /// A fifth and a second for times, a third for the speed.
    fn default() -> Self {
        Self { ratio: 0.2, slack: 1.0, speed: 0.33 }
    }
}

/// A figure before and after.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The scenario; `None` for the whole sweep.
    pub scenario: Option<String>,
    /// What is measured.
    pub figure: &'static str,
    /// Its value in the baseline, for people.
    pub before: String,
    /// Its value now.
    pub after: String,
    /// How much it changed.
    pub by: String,
    /// Whether that is beyond what may differ.
    pub is_worse: bool,
}

/// A sweep against its baseline.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Revision of the baseline.
    pub before: String,
    /// Revision of the sweep.
    pub after: String,
    /// How many runs both have: what is compared.
    pub runs: usize,
    /// How many runs of the sweep the baseline does not have.
    pub new_runs: usize,
    /// All that changed, by scenario.
    pub changes: Vec<Change>,
}

impl Comparison {
    /// What became worse.
    pub fn worse(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.is_worse)
    }
}

type Pair<'a> = (&'a SweepRun, &'a SweepRun);

/// Holds `after` against `before`. Runs of a scenario and seed are compared with their like, so that what differs is the
/// program and not the luck of seeds.
pub fn compare(after: &SweepRecord, before: &SweepRecord, tolerance: Tolerance) -> Comparison {
    let known: BTreeMap<_, _> = before.runs.iter().map(|run| ((run.scenario.as_str(), run.seed), run)).collect();
    let mut scenarios: BTreeMap<&str, Vec<Pair<'_>>> = BTreeMap::new();
    for run in &after.runs {
        if let Some(was) = known.get(&(run.scenario.as_str(), run.seed)) {
            scenarios.entry(run.scenario.as_str()).or_default().push((was, run));
        }
    }
    let runs = scenarios.values().map(Vec::len).sum();
    let mut changes: Vec<Change> =
        scenarios.iter().flat_map(|(name, pairs)| scenario(name, pairs, tolerance)).collect();
    changes.extend(speed(&scenarios.into_values().flatten().collect::<Vec<_>>(), tolerance));
    Comparison {
        before: before.git_rev.clone(),
        after: after.git_rev.clone(),
        runs,
        new_runs: after.runs.len() - runs,
        changes,
    }
}

fn scenario(name: &str, pairs: &[Pair<'_>], tolerance: Tolerance) -> Vec<Change> {
    let count = |figure, value: fn(&SweepRun) -> u64, more_is_worse: bool| {
        let [before, after] =
            [pairs.iter().map(|(was, _)| value(was)).sum::<u64>(), pairs.iter().map(|(_, is)| value(is)).sum::<u64>()];
        let is_worse = if more_is_worse { after > before } else { after < before };
        let by = format!("{:+}", i128::from(after) - i128::from(before));
        let scenario = Some(name.to_owned());
        (before != after).then(|| Change {
            scenario,
            figure,
            before: before.to_string(),
            after: after.to_string(),
            by,
            is_worse,
        })
    };
    let time = |figure, value: fn(&SweepRun) -> Option<f64>, pick: fn(Vec<f64>) -> Option<f64>| {
        let both = pairs.iter().filter_map(|(was, is)| Some((value(was)?, value(is)?)));
        let (before, after): (Vec<f64>, Vec<f64>) = both.unzip();
        let (before, after) = (pick(before)?, pick(after)?);
        let is_worse = after > before * (1.0 + tolerance.ratio) + tolerance.slack;
        let by = format!("{:+.1} s", after - before);
        let scenario = Some(name.to_owned());
        (before != after).then(|| Change {
            scenario,
            figure,
            before: seconds(before),
            after: seconds(after),
            by,
            is_worse,
        })
    };
    [
        count("runs passed", |run| u64::from(run.verdict == Verdict::Passed), false),
        count("confirmed transactions lost", |run| run.finalized_lost, true),
        time("recovery, median", |run| run.rto, median),
        time("recovery, worst", |run| run.rto, worst),
        time("finality lag, median", |run| run.finality_lag, median),
        time("finality lag, worst", |run| run.finality_lag, worst),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Runs that an hour of one core has room for.
fn speed(pairs: &[Pair<'_>], tolerance: Tolerance) -> Option<Change> {
    let rate = |wall: f64| (wall > 0.0).then(|| pairs.len() as f64 * 3600.0 / wall);
    let before = rate(pairs.iter().map(|(was, _)| was.wall_seconds).sum())?;
    let after = rate(pairs.iter().map(|(_, is)| is.wall_seconds).sum())?;
    Some(Change {
        scenario: None,
        figure: "seeds per hour of a core",
        before: format!("{before:.0}"),
        after: format!("{after:.0}"),
        by: format!("{:+.0} %", (after / before - 1.0) * 100.0),
        is_worse: after < before * (1.0 - tolerance.speed),
    })
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

fn worst(values: Vec<f64>) -> Option<f64> {
    values.into_iter().reduce(f64::max)
}

/// What to say beneath a change: what became worse, and folded, what changed at all.
pub fn comment(comparison: &Comparison) -> String {
    let worse: Vec<_> = comparison.worse().collect();
    let mut out = match worse.len() {
        0 => "## Nothing became worse\n\n".to_owned(),
        n => format!("## {} became worse\n\n", plural(n, "figure")),
    };
    let (before, after) = (escape(&comparison.before), escape(&comparison.after));
    let _ = write!(out, "{after} against {before}, {} of one scenario and seed each", plural(comparison.runs, "run"));
    let _ = match comparison.new_runs {
        0 => writeln!(out, "."),
        n => writeln!(out, "; the baseline does not have {}.", plural(n, "run")),
    };
    let head = ["scenario", "figure", "before", "after", "change"];
    if !worse.is_empty() {
        out.push('\n');
        table(&mut out, &head, &worse.into_iter().map(row).collect::<Vec<_>>());
    }
    if !comparison.changes.is_empty() {
        let _ = write!(out, "\n<details><summary>All changes ({})</summary>\n\n", comparison.changes.len());
        table(&mut out, &head, &comparison.changes.iter().map(row).collect::<Vec<_>>());
        out += "\n</details>\n";
    }
    out
}

fn row(change: &Change) -> Vec<String> {
    let by = if change.is_worse { format!("**{}**", change.by) } else { change.by.clone() };
    let scenario = change.scenario.as_deref().map_or_else(|| "all".to_owned(), escape);
    vec![scenario, change.figure.to_owned(), change.before.clone(), change.after.clone(), by]
}
