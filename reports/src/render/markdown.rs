//! `summary.md`: what a pull request or a terminal shows.

use std::fmt::Write;

use crate::figures::{Figures, expectations, invariants, sentence};
use crate::parts::InvariantStatus;
use crate::record::Record;
use crate::text::{clock, clock_fine, code, count, fenced, markdown as escape, seconds, short};

/// The record as Markdown: verdict, key figures, faults with recovery, invariants and expectations (the broken ones
/// first), nodes, command.
pub fn markdown(record: &Record) -> String {
    let mut out = String::new();
    head(&mut out, record);
    faults(&mut out, record);
    checks(&mut out, record);
    nodes(&mut out, record);
    let _ = write!(out, "\n## Reproduce\n\n{}", fenced(record.reproduce.trim()));
    out
}

fn head(out: &mut String, record: &Record) {
    let figures = Figures::of(record);
    let load = &record.workload;
    let _ = writeln!(out, "# {} seed {}: {}\n", escape(&record.scenario), record.seed, record.verdict);
    let _ = writeln!(out, "{}\n\n> {}\n", escape(&sentence(record)), escape(&record.about));
    table(
        out,
        &["figure", "value"],
        &[
            vec!["virtual time".into(), clock(record.virtual_seconds)],
            vec!["wall time".into(), format!("{} ({})", seconds(record.wall_seconds), figures.speed_text())],
            vec!["height".into(), format!("{}, confirmed {}", figures.height, figures.confirmed_height)],
            vec!["blocks produced".into(), count(figures.blocks_produced)],
            vec![
                "transactions".into(),
                format!(
                    "{} submitted, {} acknowledged, {} rejected, {} unknown, {} confirmed, **{} lost**",
                    count(load.submitted),
                    count(load.acknowledged),
                    count(load.rejected),
                    count(load.unknown),
                    count(load.confirmed),
                    count(load.lost)
                ),
            ],
            vec!["deepest reorg".into(), count(figures.reorg_depth_max)],
            vec!["worst RTO".into(), figures.rto_worst.text()],
            vec!["trace".into(), code(&short(&record.trace_hash))],
            vec!["revision".into(), format!("{} on {}", escape(&record.git_rev), escape(&record.backend))],
        ],
    );
}

fn faults(out: &mut String, record: &Record) {
    if record.faults.is_empty() {
        return;
    }
    let rows: Vec<Vec<String>> = record
        .faults
        .iter()
        .map(|fault| {
            let recovery = record.recovery.iter().find(|it| it.fault == fault.id);
            vec![
                escape(&format!("{} {}", fault.id, fault.kind)),
                escape(&fault.target.join(" ")),
                fault.applied_at.map_or("**never fired**".into(), clock_fine),
                fault.ended_at.map_or("–".into(), clock_fine),
                recovery.map_or("–".into(), |it| it.detect.map_or("not detected".into(), seconds)),
                recovery.map_or("–".into(), |it| it.rto.map_or("**not recovered**".into(), seconds)),
                recovery.map_or("–".into(), |it| count(it.rpo)),
            ]
        })
        .collect();
    let _ = writeln!(out, "\n## Faults\n");
    table(out, &["fault", "target", "from", "until", "detected", "RTO", "RPO"], &rows);
}

fn checks(out: &mut String, record: &Record) {
    let _ = writeln!(out, "\n## Invariants\n");
    let rows: Vec<Vec<String>> = invariants(record)
        .into_iter()
        .map(|it| {
            let status = match it.status {
                InvariantStatus::Held => "held".to_owned(),
                InvariantStatus::NotChecked => "not checked".to_owned(),
                InvariantStatus::Violated => {
                    format!("**violated**{}", it.at.map_or(String::new(), |at| format!(" at {}", clock_fine(at))))
                }
            };
            vec![escape(&it.name), status, count(it.checks), escape(&it.detail)]
        })
        .collect();
    match rows.is_empty() {
        true => out.push_str("None was checked.\n"),
        false => table(out, &["invariant", "status", "checks", "detail"], &rows),
    }
    if record.expectations.is_empty() && record.alerts.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n## Expectations\n");
    let mut rows: Vec<Vec<String>> = expectations(record)
        .into_iter()
        .map(|it| {
            let status = if it.met { "met" } else { "**not met**" };
            vec![escape(&it.name), escape(&it.expected), escape(&it.actual), status.into()]
        })
        .collect();
    rows.extend(record.alerts.iter().map(|it| {
        let expected = if it.expected { "fires" } else { "silent" };
        let actual = it.fired_at.map_or("silent".into(), |at| format!("fired at {}", clock_fine(at)));
        let status = if it.expected == it.fired_at.is_some() { "met" } else { "**not met**" };
        vec![format!("alert {}", escape(&it.name)), expected.into(), actual, status.into()]
    }));
    table(out, &["expectation", "expected", "actual", "status"], &rows);
}

fn nodes(out: &mut String, record: &Record) {
    if record.nodes.is_empty() {
        return;
    }
    let rows: Vec<Vec<String>> = record
        .nodes
        .iter()
        .map(|node| {
            vec![
                escape(&node.name),
                count(node.height),
                count(node.confirmed_height),
                code(&short(&node.head)),
                count(node.peers),
                count(node.restarts),
                count(node.blocks_produced),
                count(node.reorgs),
                count(node.reorg_depth_max),
            ]
        })
        .collect();
    let _ = writeln!(out, "\n## Nodes\n");
    let head = ["node", "height", "confirmed", "head", "peers", "restarts", "produced", "reorgs", "deepest"];
    table(out, &head, &rows);
}

/// Writes a Markdown table; cells are already escaped.
pub(crate) fn table(out: &mut String, head: &[&str], rows: &[Vec<String>]) {
    let _ = writeln!(out, "| {} |\n|{}", head.join(" | "), "---|".repeat(head.len()));
    for row in rows {
        let _ = writeln!(out, "| {} |", row.join(" | "));
    }
}
