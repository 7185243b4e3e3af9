//! One module a command. Each gives the exit status, or why it could not do its work.

pub mod determinism;
pub mod drills;
pub mod list;
pub mod live;
pub mod metrics;
pub mod parity;
pub mod replay;
pub mod report;
pub mod run;
pub mod sweep;
pub mod testnet;

use crate::{args::Backend, output::say};
use assay_reports::{Record, render, sweep::SweepRun};
use serde::Serialize;
use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
};

/// The outcome of one run, for `--json`.
#[derive(Serialize)]
struct Outcome<'a> {
    #[serde(flatten)]
    run: SweepRun,
    /// The folder with the report.
    report: Option<&'a Path>,
}

/// Prints the outcome of a run: one line and where the report is, or JSON. The last line of a failed run is the command
/// that repeats it.
fn print_outcome(record: &Record, report: Option<&Path>, json: bool) {
    if json {
        let outcome = Outcome { run: SweepRun::from(record), report };
        say(serde_json::to_string(&outcome).expect("an outcome has a JSON form"));
        return;
    }
    let line = if std::io::stdout().is_terminal() { render::line_in_color(record) } else { render::line(record) };
    say(line);
    if let Some(report) = report {
        say(format_args!("report: {}", report.join("report.html").display()));
    }
    if record.verdict.exit_code() != 0 {
        say(&record.reproduce);
    }
}

/// Where the report of a run goes unless told otherwise.
fn default_out(scenario: &str, seed: u64, on: Backend) -> PathBuf {
    match on {
        Backend::Sim => PathBuf::from(format!("target/assay/{scenario}-{seed}")),
        Backend::Process | Backend::Compose => PathBuf::from(format!("target/assay/{scenario}-{seed}-{}", on.name())),
    }
}
