//! A running node: its tasks, and the handle on them.
//!
//! ```text
//!   api ──Submit──> chain task <──blocks, statuses── p2p task <──> peers
//!                    │  ▲  └──publish, ask, penalise──> ▲
//!        template ──>│  │ seal
//!                   miner task                 backup task: reads the store
//! ```
//!
//! Every arrow is a bounded queue. Peers' inputs wait when the chain task is busy, so that back-pressure reaches their
//! connections; what the chain tells the network is dropped and counted when the network is busy, because gossip and
//! sync make up for it.

mod abstention;
mod agreement;
mod backup_status;
mod backups;
mod chain_task;
mod input;
mod leading;
mod load;
mod mend;
mod metrics;
mod miner;
mod storage_status;
mod streak;
mod upkeep;
#[cfg(test)]
mod upkeep_tests;
mod view;

pub use backup_status::{BackupAttempt, BackupProgress, BackupStatus};
pub use backups::{BACKUP_RETRY, Backups, Settings as BackupSettings};
pub(crate) use input::Input;
pub use load::{Fill, LOADS, Level, Load};
pub use metrics::{Metrics, OffenceLabels, RequestLabels};
pub use storage_status::{CRITICAL_PERCENT, Pressure, StorageState, StorageStatus, WARNING_PERCENT, used_percent};
pub use upkeep::Settings as UpkeepSettings;
pub use view::{EVENTS_MAX, Identity, NodeView, SYNCED_LAG_MAX, Snapshot, Stopping, SubmitFailure};

use crate::{
    api::{self, AdminKey},
    chain::{self, Core, validation::Rules},
    config::Config,
    crypto::Keypair,
    p2p::{self, StartError as P2pError},
    seams::{Disk, Seams},
    storage::{self, Loaded, Store, StoreError, Trouble},
    types::{Consensus, Genesis},
};
use backups::BackupTask;
use leading::Leading;
use libp2p::identity;
use std::{path::Path, sync::Arc};
use tokio::{
    sync::{broadcast, mpsc, watch},
    task::JoinSet,
};
use tokio_util::sync::{CancellationToken, DropGuard};
use upkeep::Upkeep;

/// What a node is, beside its settings.
pub struct Setup {
    /// The settings; [`Config::validate`] has passed.
    pub config: Config,
    /// The chain.
    pub genesis: Genesis,
    /// The key that names it among peers.
    pub identity: identity::Keypair,
    /// The key of its account: where the rewards of its blocks go, and what it votes with where there are validators. It
    /// produces no blocks and does not vote without, or when the miner is off.
    pub proposer: Option<Keypair>,
    /// The secret that its administrator signs with; the API's administrative routes are off without.
    pub admin_key: Option<[u8; 32]>,
}

/// Why a node cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The network cannot be started.
    #[error(transparent)]
    P2p(#[from] P2pError),
}

/// Why a node stopped on its own.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The store cannot be used any more, and mending it is not this program's to do.
    #[error("the store failed: {0}")]
    Store(#[from] StoreError),
    /// The network cannot listen.
    #[error(transparent)]
    P2p(#[from] P2pError),
    /// A task panicked; its message was printed before.
    #[error("the {task} task panicked")]
    Panicked {
        /// Which.
        task: &'static str,
    },
}

/// A running node. Dropping it stops its tasks where they stand, as a crash would; [`Node::stop`] is the orderly way.
pub struct Node {
    view: NodeView,
    tasks: JoinSet<Result<(), Failure>>,
    /// Tells the tasks to wind down, at the latest when it is dropped.
    stop: DropGuard,
}

impl Node {
    /// Opens the store and starts all tasks. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`StartError`]; then nothing runs.
    pub async fn start(setup: Setup, seams: Seams) -> Result<Self, StartError> {
        let Setup { config, genesis, identity, proposer, admin_key } = setup;
        let Seams { transport, http, disk, clock, blocking, memory } = seams;
        let proposer = proposer.filter(|_| config.miner.enabled);
        let (path, settings) = (config.storage.path.clone(), config.storage_settings());
        let (store, loaded) = blocking.run(move || Self::open_store(&disk, &path, &genesis, settings)).await?;
        let store = Arc::new(store);
        let first = loaded.genesis;

        let genesis = store.genesis();
        let rules = Rules::of(genesis);
        let (consensus, address) = (rules.params.consensus, proposer.as_ref().map(Keypair::address));
        let peer = identity.public().to_peer_id();
        let leading = proposer.clone().filter(|_| consensus == Consensus::Poot).map(|key| Leading::new(key, peer));
        let started = clock.now();
        let identity_facts = Identity {
            version: env!("CARGO_PKG_VERSION"),
            chain_id: rules.chain_id.clone(),
            genesis: first,
            peer_id: peer,
            proposer: address,
            consensus,
            confirmations: rules.engine.confirmations(&rules.params),
            bootstrap_peers: config.p2p.bootstrap.len(),
            started,
        };
        let core =
            Core::new(rules, chain::Settings { proposer: address, mempool: config.mempool }, first, loaded.headers);

        let (inputs, inputs_rx) = mpsc::channel(input::INPUTS_MAX);
        let (commands, commands_rx) = mpsc::channel(p2p::COMMANDS_MAX);
        let (template, template_rx) = watch::channel(None);
        let stop = CancellationToken::new();
        let (events, _) = broadcast::channel(EVENTS_MAX);
        let upkeep = Upkeep::new(config.upkeep_settings());
        let bootstrap_peers = config.p2p.bootstrap.len();
        let first_look = chain_task::snapshot(&core, &upkeep, None, bootstrap_peers, started, started);
        let (snapshot_tx, snapshot) = watch::channel(first_look);
        let metrics = Arc::new(Metrics::default());
        metrics.set_chain(&core.rules().params, identity_facts.confirmations);
        metrics.load.mempool_bytes_max.set(i64::try_from(config.mempool.bytes_max).unwrap_or(i64::MAX));
        let (backup_task, backups) =
            BackupTask::new(config.backup_settings(), store.clone(), snapshot.clone(), clock.clone(), blocking.clone());
        let view = NodeView {
            identity: Arc::new(identity_facts),
            store: store.clone(),
            snapshot,
            metrics: metrics.clone(),
            clock: clock.clone(),
            blocking: blocking.clone(),
            memory,
            backups,
            admin_key: admin_key.map(AdminKey),
            inputs: inputs.clone(),
            events: events.clone(),
        };
        let network = p2p::Driver::new(&config.p2p, identity, transport, view.clone(), commands_rx)?;

        let mut tasks = JoinSet::new();
        let outputs =
            chain_task::Outputs { commands, template, events, snapshot: snapshot_tx, metrics: metrics.clone() };
        let mut chain = chain_task::State {
            core,
            store,
            clock,
            outputs,
            upkeep,
            agreeing: None,
            leading,
            bootstrap_peers,
            commits: 0,
            started: tokio::time::Instant::now(),
        };
        let chain = blocking.run(move || chain.begin(proposer).map(|()| chain)).await?;
        tasks.spawn(chain_task::run(chain, blocking.clone(), inputs_rx, stop.clone()));
        tasks.spawn(network.run(stop.clone()));
        tasks.spawn(backup_task.run(stop.clone()));
        if address.is_some() && consensus == Consensus::Pow {
            let miner =
                miner::Miner { hash_rate: config.miner.hash_rate, template: template_rx, inputs, metrics, blocking };
            tasks.spawn(miner.run(stop.clone()));
        }
        tasks.spawn(api::serve(view.clone(), http, stop.clone()));
        Ok(Self { view, tasks, stop: stop.drop_guard() })
    }

    /// Opens the store. One that is damaged is set aside, and the new one is rebuilt while the node runs.
    fn open_store(
        disk: &Disk,
        path: &Path,
        genesis: &Genesis,
        settings: storage::Settings,
    ) -> Result<(Store, Loaded), StoreError> {
        let opened = Store::open(disk, path, genesis.clone(), settings).and_then(|store| {
            let loaded = store.load().map_err(|error| store.judged(error))?;
            Ok((store, loaded))
        });
        match opened {
            Err(error) if error.trouble() == Some(Trouble::Damaged) => {
                tracing::error!(cause = %error, "storage.damaged");
                let store = Store::rebuild(disk, path, genesis.clone(), settings)?;
                let loaded = store.load()?;
                Ok((store, loaded))
            }
            other => other,
        }
    }

    /// A handle on it.
    pub fn view(&self) -> &NodeView {
        &self.view
    }

    /// Waits until a task ends on its own, which is always a failure.
    pub async fn failed(&mut self) -> Failure {
        loop {
            match self.tasks.join_next().await {
                Some(Ok(Err(failure))) => return failure,
                Some(Ok(Ok(()))) => {}
                Some(Err(_)) | None => return Failure::Panicked { task: "node" },
            }
        }
    }

    /// Stops all tasks in order and waits: no new request is taken, those under way are answered, what is being committed
    /// is committed.
    ///
    /// # Errors
    /// When a task failed while it stopped.
    pub async fn stop(mut self) -> Result<(), Failure> {
        self.stop.disarm().cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.map_err(|_| Failure::Panicked { task: "node" })??;
        }
        Ok(())
    }
}
