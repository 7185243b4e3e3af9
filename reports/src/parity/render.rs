//! Renderers of a comparison: JSON, one line, Markdown.

use super::{Figure, ParityRecord, Played};
use crate::{
    record::Verdict,
    render::{markdown::table, to_json},
    text::{markdown as escape, plural},
};
use std::{collections::BTreeMap, fmt::Write};

/// The record as indented JSON with a final newline.
pub fn json(record: &ParityRecord) -> String {
    to_json(record)
}

/// The comparison in one line without a line break.
pub fn line(record: &ParityRecord) -> String {
    let agreeing = record.figures.iter().filter(|figure| !figure.is_finding()).count();
    format!(
        "{}: {} of {} figures agree between {} and {} on {}, {}",
        record.scenario,
        agreeing,
        record.figures.len(),
        plural(record.simulated.len(), "simulated run"),
        plural(record.live.len(), "live run"),
        record.backend,
        plural(record.findings.len(), "finding"),
    )
}

/// A value with its unit; a dash for none.
pub(super) fn value(value: Option<f64>, unit: &str) -> String {
    match (value, unit) {
        (None, _) => "–".to_owned(),
        (Some(value), "s") => format!("{value:.1} s"),
        (Some(value), _) => format!("{value:.0}"),
    }
}

/// A part of one, such as `1.4 %`.
pub(super) fn percent(part: f64) -> String {
    format!("{:.1} %", part * 100.0)
}

/// The spread of the simulated values: least, median, greatest.
pub(super) fn spread(figure: &Figure) -> String {
    let (Some(least), Some(most)) = (figure.simulated.first(), figure.simulated.last()) else {
        return "–".to_owned();
    };
    let show = |number: f64| value(Some(number), &figure.unit);
    let without = match figure.simulated_without {
        0 => String::new(),
        count => format!(", {count} without"),
    };
    if least == most {
        return show(*least) + &without;
    }
    format!("{} to {} (median {}){without}", show(*least), show(*most), value(figure.median(), &figure.unit))
}

/// What agrees and what does not, figure by figure, and in which order things happened.
pub fn markdown(record: &ParityRecord) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "# Parity: {}\n\n{}\n", escape(&record.scenario), escape(&record.about));
    let _ = writeln!(
        out,
        "{} against {} on {}, at {}.\n",
        runs(&record.simulated, "simulated"),
        runs(&record.live, "live"),
        escape(&record.backend),
        escape(&record.git_rev)
    );
    let rows: Vec<Vec<String>> = record
        .figures
        .iter()
        .map(|figure| {
            let live: Vec<_> = figure.live.iter().map(|number| value(*number, &figure.unit)).collect();
            let agrees = match (figure.agrees, figure.is_finding()) {
                (true, _) => "yes".to_owned(),
                (false, false) => format!("as chance has it in {}", percent(figure.chance)),
                (false, true) => "**no**".to_owned(),
            };
            vec![escape(&figure.name), escape(&figure.unit), spread(figure), live.join(", "), agrees]
        })
        .collect();
    table(&mut out, &["figure", "unit", "simulated", "live", "agrees"], &rows);
    let _ = writeln!(out, "\n## Order\n");
    for (name, played) in [("simulated", &record.simulated), ("live", &record.live)] {
        let mut orders: BTreeMap<&str, usize> = BTreeMap::new();
        played.iter().for_each(|run| *orders.entry(&run.order).or_default() += 1);
        for (order, count) in orders {
            let order = if order.is_empty() { "no fault" } else { order };
            let _ = writeln!(out, "- {count} {name}: {}", escape(order));
        }
    }
    let _ = writeln!(out, "\n## {}\n", plural(record.findings.len(), "finding"));
    if record.findings.is_empty() {
        let _ = writeln!(out, "What is live lies within what was simulated, but for what chance explains.");
    }
    for finding in &record.findings {
        let _ = writeln!(out, "- {}", escape(finding));
    }
    let failed: Vec<&Played> =
        record.simulated.iter().chain(&record.live).filter(|run| run.failure.is_some()).collect();
    if !failed.is_empty() {
        let _ = writeln!(out, "\n## {}\n", plural(failed.len(), "failed run"));
    }
    for run in failed {
        let failure = run.failure.as_deref().unwrap_or_default();
        let _ = writeln!(out, "- seed {}: {}", run.seed, escape(failure));
    }
    out
}

fn runs(played: &[Played], kind: &str) -> String {
    let passed = played.iter().filter(|run| run.verdict == Verdict::Passed).count();
    format!("{} ({passed} passed)", plural(played.len(), &format!("{kind} run")))
}
