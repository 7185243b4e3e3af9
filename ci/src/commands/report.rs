//! `assay report`: renders records again, or compares them.

use super::print_outcome;
use crate::{args::ReportArgs, failure::Failure, files, output::say};
use assay_reports::{baseline, write_all};

/// Runs the command. Its status is the worst verdict of the reports.
pub fn main(args: &ReportArgs) -> Result<u8, Failure> {
    let baseline = args.baseline.as_ref().map(|path| files::record(path)).transpose()?;
    if args.out.is_some() && args.reports.len() > 1 {
        return Err(Failure::Usage("--out takes one report: several would overwrite each other".into()));
    }
    let mut worst = 0;
    for path in &args.reports {
        let (file, record) = files::record(path)?;
        worst = worst.max(record.verdict.exit_code());
        if let Some((_, before)) = &baseline {
            say(baseline::compare(&record, before).trim_end());
            continue;
        }
        let beside = file.parent().map(ToOwned::to_owned).unwrap_or_default();
        let out = args.out.clone().unwrap_or(beside);
        write_all(&out, &record)?;
        print_outcome(&record, Some(&out), args.json);
    }
    Ok(worst)
}
