//! Two records side by side.

use std::fmt::Write;

use crate::figures::Figures;
use crate::record::Record;
use crate::render::markdown::table;
use crate::text::{markdown as escape, seconds};

/// Compares `record` with an earlier `baseline` in Markdown: verdict, heights, recovery, deepest reorganisation, losses, speed and
/// trace. Rows that are equal say so; the speed is a ratio, as it differs between machines.
pub fn compare(record: &Record, baseline: &Record) -> String {
    let (before, after) = (baseline, record);
    let (old, new) = (Figures::of(before), Figures::of(after));
    let mut rows = vec![
        row("verdict", before.verdict.to_string(), after.verdict.to_string()),
        number("height", old.height, new.height),
        number("confirmed height", old.confirmed_height, new.confirmed_height),
    ];
    for node in &after.nodes {
        if let Some(was) = before.nodes.iter().find(|it| it.name == node.name && it.height != node.height) {
            rows.push(number(&format!("height of {}", escape(&node.name)), was.height, node.height));
        }
    }
    rows.push(number("deepest reorg", old.reorg_depth_max, new.reorg_depth_max));
    rows.push(number("confirmed transactions", before.workload.confirmed, after.workload.confirmed));
    rows.push(number("lost transactions", before.workload.lost, after.workload.lost));
    rows.push(time("worst RTO", old.rto_worst.seconds(), new.rto_worst.seconds(), || {
        (old.rto_worst.text(), new.rto_worst.text())
    }));
    for recovery in &after.recovery {
        if let Some(was) = before.recovery.iter().find(|it| it.fault == recovery.fault && it.rto != recovery.rto) {
            let text = |rto: Option<f64>| rto.map_or("not recovered".to_owned(), seconds);
            let name = format!("RTO of {}", escape(&recovery.fault));
            rows.push(time(&name, was.rto, recovery.rto, || (text(was.rto), text(recovery.rto))));
        }
    }
    rows.push(speed(&old, &new));
    let same = if before.trace_hash == after.trace_hash { "equal" } else { "different" };
    rows.push(vec!["trace".into(), String::new(), String::new(), same.into()]);

    let mut out = String::new();
    let name = |it: &Record| format!("{} seed {} ({})", escape(&it.scenario), it.seed, escape(&it.git_rev));
    let _ = writeln!(out, "# {} against {}\n", name(after), name(before));
    table(&mut out, &["figure", "before", "after", "change"], &rows);
    out
}

fn row(name: &str, old: String, new: String) -> Vec<String> {
    let change = if old == new { "equal" } else { "**changed**" };
    vec![name.into(), old, new, change.into()]
}

fn number(name: &str, old: u64, new: u64) -> Vec<String> {
    let change = match i128::from(new) - i128::from(old) {
        0 => "equal".to_owned(),
        delta => format!("{delta:+}"),
    };
    vec![name.into(), old.to_string(), new.to_string(), change]
}

fn time(name: &str, old: Option<f64>, new: Option<f64>, text: impl Fn() -> (String, String)) -> Vec<String> {
    let (before, after) = text();
    match (old, new) {
        (Some(a), Some(b)) if a != b => vec![name.into(), before, after, format!("{:+.1} s", b - a)],
        _ => row(name, before, after),
    }
}

fn speed(old: &Figures, new: &Figures) -> Vec<String> {
    let change = match (old.speed, new.speed) {
        (Some(a), Some(b)) if a > 0.0 => format!("{:+.0} %", (b / a - 1.0) * 100.0),
        _ => "–".to_owned(),
    };
    vec!["speed".into(), old.speed_text(), new.speed_text(), change]
}
