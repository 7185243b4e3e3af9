//! The command line's grammar and help.

use crate::testnet_args::TestnetArgs;
use clap::{Parser, Subcommand, ValueEnum};
use std::{ops::Range, path::PathBuf, str::FromStr, time::Duration};

const EXAMPLES: &str = "\
Examples:
  assay run partition-heal --seed 7      split five nodes, heal them, write a report
  assay sweep --seeds 0..50              every scenario with fifty seeds, on all cores
  assay determinism steady --seed 3      the same run in two processes, compared event by event
  assay run partition-heal --on process  the same on real processes, in real time
  assay parity partition-heal            simulated and live runs of it side by side
  assay replay REPORT --logs n2          the run of a report again, with the logs of n2
  assay testnet up                       four nodes on this machine, with funded accounts

Exit status:
  0 passed   1 invariant violated or expectation not met   2 usage or scenario error
  3 infrastructure   4 nondeterministic";

/// Puts a cluster of production nodes through an ordeal, from a seed, and reports what broke.
#[derive(Debug, Parser)]
#[command(name = "assay", version, after_help = EXAMPLES, max_term_width = 110)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run one scenario with one seed and write its report
    Run(RunArgs),
    /// List the scenarios
    List(ListArgs),
    /// Hold what is promised for each disaster against what runs have measured
    Drills(DrillsArgs),
    /// What the nodes of a run have measured
    #[command(subcommand)]
    Metrics(MetricsCommand),
    /// Run a scenario twice, in two processes, and name the first event that differs
    Determinism(DeterminismArgs),
    /// Run again what a report is of, and compare
    Replay(ReplayArgs),
    /// Render reports again, or compare one with a baseline
    Report(ReportArgs),
    /// Hold live runs of a scenario against simulated ones
    Parity(ParityArgs),
    /// Run many scenarios with many seeds, or merge the results of shards
    Sweep(SweepArgs),
    // It says what it is at its arguments.
    Testnet(TestnetArgs),
}

/// Arguments of `assay drills`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  assay drills target/drills/*/report.json > DRILLS.md
  assay drills --json target/drills/*/report.json

Exit status: 0 every promise is kept, 1 one is not, or was not played both simulated and live.")]
pub struct DrillsArgs {
    /// `report.json` files, or folders that hold one
    #[arg(required = true)]
    pub reports: Vec<PathBuf>,
    /// What is promised [default: drills/targets.toml in the folder of scenarios]
    #[arg(long, value_name = "FILE")]
    pub targets: Option<PathBuf>,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

/// What to do with metrics.
#[derive(Debug, Subcommand)]
pub enum MetricsCommand {
    /// Print the metrics of a run as OpenMetrics, for 'promtool tsdb create-blocks-from openmetrics'
    #[command(after_help = "\
Example: an outage of the simulator in a real Prometheus
  assay run crash-restart --out run
  assay metrics export run > run/metrics.txt
  promtool tsdb create-blocks-from openmetrics run/metrics.txt run/data
  prometheus --storage.tsdb.path run/data --storage.tsdb.retention.time 10y --config.file /dev/null")]
    Export(ExportArgs),
}

/// Arguments of `assay metrics export`.
#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// The folder of a run's report, or its `metrics.json`
    pub run: PathBuf,
    /// When the run began, in seconds since 1970 [default: so long ago that it ends now]
    #[arg(long, value_name = "SECONDS")]
    pub start: Option<u64>,
}

/// Where nodes run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Backend {
    /// In the simulator, in virtual time
    Sim,
    /// As processes on this machine
    Process,
    /// As containers
    Compose,
}

impl Backend {
    /// Its name, as records and the command line have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sim => "sim",
            Self::Process => "process",
            Self::Compose => "compose",
        }
    }
}

/// Arguments of `assay run`.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// A scenario file, or the name of one in the folder `scenarios`
    pub scenario: String,
    /// From which everything random in the run follows
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Where the nodes run
    #[arg(long, value_enum, default_value_t = Backend::Sim)]
    pub on: Backend,
    /// Where the report goes, and with it the homes and logs of a live run
    /// [default: target/assay/SCENARIO-SEED, with -process or -compose]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Write every event of the run to this file, one a line
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// Print the outcome as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `assay list`.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    /// The folder to look in
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Print the list as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `assay determinism`.
#[derive(Debug, clap::Args)]
pub struct DeterminismArgs {
    /// A scenario file, or the name of one in the folder `scenarios`
    pub scenario: String,
    /// The seed of both runs
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Print the outcome as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `assay replay`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The report holds its scenario, so the file need not be there, nor be as it was.

Examples:
  assay replay target/assay/partition-heal-7
  assay replay target/assay/partition-heal-7 --logs n2 --until 2m50s

Exit status: as of a run, and 4 when the same revision gave another trace.")]
pub struct ReplayArgs {
    /// A `report.json`, or the folder that holds one
    pub report: PathBuf,
    /// Stop at this virtual time, such as `3m20s`
    #[arg(long, value_name = "T", value_parser = duration)]
    pub until: Option<Duration>,
    /// Print the logs of these nodes, such as `n2` or `n0,n3`; `all` for every node
    #[arg(long, value_name = "NODES")]
    pub logs: Option<Nodes>,
    /// Which logs: a level, or a filter such as `info,assay_node::p2p=debug`
    #[arg(long, value_name = "FILTER", default_value = "info", requires = "logs")]
    pub log_level: String,
    /// Print the outcome as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `assay report`.
#[derive(Debug, clap::Args)]
pub struct ReportArgs {
    /// `report.json` files, or folders that hold one
    #[arg(required = true)]
    pub reports: Vec<PathBuf>,
    /// Compare with this report instead of rendering
    #[arg(long, value_name = "REPORT")]
    pub baseline: Option<PathBuf>,
    /// Where the rendered files go [default: beside each report]
    #[arg(long, value_name = "DIR", conflicts_with = "baseline")]
    pub out: Option<PathBuf>,
    /// Print the outcome of each as JSON
    #[arg(long, conflicts_with = "baseline")]
    pub json: bool,
}

/// Arguments of `assay parity`.
#[derive(Debug, clap::Args)]
pub struct ParityArgs {
    /// A scenario file, or the name of one in the folder `scenarios`
    pub scenario: String,
    /// Where the live runs are: process or compose
    #[arg(long, value_enum, default_value_t = Backend::Process)]
    pub on: Backend,
    /// Seeds of the simulated runs, from A up to but without B; live runs take them in turn
    #[arg(long, value_name = "A..B", default_value = "0..20")]
    pub seeds: Seeds,
    /// How often it is played live, one run after the other
    #[arg(long, value_name = "N", default_value = "3")]
    pub runs: std::num::NonZeroUsize,
    /// Play nothing live; compare with these reports of live runs
    #[arg(long, value_name = "REPORT", num_args = 1.., conflicts_with = "runs")]
    pub live: Vec<PathBuf>,
    /// Where parity.md, parity.json and the live reports go [default: target/assay/parity/SCENARIO-BACKEND]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print the comparison as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `assay sweep`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  assay sweep --seeds 0..10 --reports first
  assay sweep pos-crash pos-steady --seeds 0..50 --baseline before/sweep.json

Exit status: 0 all passed, 1 a run violated something, 3 one could not be carried out, 4 one was nondeterministic,
5 all passed and something became worse than the baseline beyond the tolerance.")]
pub struct SweepArgs {
    /// Scenario files or names [default: all in the folder `scenarios`]
    pub scenarios: Vec<String>,
    /// The seeds, from A up to but without B
    #[arg(long, value_name = "A..B", default_value = "0..10")]
    pub seeds: Seeds,
    /// Start no run after this time on the machine's clock; what was left out is said
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub time: Option<Duration>,
    /// Runs at a time [default: one a core]
    #[arg(long, value_name = "N")]
    pub jobs: Option<std::num::NonZeroUsize>,
    /// Run only part i of n, for several machines
    #[arg(long, value_name = "i/n")]
    pub shard: Option<Shard>,
    /// The same, counted from 0: what numbers its machines so can pass the number on
    #[arg(long, value_name = "i/n", value_parser = shard_from_0, conflicts_with_all = ["shard", "merge"])]
    pub shard_index: Option<Shard>,
    /// Run nothing; merge the results that shards left in these folders
    #[arg(long, value_name = "DIR", num_args = 1.., conflicts_with_all = ["shard", "time", "jobs", "scenarios"])]
    pub merge: Vec<PathBuf>,
    /// Say what became worse since this sweep: a sweep.json, or a folder that holds one
    #[arg(long, value_name = "SWEEP")]
    pub baseline: Option<PathBuf>,
    /// By how much times may grow before they count as worse, beside one second
    #[arg(long, value_name = "PERCENT", value_parser = percent, default_value = "20%", requires = "baseline")]
    pub tolerance: f64,
    /// By how much the speed may fall; machines differ
    #[arg(long, value_name = "PERCENT", value_parser = percent, default_value = "33%", requires = "baseline")]
    pub speed_tolerance: f64,
    /// Which runs leave a report: failed ones, also the first of each scenario, or all
    #[arg(long, value_name = "WHICH", value_enum, default_value_t = Reports::Failed)]
    pub reports: Reports,
    /// Where the summary, the page and the reports go
    #[arg(long, value_name = "DIR", default_value = "target/assay/sweep")]
    pub out: PathBuf,
    /// Print the outcome as JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs that leave a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Reports {
    /// Those that did not pass.
    Failed,
    /// Those, and the first of each scenario.
    First,
    /// All.
    All,
}

/// A percentage as a share of 1.
fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').and_then(|number| number.parse::<f64>().ok());
    let share = number.map(|number| number / 100.0).filter(|share| (0.0..=100.0).contains(share));
    share.ok_or_else(|| "a percentage is like 20%".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    assay_scenarios::parse_duration(text).ok_or_else(|| "a duration is like 90s, 3m20s or 500ms".to_owned())
}

/// Part `0/5` is the first of five.
fn shard_from_0(text: &str) -> Result<Shard, String> {
    let parts = text.split_once('/').and_then(|(i, n)| Some((i.parse::<usize>().ok()?, n.parse().ok()?)));
    let shard = parts.map(|(index, count)| Shard { index: index.saturating_add(1), count });
    shard
        .filter(|shard| shard.index <= shard.count)
        .ok_or_else(|| "counted from 0, a shard is like 1/5: part 2 of 5".into())
}

/// Seeds from the first up to but without the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeds(pub Range<u64>);

impl FromStr for Seeds {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let range = text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
        range
            .filter(|range| !range.is_empty())
            .map(Self)
            .ok_or_else(|| "seeds are like 0..50, the end left out".to_owned())
    }
}

/// One part of a sweep, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which.
    pub index: usize,
    /// Of how many.
    pub count: usize,
}

impl FromStr for Shard {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        let shard = parts.map(|(index, count)| Self { index, count });
        shard
            .filter(|s| s.index >= 1 && s.index <= s.count)
            .ok_or_else(|| "a shard is like 2/5: part 2 of 5".to_owned())
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

/// Nodes by number; none stands for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nodes(pub Vec<usize>);

impl FromStr for Nodes {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self(Vec::new()));
        }
        let node = |name: &str| assay_scenarios::NodeIndex::parse(name.trim()).map(|node| node.index());
        let nodes: Option<Vec<_>> = text.split(',').map(node).collect();
        nodes.map(Self).ok_or_else(|| "nodes are like n2 or n0,n3, or all".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_grammar_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn seeds_shards_and_nodes() {
        assert_eq!("3..5".parse(), Ok(Seeds(3..5)));
        for wrong in ["3", "5..5", "5..3", "a..b", "-1..2"] {
            assert!(wrong.parse::<Seeds>().is_err(), "{wrong}");
        }
        assert_eq!("2/5".parse(), Ok(Shard { index: 2, count: 5 }));
        for wrong in ["0/5", "6/5", "2", "/"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
        assert_eq!(shard_from_0("1/5"), Ok(Shard { index: 2, count: 5 }));
        for wrong in ["5/5", "-1/5", "1"] {
            assert!(shard_from_0(wrong).is_err(), "{wrong}");
        }
        assert_eq!("n0,n12".parse(), Ok(Nodes(vec![0, 12])));
        assert_eq!("all".parse(), Ok(Nodes(Vec::new())));
        assert!("2".parse::<Nodes>().is_err());
    }
}
