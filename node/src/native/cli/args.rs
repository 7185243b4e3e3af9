//! What can be typed.

use super::{backup_args::BackupCommand, db_args::DbCommand, setting_args::SettingArgs};
use crate::{
    crypto::{Address, PublicKey},
    types::{Amount, ChainId, Consensus},
};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  assay-node init --home node0                      a node on a new chain of its own
  assay-node run --home node0                       run it until Ctrl-C
  assay-node health --home node0 --ready            is it synced and writable?
  assay-node backup create --home node0             copy its database while it runs
  assay-node db check --home node0                  is what it stored sound?
  assay-node init --home node1 --genesis node0/genesis.json
  assay-node run --home node1 --api-listen 127.0.0.1:8001 --p2p-listen /ip4/127.0.0.1/tcp/6001 \\
      --bootstrap /ip4/127.0.0.1/tcp/6000/p2p/PEER   a second node on the same chain

Exit status: 0 done, 1 failed, not healthy or damaged, 2 wrong usage or settings, 3 (health) not reachable.";

/// A blockchain node.
///
/// It produces and checks blocks by proof of work, talks to its peers over libp2p, keeps the
/// chain in RocksDB and serves it over HTTP. It lives in one directory, its home: settings,
/// genesis document, keys and database.
#[derive(Debug, Parser)]
#[command(name = "assay-node", version, after_long_help = EXAMPLES, after_help = "See --help for examples.")]
#[command(verbatim_doc_comment)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    // What a command says about itself is at its arguments.
    Init(Init),
    Run(Run),
    Health(Health),
    /// Show or make keys
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Make, check and restore copies of a node's database
    Backup {
        #[command(subcommand)]
        command: BackupCommand,
    },
    /// Check or show settings
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Check, compact, measure or migrate the database of a home
    Db {
        #[command(subcommand)]
        command: DbCommand,
    },
}

/// Make a home for a new node: settings, genesis document and keys
///
/// Writes config.toml, genesis.json, node.key, proposer.key and admin.key. Nothing that exists is
/// overwritten. Without --genesis the node gets a chain of its own, with a first difficulty for
/// a single node of the default hash rate; give its genesis.json to the chain's other nodes.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct Init {
    #[command(flatten)]
    pub home: HomeArg,
    /// Join the chain of this genesis document
    #[arg(long, value_name = "FILE", conflicts_with_all = ["chain_id", "fund", "consensus", "validator", "operator"])]
    pub genesis: Option<PathBuf>,
    /// Name of the new chain: 1 to 32 characters out of a-z, 0-9 and '-'
    #[arg(long, value_name = "ID", default_value = "assay-dev")]
    pub chain_id: ChainId,
    /// Give an account of the new chain its first tokens, in their smallest unit; may be repeated
    #[arg(long, value_name = "ADDRESS=AMOUNT", value_parser = funding)]
    pub fund: Vec<(Address, Amount)>,
    /// How the new chain agrees on blocks: pow (work), pos (validators and their stakes) or poot
    /// (operators and what they do for the network)
    #[arg(long, value_name = "ENGINE", default_value = "pow", value_parser = consensus)]
    pub consensus: Consensus,
    /// A validator of a new pos chain and its bond in the smallest unit; may be repeated. Without
    /// any the new node is the only one
    #[arg(long, value_name = "PUBLIC-KEY=AMOUNT", value_parser = bond)]
    pub validator: Vec<(PublicKey, Amount)>,
    /// An operator of a new poot chain; may be repeated. Without any the new node is the only one
    #[arg(long, value_name = "PUBLIC-KEY")]
    pub operator: Vec<PublicKey>,
}

/// Run the node of a home until SIGTERM or Ctrl-C
///
/// Log lines go to standard error, or to log.file, which is rotated by size and opened again on
/// SIGHUP. SIGTERM or SIGINT stops the node in order within 5 s, a second one at once; kill -9
/// loses nothing committed.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct Run {
    #[command(flatten)]
    pub home: HomeArg,
    #[command(flatten)]
    pub settings: SettingArgs,
}

/// Ask a running node how it is; for scripts, containers and supervisors
///
/// Prints its answer. Exit status: 0 healthy, 1 not healthy, 2 wrong usage, 3 not reachable.
/// Without --live and --ready, a node that serves is healthy even when a check is degraded.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct Health {
    #[command(flatten)]
    pub target: HealthTarget,
    /// Only whether the process answers
    #[arg(long, conflicts_with = "ready")]
    pub live: bool,
    /// Only whether it is synced and takes transactions
    #[arg(long)]
    pub ready: bool,
    /// Seconds to wait for the answer, 1 to 60
    #[arg(long, value_name = "SECONDS", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=60))]
    pub timeout: u64,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct HealthTarget {
    /// The node's home; its api.listen is asked
    #[arg(long, value_name = "DIR", env = "ASSAY_HOME", hide_env_values = true)]
    pub home: Option<PathBuf>,
    /// The node's API, instead of what its home says
    #[arg(long, value_name = "http://ADDRESS:PORT")]
    pub url: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    Show(KeysShow),
    New(KeysNew),
}

/// Show the public side of a home's keys: its name among peers, and where its rewards go
#[derive(Debug, Args)]
pub struct KeysShow {
    #[command(flatten)]
    pub home: HomeArg,
    /// Print the secrets too: whoever has them is this node and owns its rewards
    #[arg(long)]
    pub secret: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Make an account's key
///
/// The secret goes to a new file of mode 0600, or with --secret to the terminal.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("where").required(true).multiple(true).args(["out", "secret"]))]
pub struct KeysNew {
    /// Write the secret here; refused when the file exists
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Print the secret
    #[arg(long)]
    pub secret: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check settings, genesis document and keys without running the node
    Check(ConfigArgs),
    /// Print the settings that result from file, variables and flags, and who set what
    Show(ConfigArgs),
}

/// Which settings.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    #[command(flatten)]
    pub home: HomeArg,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub settings: SettingArgs,
}

#[derive(Debug, Args)]
pub struct HomeArg {
    /// The directory that the node lives in
    #[arg(long, value_name = "DIR", env = "ASSAY_HOME", hide_env_values = true)]
    pub home: PathBuf,
}

fn funding(text: &str) -> Result<(Address, Amount), String> {
    let (address, amount) =
        text.split_once('=').ok_or("expected ADDRESS=AMOUNT; 'assay-node keys new' makes an address")?;
    let address = address.parse().map_err(|error| format!("address: {error}"))?;
    Ok((address, self::amount(amount)?))
}

fn bond(text: &str) -> Result<(PublicKey, Amount), String> {
    let (key, amount) =
        text.split_once('=').ok_or("expected PUBLIC-KEY=AMOUNT; 'assay-node keys show' has a node's key")?;
    let key = key.parse().map_err(|error| format!("public key: {error}"))?;
    Ok((key, self::amount(amount)?))
}

fn amount(text: &str) -> Result<Amount, String> {
    text.parse().map(Amount).map_err(|_| format!("amount: expected a whole number up to {}, got {text:?}", u64::MAX))
}

fn consensus(text: &str) -> Result<Consensus, String> {
    match text {
        "pow" => Ok(Consensus::Pow),
        "pos" => Ok(Consensus::Pos),
        "poot" => Ok(Consensus::Poot),
        _ => Err("expected pow, pos or poot".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_funding_is_an_address_and_an_amount() {
        let address = "ab".repeat(20);
        assert_eq!(funding(&format!("{address}=5")), Ok((Address([0xab; 20]), Amount(5))));
        assert_eq!(
            funding(&format!("{address}=-5")).expect_err("it is negative"),
            "amount: expected a whole number up to 18446744073709551615, got \"-5\""
        );
        assert_eq!(
            funding("ab=5").expect_err("it is too short"),
            "address: expected 40 hexadecimal digits, got \"ab\""
        );
    }
}
