//! What can be typed to do something to a testnet that is there.

use super::{NetArg, duration};
use assay_node::{crypto::Address, types::Amount};
use clap::{Args, ValueEnum};
use std::{path::PathBuf, time::Duration};

/// Send transfers at a steady rate, and say what became of them and how long it took
///
/// Each funded account sends in turn to its own node, and to the next one when that has trouble.
/// 'unknown' are those that were sent and not answered. Latencies count from when a transfer was
/// due; a confirmation is seen by reading the blocks. Ctrl-C ends it early, with its report.
/// Exit status 1 when nothing was acknowledged.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  assay testnet load --rate 20 --for 10s
  assay testnet load --rate 200 --for 1m --json > load.json"
)]
pub struct LoadArgs {
    /// Transfers a second, 1 to 10000
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub rate: u32,
    /// For how long to send
    #[arg(long = "for", value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub time: Duration,
    #[command(flatten)]
    pub net: NetArg,
}

/// Give an address some tokens
///
/// Exit status 1 when no node takes the payment, or it is not confirmed within two minutes.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  assay testnet faucet 1f6c...a0            1000 tokens
  assay testnet faucet 1f6c...a0 5000000 --wait
'assay-node keys new --out FILE' makes an address."
)]
pub struct FaucetArgs {
    /// Who gets them: 40 hexadecimal digits
    pub address: Address,
    /// How much, in the smallest unit: a million of it is a token
    #[arg(default_value = "1000000000", value_parser = amount)]
    pub amount: Amount,
    /// Wait until it is confirmed
    #[arg(long)]
    pub wait: bool,
    #[command(flatten)]
    pub net: NetArg,
}

/// What is done to nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DeedArg {
    /// As kill -9 does
    Kill,
    /// In order, by SIGTERM
    Stop,
    /// The process stays, and does nothing
    Pause,
    /// After a pause
    Resume,
    /// In order, and wait until it is ready again
    Restart,
    /// Start it again, and wait until it is ready
    Start,
}

/// Kill, stop, pause, resume, restart or start nodes
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  assay testnet chaos kill n2
  assay testnet chaos start n2
  assay testnet chaos pause n0 n1 && sleep 10 && assay testnet chaos resume n0 n1")]
pub struct ChaosArgs {
    /// What to do to them
    #[arg(value_enum)]
    pub deed: DeedArg,
    /// Nodes, such as n0 n2, or all
    #[arg(value_name = "NODE", required = true)]
    pub nodes: Vec<String>,
    #[command(flatten)]
    pub net: NetArg,
}

/// Back up nodes' databases while they run
///
/// By each node's own program: 'assay-node backup create'. The archive is in its home, n0/backups.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  assay testnet backup                       all nodes
  assay testnet backup n0"
)]
pub struct BackupArgs {
    /// Nodes, such as n0 n2 [default: all]
    #[arg(value_name = "NODE")]
    pub nodes: Vec<String>,
    #[command(flatten)]
    pub net: NetArg,
}

/// Put a backup in the place of a node's database
///
/// The node is stopped in order, its database replaced and kept beside the new one, and the node
/// started again and waited for until it is ready.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  assay testnet restore n2                   its newest backup
  assay testnet restore n2 --dry-run         would it work? Nothing is changed
  assay testnet restore n2 --archive FILE"
)]
pub struct RestoreArgs {
    /// The node, such as n2
    #[arg(value_name = "NODE")]
    pub node: String,
    /// The name of one of its backups, or a file [default: its newest]
    #[arg(long, value_name = "NAME")]
    pub archive: Option<String>,
    /// Check the archive, and change nothing. Of a node that runs the archive alone is checked
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub net: NetArg,
}

/// Give all nodes another program, one after the other, or take it back
///
/// Each is stopped in order, started with the new program, and must be ready, connected and have
/// a new block in time. If it is not, it and those before it get their old program back, and the
/// exit status is 1.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  assay testnet upgrade --program target/release/assay-node
  assay testnet upgrade --program ./assay-node --health-within 30s"
)]
pub struct UpgradeArgs {
    /// The new program
    #[arg(long, value_name = "FILE")]
    pub program: PathBuf,
    /// How long each node may take until it is well
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    pub health_within: Duration,
    #[command(flatten)]
    pub net: NetArg,
}

/// Put everything that helps to study a failure into one archive, and no secret
///
/// State, settings, genesis, the end of the logs, health, chain info and metrics of each node, what
/// its program says about its database, and its process. Keys and accounts stay out.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  assay testnet dump                         DIR/NAME-dump-TIME.tar.gz
  assay testnet dump --out failure.tar.gz"
)]
pub struct DumpArgs {
    /// The archive, which must not exist
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub net: NetArg,
}

fn amount(text: &str) -> Result<Amount, String> {
    let amount = text.parse().ok().filter(|amount| *amount > 0).map(Amount);
    amount.ok_or_else(|| "an amount is a whole number above 0, in the smallest unit".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_whole_and_above_0() {
        assert_eq!(amount("5"), Ok(Amount(5)));
        for wrong in ["0", "-1", "1.5", ""] {
            assert!(amount(wrong).is_err(), "{wrong}");
        }
    }
}
