//! Writes two made-up reports into a directory, one passed and one violated, to look at the renderers' work.
//!
//! `cargo run -p assay-reports --example sample -- DIR`

mod model;

use std::path::Path;
use std::process::ExitCode;

use assay_reports::{Event, InvariantStatus, Record, Verdict, render, write_all};

fn main() -> ExitCode {
    let Some(dir) = std::env::args_os().nth(1) else {
        eprintln!("usage: sample DIR");
        return ExitCode::from(2);
    };
    let passed = model::record(5);
    let violated = break_agreement(passed.clone());
    let runs = [("passed", passed), ("violated", violated), ("crowd", model::record(40))];
    for (name, record) in runs {
        match write_all(&Path::new(&dir).join(name), &record) {
            Ok(paths) => println!("{}\n  {} files in {name}", render::line(&record), paths.len()),
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::from(3);
            }
        }
    }
    ExitCode::SUCCESS
}

fn break_agreement(mut record: Record) -> Record {
    let why = "n1 and n3 confirmed different blocks at height 27: 5f0c1d2b9a77 and c41be8d03e65";
    record.verdict = Verdict::Violated;
    record.failure = Some(format!("agreement violated at 5:43.2: {why}"));
    record.invariants[0].status = InvariantStatus::Violated;
    record.invariants[0].at = Some(343.2);
    record.invariants[0].detail = why.into();
    record.timeline.push(Event {
        at: 343.2,
        host: None,
        kind: "violation".into(),
        detail: format!("agreement: {why}"),
    });
    record.timeline.sort_by(|a, b| a.at.total_cmp(&b.at));
    record.invariants[6].status = InvariantStatus::NotChecked;
    record.invariants[6].checks = 0;
    record.recovery[0].rto = None;
    record.recovery[0].rpo = 14;
    record.workload.lost = 14;
    record.faults[2].applied_at = None;
    record.faults[2].ended_at = None;
    record.expectations[0].met = false;
    record.expectations[0].actual = "14".into();
    record
}
