//! A running node: its tasks, and the handle on them.
//!
//! ```text
//!   api ──Submit──> chain task <──blocks, statuses── p2p task <──> peers
//!                    │  ▲  └──publish, ask, penalise──> ▲
//!        template ──>│  │ seal
//!                   miner task
//! ```
//!
//! Every arrow is a bounded queue. Peers' inputs wait when the chain task is busy, so that back-pressure reaches their
//! connections; what the chain tells the network is dropped and counted when the network is busy, because gossip and
//! sync make up for it.

mod chain_task;
mod input;
mod metrics;
mod miner;
mod view;

pub(crate) use input::Input;
pub use metrics::{Metrics, OffenceLabels, RequestLabels};
pub use view::{EVENTS_MAX, Identity, NodeView, SYNCED_LAG_MAX, Snapshot, Stopping, SubmitFailure};

use crate::{
    api,
    chain::{self, Core, validation::Rules},
    config::Config,
    consensus::Engine,
    crypto::Address,
    p2p::{self, StartError as P2pError},
    seams::Seams,
    storage::{Store, StoreError},
    types::Genesis,
};
use libp2p::identity;
use std::sync::Arc;
use tokio::{
    sync::{broadcast, mpsc, watch},
    task::JoinSet,
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// What a node is, beside its settings.
pub struct Setup {
    /// The settings; [`Config::validate`] has passed.
    pub config: Config,
    /// The chain.
    pub genesis: Genesis,
    /// The key that names it among peers.
    pub identity: identity::Keypair,
    /// Where the rewards of its blocks go. It produces none without, or when the miner is off.
    pub proposer: Option<Address>,
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
    /// The store failed; what was committed is safe, and nothing more can be.
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
        let Setup { config, genesis, identity, proposer } = setup;
        let Seams { transport, http, disk, clock, blocking } = seams;
        let proposer = proposer.filter(|_| config.miner.enabled);
        let (path, settings) = (config.storage.path.clone(), config.storage_settings());
        let opened =
            blocking.run(move || Store::open(&disk, &path, genesis, settings).and_then(Self::read_chain)).await;
        let (store, first, headers) = opened?;
        let store = Arc::new(store);

        let genesis = store.genesis();
        let rules = Rules { chain_id: genesis.chain_id.clone(), params: genesis.params.clone(), engine: Engine::Pow };
        let started = clock.now();
        let identity_facts = Identity {
            version: env!("CARGO_PKG_VERSION"),
            chain_id: rules.chain_id.clone(),
            genesis: first,
            peer_id: identity.public().to_peer_id(),
            proposer,
            confirmations: rules.params.confirmations,
            bootstrap_peers: config.p2p.bootstrap.len(),
            started,
        };
        let core = Core::new(rules, chain::Settings { proposer, mempool: config.mempool }, first, headers);

        let (inputs, inputs_rx) = mpsc::channel(input::INPUTS_MAX);
        let (commands, commands_rx) = mpsc::channel(p2p::COMMANDS_MAX);
        let (template, template_rx) = watch::channel(None);
        let stop = CancellationToken::new();
        let (events, _) = broadcast::channel(EVENTS_MAX);
        let (snapshot_tx, snapshot) = watch::channel(chain_task::snapshot(&core, config.p2p.bootstrap.len(), started));
        let metrics = Arc::new(Metrics::default());
        let view = NodeView {
            identity: Arc::new(identity_facts),
            store: store.clone(),
            snapshot,
            metrics: metrics.clone(),
            clock: clock.clone(),
            blocking: blocking.clone(),
            inputs: inputs.clone(),
            events: events.clone(),
        };
        let network = p2p::Driver::new(&config.p2p, identity, transport, view.clone(), commands_rx)?;

        let mut tasks = JoinSet::new();
        let outputs =
            chain_task::Outputs { commands, template, events, snapshot: snapshot_tx, metrics: metrics.clone() };
        let chain = chain_task::State { core, store, clock, outputs, bootstrap_peers: config.p2p.bootstrap.len() };
        tasks.spawn(chain_task::run(chain, blocking.clone(), inputs_rx, stop.clone()));
        tasks.spawn(network.run(stop.clone()));
        if proposer.is_some() {
            let miner =
                miner::Miner { hash_rate: config.miner.hash_rate, template: template_rx, inputs, metrics, blocking };
            tasks.spawn(miner.run(stop.clone()));
        }
        tasks.spawn(api::serve(view.clone(), http, stop.clone()));
        Ok(Self { view, tasks, stop: stop.drop_guard() })
    }

    fn read_chain(store: Store) -> Result<(Store, crate::crypto::Hash, Vec<HeaderWithWork>), StoreError> {
        let (genesis, headers) = (store.genesis_hash()?, store.recent_headers()?);
        store.check(&headers)?;
        Ok((store, genesis, headers))
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

type HeaderWithWork = (crate::crypto::Hash, crate::types::Header, crate::types::Work);
