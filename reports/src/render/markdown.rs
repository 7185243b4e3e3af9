//! `summary.md`: what a pull request or a terminal shows.

use std::fmt::Write;

use crate::figures::{Figures, expectations, invariants, sentence};
use crate::parts::{Alert, InvariantStatus};
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
    let rows: Vec<Vec<String>> = expectations(record)
        .into_iter()
        .map(|it| {
            let status = if it.met { "met" } else { "**not met**" };
            let left = it.margin.map_or_else(|| "–".to_owned(), |share| format!("{:.0} %", share * 100.0));
            vec![escape(&it.name), escape(&it.expected), escape(&it.actual), status.into(), left]
        })
        .collect();
    if !rows.is_empty() {
        let _ = writeln!(out, "\n## Expectations\n");
        table(out, &["expectation", "expected", "actual", "status", "left"], &rows);
    }
    let time = |at: Option<f64>| at.map_or_else(|| "–".to_owned(), clock_fine);
    let alert = |it: &Alert| {
        let status = it.status();
        let word = if status.is_good() { status.as_str().to_owned() } else { format!("**{}**", status.as_str()) };
        vec![escape(&it.name), word, escape(&it.severity), time(it.due), time(it.fired_at), time(it.fired_until)]
    };
    if !record.alerts.is_empty() {
        let _ = writeln!(out, "\n## Alerts\n");
        let rows: Vec<_> = record.alerts.iter().map(alert).collect();
        table(out, &["alert", "status", "severity", "due", "first fired", "last"], &rows);
    }
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
