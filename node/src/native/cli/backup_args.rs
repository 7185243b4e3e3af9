//! What can be typed about backups.

use super::args::HomeArg;
use clap::{Args, Subcommand};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  assay-node backup create --home node0                     of a running node or a stopped one
  assay-node backup create --home node0 --to /mnt/other     and a copy on another disk
  assay-node backup list --home node0
  assay-node backup verify --all --home node0
  assay-node backup restore NAME --home node0 --dry-run     would it work?
  assay-node backup restore NAME --home node0               the node must not run

A daily backup that the node makes itself: backup.interval_s = 86400 in config.toml.

What is restored is the chain up to the backup's height; the node gets the rest from its peers. A
restore keeps the database that was there, as db.replaced-1 beside it: remove it when all is well.
Keys and settings are not in a backup: keep copies of config.toml and of the .key files elsewhere.

Exit status: 0 done, 1 failed or damaged, 2 wrong usage or settings, 3 the node is not reachable.";

#[derive(Debug, Subcommand)]
#[command(after_long_help = EXAMPLES, after_help = "See --help for examples.")]
pub enum BackupCommand {
    Create(Create),
    List(List),
    Verify(Verify),
    Restore(Restore),
    Prune(Prune),
}

/// Make a backup: a copy of the database as it is at one moment, in one file
///
/// A running node makes it and goes on meanwhile; this command waits, and a Ctrl-C ends only the
/// waiting. Of a stopped node the database is opened here; it cannot be started until that is done.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct Create {
    #[command(flatten)]
    pub home: HomeArg,
    /// The running node's API, when it is not where the home's api.listen says
    #[arg(long, value_name = "http://ADDRESS:PORT")]
    pub url: Option<String>,
    /// Put a copy of it there as well, and read it to its end
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// List a home's backups, the newest first
///
/// Their manifests are read, not their contents: see 'verify'.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct List {
    #[command(flatten)]
    pub home: HomeArg,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Read backups to their end, and say what is damaged
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["archives", "all"]))]
pub struct Verify {
    /// Files, or names of the home's backups
    #[arg(value_name = "FILE")]
    pub archives: Vec<PathBuf>,
    /// All backups of the home
    #[arg(long, requires = "home")]
    pub all: bool,
    /// The directory that the node lives in
    #[arg(long, value_name = "DIR", env = "ASSAY_HOME", hide_env_values = true)]
    pub home: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Put a backup in the place of a home's database
///
/// The backup is read to its end first, and refused when it is damaged, of another chain or of a
/// newer schema. It is unpacked beside the database, opened and checked there, and only then takes
/// its place. The database that was there is kept beside it. The node must not run.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct Restore {
    /// A file, or the name of one of the home's backups
    #[arg(value_name = "FILE")]
    pub archive: PathBuf,
    #[command(flatten)]
    pub home: HomeArg,
    /// Check the backup and the room for it, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Replace a database without asking
    #[arg(long)]
    pub yes: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Remove backups that are old
///
/// Damaged ones are neither counted nor removed.
#[derive(Debug, Args)]
pub struct Prune {
    #[command(flatten)]
    pub home: HomeArg,
    /// Keep those of so many days [default: the home's backup.keep_days]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u64).range(1..=36_500))]
    pub keep_days: Option<u64>,
    /// Keep so many of the newest in any case [default: the home's backup.keep_min]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub keep_min: Option<u32>,
    /// Say which ones, and remove nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
