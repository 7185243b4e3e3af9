//! `assay list`: the scenarios that there are.

use crate::{args::ListArgs, failure::Failure, files, output::say};
use assay_scenarios::{catalogue, format_duration};
use serde::Serialize;

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    file: String,
    about: &'a str,
    nodes: u16,
    duration_seconds: f64,
    faults: usize,
}

/// Runs the command.
pub fn main(args: &ListArgs) -> Result<u8, Failure> {
    let dir = args.dir.clone().unwrap_or_else(files::scenario_dir);
    let all = catalogue::list(&dir)?;
    if args.json {
        let entries: Vec<_> = all
            .iter()
            .map(|s| Entry {
                name: &s.name,
                file: s.path.display().to_string(),
                about: &s.about,
                nodes: s.nodes,
                duration_seconds: s.duration.as_secs_f64(),
                faults: s.faults,
            })
            .collect();
        say(serde_json::to_string(&entries).expect("a list has a JSON form"));
        return Ok(0);
    }
    let width = all.iter().map(|summary| summary.name.len()).max().unwrap_or(0);
    for summary in &all {
        let (name, length) = (&summary.name, format_duration(summary.duration));
        say(format_args!(
            "{name:width$}  {:>2} nodes  {length:>5}  {:>2} {:6}  {}",
            summary.nodes,
            summary.faults,
            if summary.faults == 1 { "fault" } else { "faults" },
            summary.about
        ));
    }
    if all.is_empty() {
        eprintln!("assay: there is no scenario in {}", dir.display());
    }
    Ok(0)
}
