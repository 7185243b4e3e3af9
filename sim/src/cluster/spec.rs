//! What the nodes of a run are made of: keys, genesis, settings. A function of the scenario and the seed.

use crate::{clock::DEFAULT_EPOCH, entropy};
use assay_node::{
    Setup,
    config::{Config, P2p},
    crypto::{Address, Keypair},
    types::{Amount, ChainParams, Consensus, Difficulty, Genesis, PootParams, PosParams, TOKEN, Timestamp},
};
use assay_scenarios::{Action, NodeSettings, Scenario, Target};
use libp2p::{Multiaddr, identity, multiaddr::Protocol};
use rand_chacha::rand_core::Rng;
use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
};

/// Where every node listens for nodes.
pub const P2P_PORT: u16 = 6000;
/// Where the honest node beside a liar listens for nodes.
const FOLLOWER_PORT: u16 = 6001;
/// Where every node listens for clients.
pub const API_PORT: u16 = 8000;
/// What each of the workload's accounts has at first.
const FUNDS: Amount = Amount(1_000_000_000_000);
/// What each validator has bonded at first: a hundred times the least, which accounts of the workload bond.
const BOND: Amount = Amount(100_000 * TOKEN.0);
/// Slots of a period of operators.
const POOT_PERIOD_SLOTS: u64 = 3;
/// Periods in which what operators did counts.
const POOT_WINDOW_PERIODS: u64 = 8;
/// The directory that a lost volume takes along.
pub const VOLUME: &str = "/data";
/// The database, in that directory.
pub const DATABASE: &str = "/data/db";
/// Backups are on another volume.
pub const BACKUPS: &str = "/backups";
/// Short, so that a run of minutes reads everything again several times.
const AUDIT_PAUSE_S: u64 = 20;
/// Small, so that a run of minutes flushes and compacts several times.
const FLUSH_BYTES: u64 = 256 << 10;
/// Far more than a run's data.
const CACHE_SIZE_MB: usize = 8;

/// All that is fixed before a run starts.
pub struct Spec {
    /// How many nodes.
    pub nodes: usize,
    /// The seed of all keys.
    pub seed: u64,
    /// The chain.
    pub genesis: Genesis,
    /// The keys of the workload's accounts.
    pub accounts: Vec<Keypair>,
    /// Hashes that each node tries a second.
    pub hash_rate: u64,
    /// Settings of every node.
    pub settings: NodeSettings,
}

fn secret(seed: u64, purpose: &str, owner: usize) -> [u8; 32] {
    let mut secret = [0; 32];
    entropy::stream(seed, purpose, &owner.to_string()).fill_bytes(&mut secret);
    secret
}

fn proposer(seed: u64, n: usize) -> Keypair {
    Keypair::from_secret(secret(seed, "proposer key", n))
}

impl Spec {
    /// The cluster of `scenario` under `seed`.
    pub fn new(scenario: &Scenario, seed: u64) -> Self {
        let nodes = usize::from(scenario.nodes.get());
        let chain = scenario.chain;
        let accounts: Vec<_> = (0..scenario.workload.accounts as usize)
            .map(|n| Keypair::from_secret(secret(seed, "account key", n)))
            .collect();
        let block_interval_ms = chain.block_interval.as_millis() as u64;
        let hashes_per_block = nodes as u64 * u64::from(chain.hash_rate) * block_interval_ms / 1000;
        let consensus = match scenario.consensus {
            assay_scenarios::Consensus::Pow => Consensus::Pow,
            assay_scenarios::Consensus::Pos => Consensus::Pos,
            assay_scenarios::Consensus::Poot => Consensus::Poot,
        };
        let epoch_blocks = u64::from(chain.epoch_blocks);
        let validators = match consensus {
            Consensus::Pow | Consensus::Poot => 0,
            Consensus::Pos => chain.validators.map_or(nodes, |validators| validators as usize),
        };
        let operators = if consensus == Consensus::Poot { nodes } else { 0 };
        let params = ChainParams {
            consensus,
            pos: match consensus {
                Consensus::Pow | Consensus::Poot => PosParams::default(),
                // A bond that is taken back is free within the run.
                Consensus::Pos => {
                    PosParams { epoch_blocks, unbonding_blocks: 2 * epoch_blocks, ..PosParams::default() }
                }
            },
            poot: match consensus {
                Consensus::Pow | Consensus::Pos => PootParams::default(),
                // Short, so that within minutes operators become eligible, lose credits and lead again.
                Consensus::Poot => PootParams {
                    leader_timeout_ms: (block_interval_ms / 2).clamp(100, 60_000),
                    cooldown_slots: nodes as u64 / 2,
                    period_slots: POOT_PERIOD_SLOTS,
                    window_periods: POOT_WINDOW_PERIODS,
                    ..PootParams::default()
                },
            },
            block_interval_ms,
            confirmations: u64::from(chain.confirmations),
            difficulty_start: Difficulty(hashes_per_block.max(4)),
            ..ChainParams::default()
        };
        let genesis = Genesis {
            chain_id: "sim".parse().expect("a chain's name"),
            timestamp: Timestamp(DEFAULT_EPOCH.as_millis() as u64),
            params,
            accounts: accounts.iter().map(|key| (key.address(), FUNDS)).collect(),
            validators: (0..validators).map(|n| (proposer(seed, n).public(), BOND)).collect(),
            operators: (0..operators).map(|n| proposer(seed, n).public()).collect(),
        };
        Self { nodes, seed, genesis, accounts, hash_rate: u64::from(chain.hash_rate), settings: scenario.node }
    }

    /// Where a node's API is.
    pub fn api(address: IpAddr) -> SocketAddr {
        SocketAddr::new(address, API_PORT)
    }

    /// Settings that fit a run of minutes, on every back end.
    pub fn tune(&self, config: &mut Config) {
        config.storage.audit_pause_s = AUDIT_PAUSE_S;
        config.storage.flush_bytes = FLUSH_BYTES;
        // Whole MiB, at least one: so the scenario's bounds are.
        config.storage.cache_size_mb = self.settings.cache.map_or(CACHE_SIZE_MB, |cache| (cache.0 >> 20) as usize);
        config.backup.interval_s = self.settings.backup_every.map_or(0, |every| every.as_secs());
        if let Some(mempool) = self.settings.mempool {
            config.mempool.bytes_max = usize::try_from(mempool.0).unwrap_or(usize::MAX);
        }
    }

    /// The key of the account that node `n`'s blocks pay.
    pub fn proposer(&self, n: usize) -> Keypair {
        proposer(self.seed, n)
    }

    /// Its secret.
    pub fn proposer_secret(&self, n: usize) -> [u8; 32] {
        secret(self.seed, "proposer key", n)
    }

    /// The accounts whose keys a scenario makes lie: those of liars, and of whom they take the key.
    pub fn liars(&self, scenario: &Scenario) -> BTreeSet<Address> {
        let lies = scenario.faults.iter().filter_map(|fault| match &fault.action {
            Action::Lie { lie, target: Target::Named(nodes), .. } => {
                Some(nodes.iter().copied().chain(lie.victim).collect::<Vec<_>>())
            }
            _ => None,
        });
        lies.flatten().map(|node| proposer(self.seed, node.index()).address()).collect()
    }

    /// What node `n` is started with. Every node knows all others as bootstrap peers.
    pub(super) fn node(&self, n: usize, addresses: &[IpAddr]) -> NodeSpec {
        let key =
            |n| identity::Keypair::ed25519_from_bytes(secret(self.seed, "node key", n)).expect("32 bytes are a key");
        let listen = |n: usize| Multiaddr::from(addresses[n]).with(Protocol::Tcp(P2P_PORT));
        let bootstrap = (0..self.nodes)
            .filter(|other| *other != n)
            .map(|other| listen(other).with(Protocol::P2p(key(other).public().to_peer_id())))
            .collect();
        let mut config = Config { p2p: P2p { listen: listen(n), bootstrap, ..P2p::default() }, ..Config::default() };
        config.api.listen = Self::api(addresses[n]);
        self.tune(&mut config);
        config.storage.path = DATABASE.into();
        config.backup.path = BACKUPS.into();
        config.miner.hash_rate = self.hash_rate;
        config.validate().expect("the harness makes valid settings");
        NodeSpec {
            config,
            genesis: self.genesis.clone(),
            identity: key(n),
            follower: identity::Keypair::ed25519_from_bytes(secret(self.seed, "follower key", n))
                .expect("32 bytes are a key"),
            proposer: proposer(self.seed, n),
        }
    }
}

/// What one node is started with, each time anew.
#[derive(Clone)]
pub(super) struct NodeSpec {
    pub config: Config,
    pub genesis: Genesis,
    identity: identity::Keypair,
    follower: identity::Keypair,
    proposer: Keypair,
}

impl NodeSpec {
    /// The node's name among peers.
    pub fn identity(&self) -> identity::Keypair {
        self.identity.clone()
    }

    /// The account that its blocks pay.
    pub fn account(&self) -> Keypair {
        self.proposer.clone()
    }

    /// The honest node that follows the chain for a liar in this one's place: under another name, without a miner.
    pub fn follower(&self) -> Setup {
        let mut setup = self.setup();
        let ip = self.config.p2p.listen.iter().next();
        setup.config.p2p.listen = ip.into_iter().chain([Protocol::Tcp(FOLLOWER_PORT)]).collect();
        setup.config.miner.enabled = false;
        setup.identity = self.follower.clone();
        setup
    }

    /// A second node with the key of `victim`, for a liar's host.
    pub fn twin(&self, victim: &NodeSpec) -> Setup {
        Setup { proposer: Some(victim.account()), ..NodeSpec::setup(self) }
    }

    pub fn setup(&self) -> Setup {
        Setup {
            config: self.config.clone(),
            genesis: self.genesis.clone(),
            identity: self.identity.clone(),
            proposer: Some(self.proposer.clone()),
            admin_key: None,
        }
    }
}
