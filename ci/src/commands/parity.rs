//! `assay parity`: simulated and live runs of one scenario side by side.

use super::live;
use crate::{
    alerts,
    args::{Backend, ParityArgs},
    failure::Failure,
    files,
    live::SweepBar,
    output::say,
    revision::revision,
};
use assay_reports::{
    Record,
    parity::{self, ParityRecord},
    write_all, write_parity,
};
use assay_scenarios::Scenario;
use assay_sim::run::{self, Options};
use std::{
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// Runs the command: 0 when everything live lies within what was simulated and all runs passed, else 1.
pub fn main(args: &ParityArgs) -> Result<u8, Failure> {
    if args.on == Backend::Sim {
        return Err(Failure::Usage("parity compares the simulator with --on process or --on compose".into()));
    }
    let scenario = files::scenario(&args.scenario)?;
    let name = format!("{}-{}", scenario.name, args.on.name());
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("target/assay/parity/{name}")));
    let live = match args.live.is_empty() {
        true => play(&scenario, args, &out)?,
        false => args.live.iter().map(|path| Ok(files::record(path)?.1)).collect::<Result<_, Failure>>()?,
    };
    let record = ParityRecord::new(&simulate(&scenario, args)?, &live)?;
    write_parity(&out, &record)?;
    if args.json {
        say(parity::json(&record).trim_end());
    } else {
        say(parity::line(&record));
        for finding in &record.findings {
            say(format_args!("  {finding}"));
        }
        say(format_args!("report: {}", out.join("parity.md").display()));
    }
    Ok(u8::from(!record.findings.is_empty()))
}

/// The live runs, one after the other, each with a seed of its own.
fn play(scenario: &Scenario, args: &ParityArgs, out: &Path) -> Result<Vec<Record>, Failure> {
    let seeds = args.seeds.0.clone().cycle().take(args.runs.get());
    let mut records = Vec::new();
    for (n, seed) in seeds.enumerate() {
        let out = out.join(format!("live-{n}"));
        let mut played = live::play(scenario, seed, args.on, &out)?;
        alerts::write_metrics(&played, &out)?;
        alerts::judge(scenario, &mut played, &out)?;
        write_all(&out, &played.record)?;
        records.push(played.record);
    }
    Ok(records)
}

/// The simulated runs, on all cores, in the order of their seeds.
fn simulate(scenario: &Scenario, args: &ParityArgs) -> Result<Vec<Record>, Failure> {
    let seeds = &args.seeds.0;
    let (next, done) = (AtomicU64::new(seeds.start), Mutex::new(Vec::new()));
    let bar = SweepBar::new((seeds.end - seeds.start) as usize);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let reproduce = files::reproduce(scenario, seed);
                    let options = Options { git_rev: revision(), reproduce, ..Options::default() };
                    let played = simulate_one(scenario, seed, options);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.push((seed, played));
                    bar.done(done.iter().filter(|(_, played)| is_bad(played)).count());
                }
            });
        }
    });
    bar.finish();
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(seed, _)| *seed);
    done.into_iter().map(|(_, played)| played).collect()
}

fn simulate_one(scenario: &Scenario, seed: u64, options: Options) -> Result<Record, Failure> {
    let mut played = run::play(scenario, seed, options, &mut |_| ())?;
    alerts::judge_aside(scenario, &mut played)?;
    Ok(played.record)
}

fn is_bad(played: &Result<Record, Failure>) -> bool {
    played.as_ref().map_or(true, |record| record.verdict.exit_code() != 0)
}
