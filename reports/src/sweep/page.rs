//! `index.html` of a sweep: a matrix of scenarios by seeds, and what it comes to. One file that needs nothing else but the
//! reports that its cells lead to.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html as markup};

use super::{
    SweepRecord, SweepRun,
    regress::{Change, Comparison},
    render::{by_scenario, line_tail},
};
use crate::{
    record::Verdict,
    render::{page, word},
    text::{count, plural, seconds},
};

/// The sweep as a self-contained page; `against` is its baseline.
pub fn html(record: &SweepRecord, against: Option<&Comparison>) -> String {
    let verdict = record.verdict();
    let body = markup! {
        header.verdict.(verdict.as_str()) {
            p.scenario { "Sweep" @if let Some(shard) = &record.shard { span { "shard " (shard) } } }
            h1 { span.sign aria-hidden="true" { (sign(verdict)) } (word(verdict)) }
            p.sentence { (line_tail(record)) "." }
            p.meta { span { "revision " code { (record.git_rev) } } }
        }
        (matrix(record))
        @if let Some(against) = against { (changes(against)) }
        (figures(record))
        (failures(record))
    };
    page(&format!("Sweep: {verdict}"), "", &body)
}

fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "✓",
        Verdict::Violated => "✗",
        Verdict::Infrastructure => "!",
        Verdict::Nondeterministic => "≠",
    }
}

/// A row for each scenario, a column for each seed.
fn matrix(record: &SweepRecord) -> Markup {
    let seeds: BTreeSet<u64> = record.runs.iter().map(|run| run.seed).collect();
    markup! {
        section #matrix {
            h2 { "Scenarios by seeds" }
            p.note {
                "✓ passed, ✗ violated, ! could not be carried out, ≠ nondeterministic. "
                "An underlined cell leads to its report."
            }
            @if record.runs.is_empty() { p.note { "Nothing was run." } } @else {
                div.scroll {
                    table.matrix {
                        thead { tr { th { "Scenario" } @for seed in &seeds { th.n scope="col" { (seed) } } } }
                        tbody {
                            @for (name, runs) in by_scenario(record) { (row(name, &runs, &seeds)) }
                        }
                    }
                }
            }
        }
    }
}

fn row(name: &str, runs: &[&SweepRun], seeds: &BTreeSet<u64>) -> Markup {
    let by_seed: BTreeMap<u64, &SweepRun> = runs.iter().map(|run| (run.seed, *run)).collect();
    markup! {
        tr {
            th.nowrap scope="row" { (name) }
            @for seed in seeds {
                @match by_seed.get(seed) {
                    Some(run) => td.cell.(run.verdict.as_str()) title=(title(run)) {
                        @match &run.report {
                            Some(folder) => a href={ (folder) "/report.html" } { (sign(run.verdict)) },
                            None => (sign(run.verdict)),
                        }
                    },
                    None => td.cell {},
                }
            }
        }
    }
}

fn title(run: &SweepRun) -> String {
    let why = run.failure.as_ref().map_or_else(String::new, |failure| format!(": {failure}"));
    format!("{} seed {}: {}{why}", run.scenario, run.seed, run.verdict)
}

fn changes(against: &Comparison) -> Markup {
    let worse = against.worse().count();
    let head = ["Scenario", "Figure", "Before", "After", "Change"];
    let row = |change: &Change| {
        markup! {
            tr {
                td { b { (change.scenario.as_deref().unwrap_or("all")) } }
                td { (change.figure) }
                td.nowrap { (change.before) }
                td.nowrap { (change.after) }
                td.nowrap {
                    @if change.is_worse { span.badge.bad { (change.by) " worse" } } @else { (change.by) }
                }
            }
        }
    };
    let all = |changes: Vec<&Change>| {
        markup! {
            div.scroll {
                table {
                    thead { tr { @for name in head { th { (name) } } } }
                    tbody { @for change in changes { (row(change)) } }
                }
            }
        }
    };
    markup! {
        section #baseline {
            h2 { "Against the baseline" }
            p.note {
                @if worse == 0 { "Nothing became worse" } @else { (plural(worse, "figure")) " became worse" }
                " since " code { (against.before) } ", over " (plural(against.runs, "run")) " that both have."
            }
            @if worse > 0 { (all(against.worse().collect())) }
            @if !against.changes.is_empty() {
                details {
                    summary { "All changes (" (against.changes.len()) ")" }
                    (all(against.changes.iter().collect()))
                }
            }
        }
    }
}

fn figures(record: &SweepRecord) -> Markup {
    let head = ["Runs", "Passed", "Worst RTO", "Finality lag", "Deepest reorg", "Lost", "Virtual", "Speed"];
    markup! {
        section #figures {
            h2 { "Figures" }
            p.note { "The worst of each scenario's runs. Speed: virtual seconds per second of a core." }
            div.scroll {
                table {
                    thead { tr { th { "Scenario" } @for name in head { th.n { (name) } } } }
                    tbody {
                        @for (name, runs) in by_scenario(record) {
                            tr {
                                td.nowrap { b { (name) } }
                                @for value in values(&runs) { td.n { (value) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn values(runs: &[&SweepRun]) -> [String; 8] {
    let passed = runs.iter().filter(|run| run.verdict == Verdict::Passed).count();
    let most = |value: fn(&SweepRun) -> Option<f64>| {
        runs.iter().filter_map(|run| value(run)).reduce(f64::max).map_or_else(|| "–".to_owned(), seconds)
    };
    let [virtual_seconds, wall_seconds] = [|run: &SweepRun| run.virtual_seconds, |run: &SweepRun| run.wall_seconds]
        .map(|value| runs.iter().map(|run| value(run)).sum::<f64>());
    [
        runs.len().to_string(),
        passed.to_string(),
        most(|run| run.rto),
        most(|run| run.finality_lag),
        runs.iter().map(|run| run.reorg_depth_max).max().unwrap_or(0).to_string(),
        count(runs.iter().map(|run| run.finalized_lost).sum()),
        seconds(virtual_seconds),
        if wall_seconds > 0.0 { format!("{:.0}×", virtual_seconds / wall_seconds) } else { "–".into() },
    ]
}

fn failures(record: &SweepRecord) -> Markup {
    let failed: Vec<_> = record.runs.iter().filter(|run| run.verdict != Verdict::Passed).collect();
    markup! {
        @if !failed.is_empty() {
            section #failures {
                h2 { (plural(failed.len(), "failure")) }
                @for run in failed {
                    details open {
                        summary { b { (run.scenario) } " seed " (run.seed) " · " (run.verdict) }
                        @if let Some(failure) = &run.failure { p { (failure) } }
                        pre { code { (run.reproduce) } }
                    }
                }
            }
        }
        @if !record.not_run.is_empty() {
            section #not-run {
                h2 { "Not run" }
                ul { @for it in &record.not_run { li { b { (it.scenario) } ": " (it.reason) } } }
            }
        }
    }
}
