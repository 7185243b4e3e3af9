//! `assay metrics export`: the metrics of a run's nodes, for a Prometheus server.

use crate::{args::ExportArgs, failure::Failure};
use assay_reports::scrapes::{FILE, Scrapes};
use std::{
    io::Write,
    time::{SystemTime, UNIX_EPOCH},
};

/// Runs the command.
pub fn main(args: &ExportArgs) -> Result<u8, Failure> {
    let file = if args.run.is_dir() { args.run.join(FILE) } else { args.run.clone() };
    let bytes = std::fs::read(&file).map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))?;
    let scrapes = Scrapes::read(&bytes).map_err(|error| Failure::Record(file, error))?;
    let start = args.start.unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        now.saturating_sub(scrapes.count as u64 * scrapes.interval)
    });
    // Whoever reads may have had enough.
    let _written = std::io::stdout().write_all(scrapes.openmetrics(start).as_bytes());
    Ok(0)
}
