//! `assay drills`: what is promised for each disaster against what runs have measured.

use crate::{args::DrillsArgs, failure::Failure, files, output::say};
use assay_reports::drills::{self, Promise};
use assay_scenarios::drills as promised;

/// Runs the command: 0 when every promise is kept, else 1.
pub fn main(args: &DrillsArgs) -> Result<u8, Failure> {
    let file = args.targets.clone().unwrap_or_else(|| files::scenario_dir().join("drills/targets.toml"));
    let promises = promised::load(&file).map_err(|error| Failure::Usage(error.to_string()))?;
    let promises = promises.into_iter().map(|drill| Promise {
        name: drill.name,
        scenario: drill.scenario,
        rto: drill.rto.as_secs_f64(),
        rpo: drill.rpo,
    });
    let records = args.reports.iter().map(|path| Ok(files::record(path)?.1));
    let held = drills::hold(promises.collect(), &records.collect::<Result<Vec<_>, Failure>>()?);
    say(if args.json { drills::json(&held) } else { drills::markdown(&held) }.trim_end());
    Ok(u8::from(held.iter().any(|drill| !drill.is_kept)))
}
