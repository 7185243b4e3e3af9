//! A scenario, as read: what runs, what happens to it, and what is expected of it.

use crate::{ByteSize, Fault, LatencyRange, Loss, Place, Plan, Problem, ScenarioError, TransferRate, limits, read};
use std::{collections::BTreeMap, num::NonZeroU16, path::Path, time::Duration};

/// One scenario file. Times are virtual, from the start of the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// The file it was read from, as errors name it.
    pub file: String,
    /// What stands in that file, so that a report can hold its scenario.
    pub text: String,
    /// Lower-case words joined by dashes; names reports.
    pub name: String,
    /// What the scenario shows, in one line.
    pub about: String,
    /// The engine that decides who extends the chain.
    pub consensus: Consensus,
    /// How many nodes run: `n0`, `n1`, ...
    pub nodes: NonZeroU16,
    /// Length of the run.
    pub duration: Duration,
    /// Whether the scenario plants a fault that no node can survive, so that an invariant must be violated.
    pub planted: bool,
    /// Every link, while no fault changes it.
    pub network: Network,
    /// Parameters of the chain.
    pub chain: Chain,
    /// Settings of every node.
    pub node: NodeSettings,
    /// What is submitted.
    pub workload: Workload,
    /// The faults, in the order of the file.
    pub faults: Vec<Fault>,
    /// What the run must show.
    pub expect: Expect,
    /// The line, from 1, of each key that stands in `[expect]`.
    pub expect_lines: BTreeMap<&'static str, u32>,
}

impl Scenario {
    /// Reads a scenario from `text`; errors call it `file_name`.
    ///
    /// # Errors
    /// The first thing in the file that is wrong, with its place.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, ScenarioError> {
        read::scenario(file_name, text)
    }

    /// Reads the scenario at `path`.
    ///
    /// # Errors
    /// A file that cannot be read, or as [`Scenario::parse`].
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let file = path.display().to_string();
        let unreadable = |source| ScenarioError::Unreadable { file: file.clone(), source };
        let bytes = std::fs::metadata(path).map_err(unreadable)?.len();
        if bytes > limits::FILE_BYTES as u64 {
            let place = Place { line: 1, column: 1 };
            return Err(ScenarioError::Invalid { file, place, problem: Box::new(Problem::TooLong { bytes }) });
        }
        #[allow(
            clippy::disallowed_methods,
            reason = "a scenario is read by the harness, never inside a simulated host"
        )]
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        Self::parse(&file, &text)
    }

    /// The line of a key of `[expect]`, from 1; `None` where the default holds.
    pub fn line_of(&self, expect_key: &str) -> Option<u32> {
        self.expect_lines.get(expect_key).copied()
    }

    /// Makes the seed's choices. Equal scenarios and seeds give equal plans.
    pub fn plan(&self, seed: u64) -> Plan {
        Plan::new(self, seed)
    }

    /// When the last fault's effect is over, or has begun where it never ends; zero without faults.
    pub fn last_fault_end(&self) -> Duration {
        self.faults.iter().map(|fault| fault.end().unwrap_or(fault.at)).max().unwrap_or_default()
    }
}

/// The engine of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consensus {
    /// Proof of work.
    Pow,
    /// Proof of stake.
    Pos,
    /// Proof of operational tasks. All nodes are operators.
    Poot,
}

impl Consensus {
    /// The engine's name, as scenarios write it.
    pub fn name(self) -> &'static str {
        match self {
            Consensus::Pow => "pow",
            Consensus::Pos => "pos",
            Consensus::Poot => "poot",
        }
    }
}

/// Every link between two nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// One-way latency.
    pub latency: LatencyRange,
    /// Added to the latency of each packet: up to this much.
    pub jitter: Duration,
    /// Part of the packets that is lost.
    pub loss: Loss,
}

/// Parameters of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Mean time between blocks that the difficulty aims at, with all nodes at work; with validators, what they wait after
    /// a block; with operators, a slot.
    pub block_interval: Duration,
    /// Blocks on top of a block after which it counts as confirmed (k). Not of proof of stake.
    pub confirmations: u32,
    /// Hashes per second of virtual time that each node tries. Proof of work only.
    pub hash_rate: u32,
    /// How many nodes are validators at first, `n0` and up; all when it is not given. Proof of stake only.
    pub validators: Option<u32>,
    /// Blocks between two changes of the validators. Proof of stake only.
    pub epoch_blocks: u32,
}

impl Default for Chain {
    fn default() -> Self {
        Chain {
            block_interval: limits::BLOCK_INTERVAL_DEFAULT,
            confirmations: limits::CONFIRMATIONS_DEFAULT,
            hash_rate: limits::HASH_RATE_DEFAULT,
            validators: None,
            epoch_blocks: limits::EPOCH_BLOCKS_DEFAULT,
        }
    }
}

impl Chain {
    /// The time for a new block to become k deep that is allowed unless the scenario says otherwise: three times the
    /// mean of k + 1 blocks. Where blocks are final at once k is 0, and a round or two may be lost on the way.
    pub fn confirms_within_default(&self, consensus: Consensus) -> Duration {
        match consensus {
            Consensus::Pow | Consensus::Poot => {
                let blocks = (self.confirmations + 1).saturating_mul(limits::CONFIRMS_WITHIN_FACTOR);
                self.block_interval.saturating_mul(blocks)
            }
            Consensus::Pos => limits::AGREES_WITHIN_DEFAULT.saturating_add(self.block_interval),
        }
    }
}

/// `[node]`: settings of every node that differ from their defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeSettings {
    /// The time between two scheduled backups; none are scheduled without it.
    pub backup_every: Option<Duration>,
    /// RocksDB's block cache, in whole MiB.
    pub cache: Option<ByteSize>,
    /// What waiting transactions may take.
    pub mempool: Option<ByteSize>,
}

/// What is submitted, over the nodes' own API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workload {
    /// Transfers per second, over all nodes together.
    pub transfers_per_second: TransferRate,
    /// Funded accounts that send to each other.
    pub accounts: u32,
    /// Bonds that are made or taken back per minute, over all nodes together. Proof of stake only.
    pub stake_changes_per_minute: u32,
    /// Questions per second about what was confirmed, over all nodes together; also when nothing is submitted any more.
    pub lookups_per_second: TransferRate,
    /// Nothing is submitted in this last part of the run.
    pub stop_before_end: Duration,
}

/// What the run must show, beside the invariants that always hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expect {
    /// Transactions that may be lost after they were k deep.
    pub finalized_lost: u64,
    /// After the last fault ends, all nodes are within one block of each other in this time.
    pub caught_up_within: Duration,
    /// After the last fault ends, a new block is k deep in this time.
    pub confirms_within: Duration,
    /// After a `disk_full`, `disk_error` or `fsync_fails` ends, every node that runs takes writes again in this time.
    pub writable_within: Duration,
    /// Whether the faults must fork the chain.
    pub fork: ForkExpectation,
    /// Whether anything is confirmed while the network is split.
    pub progress: ProgressExpectation,
    /// The deepest reorganisation of the run is at least this deep, in blocks.
    pub reorg_depth_min: Option<u64>,
    /// No reorganisation of the run is deeper than this, in blocks.
    pub reorg_depth_max: Option<u64>,
    /// At least this many of the workload's transactions are k deep at the end.
    pub confirmed_transactions_min: Option<u64>,
    /// Alerts that must fire, where alerts are judged at all; no other page may.
    pub alerts: Option<Vec<String>>,
    /// After the first fault begins, all of `alerts` have fired in this time.
    pub alerts_within: Option<Duration>,
    /// Alerts that may fire as well.
    pub alerts_allowed: Vec<String>,
    /// No other alert may fire, whatever its severity; else no other page may.
    pub no_other_alert: bool,
    /// Invariants that must be violated; not empty exactly if the scenario is planted.
    pub violates: Vec<String>,
}

/// Whether anything is confirmed while the network is split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgressExpectation {
    /// It may be or not.
    Allowed,
    /// Nothing is, on any side, from ten seconds after the split on.
    Stops,
    /// A side goes on.
    GoesOn,
}

/// Whether the faults must fork the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForkExpectation {
    /// It may fork or not.
    Allowed,
    /// The sides of a split produce competing blocks, and the losing side reorganises.
    Required,
}
