//! `assay replay`: the run of a report again, with logs when asked for.

use super::{print_outcome, run};
use crate::{alerts, args::ReplayArgs, failure::Failure, files, revision::revision};
use assay_reports::Verdict;
use assay_sim::run::LogFilter;

/// Runs the command. A whole replay that differs from the report of the same source is nondeterminism.
pub fn main(args: &ReplayArgs) -> Result<u8, Failure> {
    let (_, before) = files::record(&args.report)?;
    if before.backend != "sim" {
        let backend = before.backend;
        return Err(Failure::Usage(format!(
            "only runs of the simulator can be replayed, and this one ran on {backend}"
        )));
    }
    let scenario = files::scenario_of(&before)?;
    let logs = args.logs.as_ref().map(|nodes| LogFilter { hosts: nodes.0.clone(), level: args.log_level.clone() });
    let mut played = run::play(&scenario, before.seed, &run::Watch { trace: None, logs, until: args.until })?;
    if args.until.is_none() {
        alerts::judge_aside(&scenario, &mut played)?;
    }
    let mut record = played.record;
    if args.until.is_none() && record.trace_hash != before.trace_hash {
        let now = revision();
        if before.git_rev == now && !now.ends_with("-dirty") {
            record.verdict = Verdict::Nondeterministic;
            record.failure =
                Some(format!("the report's trace is {}, this one's {}", before.trace_hash, record.trace_hash));
        } else {
            eprintln!("assay: another run than the report's, which is of revision {}; this is {now}", before.git_rev);
        }
    }
    print_outcome(&record, None, args.json);
    Ok(record.verdict.exit_code())
}
