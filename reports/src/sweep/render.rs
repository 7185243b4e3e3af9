//! Renderers of a sweep: JSON, Markdown and JUnit.

use std::collections::BTreeMap;
use std::fmt::Write;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{SweepRecord, SweepRun};
use crate::record::Verdict;
use crate::render::line::colored;
use crate::render::markdown::table;
use crate::render::{duration, to_json};
use crate::text::{count, fenced, html as html_escape, markdown as escape, plural, seconds};

/// Bytes after which no further failure is written out: a step summary of GitHub Actions has a mebibyte, and what is
/// beyond that is lost whole.
const SUMMARY_BYTES: usize = 500_000;

/// The record as indented JSON with a final newline.
pub fn json(record: &SweepRecord) -> String {
    to_json(record)
}

/// The sweep in one line without a line break, for a terminal.
pub fn line(record: &SweepRecord) -> String {
    format!("{} {}", record.verdict(), line_tail(record))
}

/// [`line()`] with the verdict in the colours of a terminal.
pub fn line_in_color(record: &SweepRecord) -> String {
    format!("{} {}", colored(record.verdict()), line_tail(record))
}

pub(super) fn line_tail(record: &SweepRecord) -> String {
    let passed = record.runs.iter().filter(|run| run.verdict == Verdict::Passed).count();
    let virtual_seconds: f64 = record.runs.iter().map(|run| run.virtual_seconds).sum();
    let mut line = format!("{passed} of {} passed, {} virtual", runs(record.runs.len()), seconds(virtual_seconds));
    for verdict in [Verdict::Nondeterministic, Verdict::Violated, Verdict::Infrastructure] {
        let count = record.runs.iter().filter(|run| run.verdict == verdict).count();
        if count > 0 {
            line += &format!(", {count} {verdict}");
        }
    }
    if !record.not_run.is_empty() {
        line += &format!(", {} not run", plural(record.not_run.len(), "scenario"));
    }
    line
}

/// A table of scenarios by figures, each failure folded with the command that reproduces it, and what was not run.
pub fn markdown(record: &SweepRecord) -> String {
    let mut out = String::new();
    let passed = record.runs.iter().filter(|run| run.verdict == Verdict::Passed).count();
    let shard = record.shard.as_ref().map_or(String::new(), |shard| format!(", shard {}", escape(shard)));
    let _ = writeln!(out, "# Sweep: {}\n", record.verdict());
    let _ = writeln!(out, "{passed} of {} passed at {}{shard}.\n", runs(record.runs.len()), escape(&record.git_rev));
    let rows: Vec<Vec<String>> = by_scenario(record).into_iter().map(|(name, runs)| row(name, &runs)).collect();
    let head = ["scenario", "runs", "passed", "worst RTO", "deepest reorg", "lost", "virtual", "speed"];
    table(&mut out, &head, &rows);
    let failed: Vec<&SweepRun> = record.runs.iter().filter(|run| run.verdict != Verdict::Passed).collect();
    if !failed.is_empty() {
        let _ = writeln!(out, "\n## {}", plural(failed.len(), "failure"));
    }
    for (n, run) in failed.iter().enumerate() {
        if out.len() > SUMMARY_BYTES {
            let _ = writeln!(out, "\n{} more: see `sweep.json`.", plural(failed.len() - n, "failure"));
            break;
        }
        let (name, seed, verdict) = (html_escape(&run.scenario), run.seed, run.verdict);
        let _ = writeln!(out, "\n<details><summary>{name} seed {seed}: {verdict}</summary>\n");
        if let Some(failure) = &run.failure {
            let _ = writeln!(out, "{}\n", escape(failure));
        }
        out += &fenced(run.reproduce.trim());
        out += "\n</details>\n";
    }
    if !record.not_run.is_empty() {
        let _ = writeln!(out, "\n## Not run\n");
        for it in &record.not_run {
            let _ = writeln!(out, "- {}: {}", escape(&it.scenario), escape(&it.reason));
        }
    }
    out
}

/// One test suite per scenario, one test case per seed; a scenario that was not run is an error.
pub fn junit(record: &SweepRecord) -> String {
    let mut report = Report::new("assay sweep");
    for (name, runs) in by_scenario(record) {
        let mut suite = TestSuite::new(name);
        suite.set_time(duration(runs.iter().map(|run| run.wall_seconds).sum()));
        suite.add_test_cases(runs.into_iter().map(case));
        report.add_test_suite(suite);
    }
    if !record.not_run.is_empty() {
        let mut suite = TestSuite::new("not run");
        suite.add_test_cases(record.not_run.iter().map(|it| {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_type("not_run").set_message(it.reason.clone());
            TestCase::new(it.scenario.clone(), status)
        }));
        report.add_test_suite(suite);
    }
    report.set_time(duration(record.runs.iter().map(|run| run.wall_seconds).sum()));
    report.to_string().expect("XML is written to memory and all text is escaped")
}

pub(super) fn by_scenario(record: &SweepRecord) -> BTreeMap<&str, Vec<&SweepRun>> {
    let mut scenarios: BTreeMap<&str, Vec<&SweepRun>> = BTreeMap::new();
    for run in &record.runs {
        scenarios.entry(&run.scenario).or_default().push(run);
    }
    scenarios
}

fn row(name: &str, runs: &[&SweepRun]) -> Vec<String> {
    let passed = runs.iter().filter(|run| run.verdict == Verdict::Passed).count();
    let rto = runs.iter().filter_map(|run| run.rto).reduce(f64::max);
    let virtual_seconds: f64 = runs.iter().map(|run| run.virtual_seconds).sum();
    let wall_seconds: f64 = runs.iter().map(|run| run.wall_seconds).sum();
    vec![
        escape(name),
        runs.len().to_string(),
        if passed == runs.len() { passed.to_string() } else { format!("**{passed}**") },
        rto.map_or("–".into(), seconds),
        runs.iter().map(|run| run.reorg_depth_max).max().unwrap_or(0).to_string(),
        count(runs.iter().map(|run| run.finalized_lost).sum()),
        seconds(virtual_seconds),
        if wall_seconds > 0.0 { format!("{:.0}×", virtual_seconds / wall_seconds) } else { "–".into() },
    ]
}

fn case(run: &SweepRun) -> TestCase {
    let status = match run.verdict {
        Verdict::Passed => TestCaseStatus::success(),
        verdict => {
            let kind = match verdict {
                Verdict::Violated => NonSuccessKind::Failure,
                _ => NonSuccessKind::Error,
            };
            let why = run.failure.clone().unwrap_or_else(|| verdict.to_string());
            let mut status = TestCaseStatus::non_success(kind);
            status.set_type(verdict.as_str()).set_description(format!("{why}\nreproduce: {}", run.reproduce));
            status.set_message(why);
            status
        }
    };
    let mut case = TestCase::new(format!("seed {}", run.seed), status);
    case.set_classname(run.scenario.clone()).set_time(duration(run.wall_seconds));
    case
}

fn runs(value: usize) -> String {
    plural(value, "run")
}
