//! `assay run`: one scenario, one seed, one report.

use super::{default_out, live, print_outcome};
use crate::{
    alerts,
    args::{Backend, RunArgs},
    failure::Failure,
    files,
    live::RunLine,
    revision::revision,
};
use assay_reports::write_all;
use assay_scenarios::Scenario;
use assay_sim::run::{LogFilter, Options, Played, play as simulate};
use std::{fs::File, io::BufWriter, path::Path, time::Duration};

/// Runs the command.
pub fn main(args: &RunArgs) -> Result<u8, Failure> {
    let scenario = files::scenario(&args.scenario)?;
    let out = args.out.clone().unwrap_or_else(|| default_out(&scenario.name, args.seed, args.on));
    let mut played = match args.on {
        Backend::Sim => play(&scenario, args.seed, &Watch { trace: args.trace.as_deref(), logs: None, until: None })?,
        Backend::Process | Backend::Compose if args.trace.is_some() => {
            return Err(Failure::Usage("--trace is for the simulator: a live run has no trace".into()));
        }
        Backend::Process | Backend::Compose => live::play(&scenario, args.seed, args.on, &out)?,
    };
    alerts::write_metrics(&played, &out)?;
    alerts::judge(&scenario, &mut played, &out)?;
    let record = &played.record;
    write_all(&out, record)?;
    print_outcome(record, Some(&out), args.json);
    Ok(record.verdict.exit_code())
}

/// What is to be seen of a run.
pub struct Watch<'a> {
    /// Where its events go.
    pub trace: Option<&'a Path>,
    /// Whose logs are printed.
    pub logs: Option<LogFilter>,
    /// When it ends early.
    pub until: Option<Duration>,
}

/// Runs a scenario with a line of progress.
pub fn play(scenario: &Scenario, seed: u64, watch: &Watch<'_>) -> Result<Played, Failure> {
    let trace = watch.trace.map(|path| {
        let file =
            File::create(path).map_err(|error| Failure::Infrastructure(format!("{}: {error}", path.display())))?;
        Ok::<_, Failure>(Box::new(BufWriter::new(file)) as Box<dyn std::io::Write + Send>)
    });
    let options = Options {
        git_rev: revision(),
        reproduce: files::reproduce(scenario, seed),
        trace: trace.transpose()?,
        logs: watch.logs.clone(),
        until: watch.until,
    };
    let line = RunLine::new(scenario.duration);
    let played = simulate(scenario, seed, options, &mut |progress| line.show(progress));
    line.finish();
    Ok(played?)
}
