//! What can be typed after `assay testnet`.

mod deeds;

pub use deeds::{BackupArgs, ChaosArgs, DeedArg, DumpArgs, FaucetArgs, LoadArgs, RestoreArgs, UpgradeArgs};

use assay_node::types::Consensus;
use assay_testnet::net::{LATEST, ROOT};
use clap::{Args, Subcommand, ValueEnum};
use std::{path::PathBuf, time::Duration};

const EXAMPLES: &str = "\
Examples:
  assay testnet up                           four miners on this machine, with funded accounts
  assay testnet up --consensus pos --name s  four validators, beside the first net
  assay testnet status --watch               how they are, redrawn every second
  assay testnet load --rate 50 --for 30s     transfers, and how long they took
  assay testnet chaos kill n2                as kill -9 does; 'chaos start n2' brings it back
  assay testnet logs -f n0 n2                their logs, merged by time
  assay testnet down                         end all of them; 'up' goes on with their data

A net outlives the command and the terminal that started it. It lives in one folder,
target/assay/testnet/NAME, and every command means the net started last unless --name is given.

Exit status: 0 done, 1 a node or a check failed, 2 wrong usage, 3 the system refuses.";

/// Run a network of nodes on this machine
///
/// Nodes are processes of the same program that runs in production, on free ports of loopback.
/// No container engine is needed.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, after_help = EXAMPLES)]
pub struct TestnetArgs {
    /// What to do
    #[command(subcommand)]
    pub command: TestnetCommand,
}

/// What to do with a testnet.
#[derive(Debug, Subcommand)]
pub enum TestnetCommand {
    // What a command says about itself is at its arguments.
    Up(UpArgs),
    Status(StatusArgs),
    Logs(LogsArgs),
    Load(LoadArgs),
    Faucet(FaucetArgs),
    Chaos(ChaosArgs),
    Backup(BackupArgs),
    Restore(RestoreArgs),
    Upgrade(UpgradeArgs),
    Dump(DumpArgs),
    Down(DownArgs),
    List(ListArgs),
    Clean(CleanArgs),
    Init(InitArgs),
}

/// Which testnet.
#[derive(Debug, Args)]
pub struct NetArg {
    /// The testnet; 'latest' is the one started last
    #[arg(long, value_name = "NAME", default_value = LATEST)]
    pub name: String,
    #[command(flatten)]
    pub dir: DirArg,
}

/// Where testnets live, and how to answer.
#[derive(Debug, Args)]
pub struct DirArg {
    /// The folder that testnets live in, one folder each
    #[arg(long, value_name = "DIR", default_value = ROOT)]
    pub dir: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Start a testnet and wait until all nodes are ready and connected
///
/// Prints endpoints and funded accounts with their secrets, which are in accounts.json as well
/// (mode 0600). A net of that name that was ended goes on with its data. When a node fails, or
/// at Ctrl-C, everything that was started is ended again.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  assay testnet up
  assay testnet up --nodes 7 --block-interval 500ms --name quick
  assay testnet up --consensus pos --ports 6000,8000 --name fixed
  assay testnet up --fresh                   the same name, and a new chain"
)]
pub struct UpArgs {
    /// The testnet's name, which is its chain's: 1 to 24 characters out of a-z, 0-9 and '-'
    #[arg(long, value_name = "NAME", default_value = "dev")]
    pub name: String,
    /// Nodes, 1 to 32 [default: 4]
    #[arg(long, value_name = "N")]
    pub nodes: Option<usize>,
    /// How they agree on blocks: by work, by stake (all are validators), or by operational
    /// tasks (all are operators) [default: pow]
    #[arg(long, value_name = "ENGINE")]
    pub consensus: Option<Engine>,
    /// The first port for peers and the first one for the API, as in 6000,8000 [default: free ones]
    #[arg(long, value_name = "P2P,API", value_parser = ports)]
    pub ports: Option<(u16, u16)>,
    /// What the chain aims at between two blocks, 100ms to 1h [default: 2s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub block_interval: Option<Duration>,
    /// Funded accounts beside the faucet's, at most 1000 [default: 4]
    #[arg(long, value_name = "N")]
    pub accounts: Option<usize>,
    /// The nodes' program [default: the assay-node beside this program]
    #[arg(long, value_name = "FILE")]
    pub program: Option<PathBuf>,
    /// Remove a net of that name that does not run, with its data, and make a new one
    #[arg(long)]
    pub fresh: bool,
    #[command(flatten)]
    pub dir: DirArg,
}

/// Show how the nodes are
///
/// Exit status 1 when a node does not run or is not ready: not synced, or not writable.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  assay testnet status
  assay testnet status --watch
  assay testnet status --json | jq '.nodes[].height'"
)]
pub struct StatusArgs {
    #[command(flatten)]
    pub net: NetArg,
    /// On a terminal: again every second, until Ctrl-C
    #[arg(long)]
    pub watch: bool,
}

/// Print the nodes' logs, merged by time
///
/// Lines without a time, such as those of a backtrace, stay with the line before them.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  assay testnet logs --since 5m
  assay testnet logs -f n0 n2
  assay testnet logs --json | jq -r 'select(.node == \"n1\").line'"
)]
pub struct LogsArgs {
    /// Nodes, such as n0 n2 [default: all]
    #[arg(value_name = "NODE")]
    pub nodes: Vec<String>,
    /// Go on with what is written from now on, until Ctrl-C
    #[arg(long, short)]
    pub follow: bool,
    /// Only what is not older than this, such as 5m
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub since: Option<Duration>,
    #[command(flatten)]
    pub net: NetArg,
}

/// End all nodes of a testnet, and see that nothing is left of them
///
/// In order; one that does not end in time is killed, and that is said. 'up' goes on with the data.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  assay testnet down
  assay testnet down --wipe                  and remove its folder: data, keys and logs"
)]
pub struct DownArgs {
    /// Remove its folder
    #[arg(long)]
    pub wipe: bool,
    #[command(flatten)]
    pub net: NetArg,
}

/// List the testnets that there are
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  assay testnet list
  assay testnet list --json | jq -r '.[] | select(.running > 0).name'")]
pub struct ListArgs {
    #[command(flatten)]
    pub dir: DirArg,
}

/// Find what commands have left behind that were killed, and end and remove it with --yes
///
/// Those are nodes of a net that is not meant to run, nodes with a home below the folder of testnets
/// that no net names, and, of live runs that nobody plays any more, mounted volumes, containers and
/// networks. A process is known by its number and the time of its start. No file is removed.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  assay testnet clean                        list them; exit status 1 when there are some
  assay testnet clean --yes                  end and remove them"
)]
pub struct CleanArgs {
    /// End and remove them
    #[arg(long)]
    pub yes: bool,
    #[command(flatten)]
    pub dir: DirArg,
}

/// Make homes for nodes in containers, and start nothing
///
/// FOLDER/PROFILE gets n0, n1 and so on, with settings for a container: the API on 0.0.0.0:8000, peers
/// on port 6000, data in /data, JSON logs. pow has 3 nodes, pos 2 validators and a full node, poot 4.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  assay testnet init --profile pow --folder out
  assay testnet init --profile pos --folder out --host-template 'assay-node-{n}.assay-node-p2p'"
)]
pub struct InitArgs {
    /// Which nodes
    #[arg(long, value_name = "PROFILE")]
    pub profile: Engine,
    /// Where the profile's folder is made
    #[arg(long, value_name = "DIR")]
    pub folder: PathBuf,
    /// The name by which a node is reached by the others; {profile} and {n} are replaced
    #[arg(long, value_name = "NAME", default_value = "{profile}-n{n}")]
    pub host_template: String,
    /// What the chain aims at between two blocks, 100ms to 1h
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = duration)]
    pub block_interval: Duration,
    /// Funded accounts beside the faucet's, at most 1000
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub accounts: usize,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// How nodes agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// Proof of work
    Pow,
    /// Proof of stake
    Pos,
    /// Proof of operational tasks
    Poot,
}

impl From<Engine> for Consensus {
    fn from(engine: Engine) -> Self {
        match engine {
            Engine::Pow => Consensus::Pow,
            Engine::Pos => Consensus::Pos,
            Engine::Poot => Consensus::Poot,
        }
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    assay_scenarios::parse_duration(text).ok_or_else(|| "a duration is like 90s, 3m20s or 500ms".to_owned())
}

fn ports(text: &str) -> Result<(u16, u16), String> {
    let both = text.split_once(',').and_then(|(p2p, api)| Some((p2p.trim().parse().ok()?, api.trim().parse().ok()?)));
    both.ok_or_else(|| "ports are like 6000,8000: the first for peers, and the first for the API".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_ports() {
        assert_eq!(ports("6000,8000"), Ok((6000, 8000)));
        for wrong in ["6000", "6000,", "a,b", "6000,70000"] {
            assert!(ports(wrong).is_err(), "{wrong}");
        }
    }
}
