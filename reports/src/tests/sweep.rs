//! Sweeps: merging and rendering.

use insta::assert_snapshot;

use super::fixture::{infrastructure, passed, violated};
use crate::sweep::{
    MergeError, NotRun, SweepRecord, SweepRun, Tolerance, comment, compare, html, json, junit, line, line_in_color,
    markdown, merge,
};
use crate::{Record, SCHEMA_VERSION, Verdict};

fn run(record: Record, seed: u64) -> SweepRun {
    let reproduce = format!("assay run scenarios/{}.toml --seed {seed}", record.scenario);
    SweepRun { seed, reproduce, ..SweepRun::from(&record) }
}

fn shard(name: &str, runs: Vec<SweepRun>) -> SweepRecord {
    let shard = Some(name.to_owned());
    SweepRecord { schema_version: SCHEMA_VERSION, git_rev: "0badc0de".into(), shard, runs, not_run: Vec::new() }
}

fn whole() -> SweepRecord {
    let steady = |seed| SweepRun { scenario: "steady".into(), ..run(passed(), seed) };
    let mut second = shard("2/2", vec![run(violated(), 8), steady(1), run(infrastructure(), 9)]);
    second.not_run.push(NotRun { scenario: "torn.toml".into(), reason: "line 3: unknown key `nods`".into() });
    merge(vec![second, shard("1/2", vec![run(passed(), 7), steady(0)])]).expect("the shards belong together")
}

#[test]
fn markdown_of_a_sweep() {
    assert_snapshot!(markdown(&whole()));
}

#[test]
fn junit_of_a_sweep() {
    assert_snapshot!(junit(&whole()));
}

#[test]
fn lines_of_sweeps() {
    assert_snapshot!(line(&whole()), @"violated 3 of 5 runs passed, 5:00 min virtual, 1 violated, 1 infrastructure, 1 scenario not run");
    assert_snapshot!(line(&shard("1/1", vec![run(passed(), 7)])), @"passed 1 of 1 run passed, 60.0 s virtual");
    assert!(line_in_color(&whole()).starts_with("\u{1b}[1;31mviolated\u{1b}[0m 3 of 5"));
}

#[test]
fn a_sweep_reads_what_it_wrote() {
    assert_eq!(SweepRecord::read(json(&whole()).as_bytes()).expect("a sweep reads itself"), whole());
}

#[test]
fn merging_does_not_depend_on_the_order_of_shards() {
    let (a, b) = (shard("1/2", vec![run(passed(), 7)]), shard("2/2", vec![run(violated(), 8)]));
    assert_eq!(merge(vec![a.clone(), b.clone()]), merge(vec![b, a]));
}

#[test]
fn the_same_run_with_two_traces_is_nondeterministic() {
    let other = SweepRun { trace_hash: "d".repeat(64), ..run(passed(), 7) };
    let merged = merge(vec![shard("1/2", vec![run(passed(), 7)]), shard("2/2", vec![other])]).expect("they merge");
    let [only] = &merged.runs[..] else { panic!("one run, not {}", merged.runs.len()) };
    assert_eq!(only.verdict, Verdict::Nondeterministic);
    assert_snapshot!(only.failure.as_deref().unwrap_or_default(), @"two runs of one seed have different traces: aaaaaaaaaaaa and dddddddddddd");
    assert_eq!(merged.verdict().exit_code(), 4);
}

#[test]
fn the_same_run_with_two_verdicts_is_nondeterministic() {
    let merged = merge(vec![shard("1/1", vec![run(passed(), 7), run(violated(), 7)])]).expect("they merge");
    assert_snapshot!(merged.runs[0].failure.as_deref().unwrap_or_default(), @"two runs of one seed have one trace and different verdicts: passed and violated");
}

#[test]
fn a_run_that_could_not_be_carried_out_yields_to_one_that_was() {
    let broken = SweepRun { trace_hash: String::new(), ..run(infrastructure(), 7) };
    for runs in [vec![broken.clone(), run(passed(), 7)], vec![run(passed(), 7), broken]] {
        let merged = merge(vec![shard("1/1", runs)]).expect("they merge");
        assert_eq!(merged.runs, [run(passed(), 7)]);
    }
}

#[test]
fn the_exit_status_is_that_of_the_worst_run() {
    let status = |runs| shard("1/1", runs).verdict().exit_code();
    assert_eq!(status(vec![]), 0);
    assert_eq!(status(vec![run(passed(), 1)]), 0);
    assert_eq!(status(vec![run(passed(), 1), run(infrastructure(), 2)]), 3);
    assert_eq!(status(vec![run(violated(), 1), run(infrastructure(), 2)]), 1);
    let nothing = SweepRecord {
        not_run: vec![NotRun { scenario: "a.toml".into(), reason: "gone".into() }],
        ..shard("1/1", vec![])
    };
    assert_eq!(nothing.verdict().exit_code(), 3);
}

#[test]
fn records_that_do_not_belong_together_are_refused() {
    assert_eq!(merge(vec![]), Err(MergeError::Empty));
    let other = SweepRecord { git_rev: "feedface".into(), ..shard("2/2", vec![]) };
    let error = merge(vec![shard("1/2", vec![]), other]).expect_err("two revisions");
    assert_snapshot!(error, @"sweep records of different revisions: 0badc0de and feedface");
}

/// Ten runs, with these recoveries and wall times.
fn timed(rto: f64, wall_seconds: f64) -> SweepRecord {
    let runs = (0..10).map(|seed| SweepRun { rto: Some(rto), wall_seconds, ..run(passed(), seed) });
    SweepRecord { git_rev: format!("rto{rto}"), ..shard("1/1", runs.collect()) }
}

#[test]
fn the_comment_says_what_became_worse() {
    let mut after = timed(9.0, 0.5);
    after.runs[3].verdict = Verdict::Violated;
    after.runs.push(SweepRun { scenario: "new".into(), ..run(passed(), 0) });
    let against = compare(&after, &timed(4.0, 0.25), Tolerance::default());
    assert_snapshot!(comment(&against));
}

#[test]
fn what_is_within_the_tolerance_is_not_worse() {
    let worse = |rto, wall| {
        let against = compare(&timed(rto, wall), &timed(4.0, 1.0), Tolerance::default());
        against.worse().map(|change| change.figure).collect::<Vec<_>>()
    };
    assert_eq!(worse(5.8, 1.4), [""; 0]);
    assert_eq!(worse(5.9, 1.4), ["recovery, median", "recovery, worst"]);
    assert_eq!(worse(2.0, 1.6), ["seeds per hour of a core"]);
}

#[test]
fn one_slow_run_is_worse_in_its_worst_figure_alone() {
    let mut after = timed(4.0, 1.0);
    after.runs[0].rto = Some(60.0);
    let against = compare(&after, &timed(4.0, 1.0), Tolerance::default());
    assert_eq!(against.worse().map(|change| change.figure).collect::<Vec<_>>(), ["recovery, worst"]);
}

#[test]
fn page_of_a_sweep() {
    let mut record = whole();
    record.runs[1].report = Some("runs/partition-heal-8".into());
    let page = html(&record, Some(&compare(&record, &record, Tolerance::default())));
    let body = page.split_once("<body>").expect("it has a body").1;
    assert_snapshot!(body.replace("><", ">\n<"));
    assert!(!page.contains("http://") && !page.contains("https://"), "it needs nothing from elsewhere");
}
