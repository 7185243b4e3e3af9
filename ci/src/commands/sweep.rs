//! `assay sweep`: scenarios by seeds, on all cores, in shards, merged.

use crate::{
    alerts,
    args::{Reports, Shard, SweepArgs},
    failure::Failure,
    files,
    live::SweepBar,
    output::say,
    revision::revision,
};
use assay_reports::{
    SCHEMA_VERSION, Verdict,
    sweep::{self, Comparison, NotRun, SweepRecord, SweepRun, Tolerance},
    write_all, write_sweep,
};
use assay_scenarios::{Scenario, catalogue};
use assay_sim::run::{self, Options, Played};
use std::{
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

/// Exit status of a sweep that passed and is worse than its baseline.
const WORSE: u8 = 5;

/// Runs the command. Its status is the worst verdict, or [`WORSE`].
pub fn main(args: &SweepArgs) -> Result<u8, Failure> {
    // A baseline that cannot be read is said before an hour of runs.
    let baseline = args.baseline.as_deref().map(read).transpose()?;
    let record = if args.merge.is_empty() { play(args)? } else { merge(&args.merge)? };
    let tolerance = Tolerance { ratio: args.tolerance, speed: args.speed_tolerance, ..Tolerance::default() };
    let against = baseline.map(|baseline| sweep::compare(&record, &baseline, tolerance));
    write_sweep(&args.out, &record, against.as_ref())?;
    if args.json {
        say(sweep::json(&record));
    } else {
        tell(&record, against.as_ref(), &args.out);
    }
    let is_worse = against.is_some_and(|against| against.worse().next().is_some());
    Ok(match record.verdict() {
        Verdict::Passed if is_worse => WORSE,
        verdict => verdict.exit_code(),
    })
}

fn tell(record: &SweepRecord, against: Option<&Comparison>, out: &Path) {
    say(sweep::line(record));
    for worse in against.iter().flat_map(|against| against.worse()) {
        let scenario = worse.scenario.as_deref().unwrap_or("all");
        say(format_args!("worse: {scenario}: {} {} -> {} ({})", worse.figure, worse.before, worse.after, worse.by));
    }
    say(format_args!("page: {}", out.join("index.html").display()));
    for run in record.runs.iter().filter(|run| run.verdict != Verdict::Passed) {
        say(&run.reproduce);
    }
}

/// The sweep of a file, or of the folder that it is in.
fn read(path: &Path) -> Result<SweepRecord, Failure> {
    let file = if path.is_dir() { path.join("sweep.json") } else { path.to_owned() };
    let bytes = std::fs::read(&file).map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))?;
    SweepRecord::read(&bytes).map_err(|error| Failure::Record(file, error))
}

fn merge(dirs: &[PathBuf]) -> Result<SweepRecord, Failure> {
    let shards: Result<Vec<_>, Failure> = dirs.iter().map(|dir| read(dir)).collect();
    Ok(sweep::merge(shards?)?)
}

/// All runs that are asked for, in order: the seeds of the first scenario, those of the second, ...
fn planned<'a>(scenarios: &'a [Scenario], args: &SweepArgs) -> Vec<(&'a Scenario, u64)> {
    let all = scenarios.iter().flat_map(|scenario| args.seeds.0.clone().map(move |seed| (scenario, seed)));
    let Shard { index, count } = args.shard.or(args.shard_index).unwrap_or(Shard { index: 1, count: 1 });
    all.enumerate().filter(|(n, _)| n % count == index - 1).map(|(_, run)| run).collect()
}

fn scenarios(args: &SweepArgs) -> Result<Vec<Scenario>, Failure> {
    if !args.scenarios.is_empty() {
        return args.scenarios.iter().map(|named| files::scenario(named)).collect();
    }
    let all = catalogue::list(&files::scenario_dir())?;
    all.iter().map(|summary| Ok(Scenario::load(&summary.path)?)).collect()
}

/// What the threads of a sweep share.
struct Shared<'a> {
    runs: Vec<(&'a Scenario, u64)>,
    next: AtomicUsize,
    done: Mutex<Vec<(usize, SweepRun)>>,
    bar: SweepBar,
    git_rev: String,
    began: Instant,
    args: &'a SweepArgs,
}

fn play(args: &SweepArgs) -> Result<SweepRecord, Failure> {
    let scenarios = scenarios(args)?;
    let runs = planned(&scenarios, args);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let jobs = args.jobs.map_or(cores, std::num::NonZeroUsize::get).min(runs.len().max(1));
    let shared = Shared {
        bar: SweepBar::new(runs.len()),
        runs,
        next: AtomicUsize::new(0),
        done: Mutex::default(),
        git_rev: revision(),
        began: Instant::now(),
        args,
    };
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| work(&shared));
        }
    });
    let Shared { runs, done, bar, git_rev, .. } = shared;
    bar.finish();
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(n, _)| *n);
    let skipped = runs.iter().enumerate().filter(|(n, _)| done.binary_search_by_key(n, |(n, _)| *n).is_err());
    let not_run = skipped.map(|(_, (scenario, seed))| NotRun {
        scenario: format!("{} {seed}", scenario.name),
        reason: "the time of the sweep was over".to_owned(),
    });
    Ok(SweepRecord {
        schema_version: SCHEMA_VERSION,
        git_rev,
        shard: args.shard.or(args.shard_index).map(|shard| shard.to_string()),
        not_run: not_run.collect(),
        runs: done.into_iter().map(|(_, run)| run).collect(),
    })
}

fn work(shared: &Shared<'_>) {
    loop {
        let n = shared.next.fetch_add(1, Ordering::Relaxed);
        let Some((scenario, seed)) = shared.runs.get(n) else { return };
        if shared.args.time.is_some_and(|time| shared.began.elapsed() >= time) {
            return;
        }
        let reproduce = files::reproduce(scenario, *seed);
        let git_rev = shared.git_rev.clone();
        let options = Options { git_rev, reproduce: reproduce.clone(), ..Options::default() };
        let played = run::play(scenario, *seed, options, &mut |_| ()).map_err(Failure::from);
        let judged = played.and_then(|mut played| alerts::judge_aside(scenario, &mut played).map(|()| played));
        let result = match judged {
            Ok(played) => {
                let report = keep(shared, &played);
                SweepRun { report, ..SweepRun::from(&played.record) }
            }
            Err(error) => broken(scenario, *seed, reproduce, &error),
        };
        let mut done = shared.done.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(failure) = &result.failure {
            shared.bar.say(&format!("{} {}: {failure}\n  {}", result.scenario, result.seed, result.reproduce));
        }
        done.push((n, result));
        shared.bar.done(done.iter().filter(|(_, run)| run.verdict != Verdict::Passed).count());
    }
}

/// Writes the report of a run that is to leave one, and returns its folder below that of the sweep.
fn keep(shared: &Shared<'_>, played: &Played) -> Option<String> {
    let record = &played.record;
    let is_kept = match shared.args.reports {
        Reports::All => true,
        Reports::First => record.seed == shared.args.seeds.0.start || record.verdict != Verdict::Passed,
        Reports::Failed => record.verdict != Verdict::Passed,
    };
    let folder = is_kept.then(|| format!("runs/{}-{}", record.scenario, record.seed))?;
    let out = shared.args.out.join(&folder);
    let written = write_all(&out, record).map_err(Failure::from);
    if let Err(error) = written.and_then(|_| alerts::write_metrics(played, &out)) {
        shared.bar.say(&format!("assay: {error}"));
    }
    Some(folder)
}

fn broken(scenario: &Scenario, seed: u64, reproduce: String, error: &Failure) -> SweepRun {
    SweepRun {
        scenario: scenario.name.clone(),
        seed,
        verdict: Verdict::Infrastructure,
        failure: Some(error.to_string()),
        trace_hash: String::new(),
        virtual_seconds: 0.0,
        wall_seconds: 0.0,
        reproduce,
        finalized_lost: 0,
        reorg_depth_max: 0,
        rto: None,
        finality_lag: None,
        report: None,
    }
}
