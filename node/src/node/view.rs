//! What the API and the harness see of a running node, and how they ask it for something.

use super::{
    backups::Backups,
    input::Input,
    metrics::Metrics,
    storage_status::{StorageState, StorageStatus},
};
use crate::{
    api::AdminKey,
    backup::{BackupError, BackupInfo},
    chain::{ChainEvent, Head, Reversals, SubmitError, sync::Status},
    crypto::{Address, Hash},
    seams::{Blocking, Clock, Memory},
    storage::Store,
    types::{ChainId, Consensus, Height, Nonce, Round, Timestamp, Transaction},
};
use libp2p::PeerId;
use std::sync::Arc;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

/// Events kept for a listener that is slow; it then learns how many it missed.
pub const EVENTS_MAX: usize = 1024;

/// A handle on a running node; clones are cheap.
#[derive(Clone)]
pub struct NodeView {
    /// Who it is.
    pub identity: Arc<Identity>,
    /// The stored chain. Reads block: go through [`NodeView::blocking`].
    pub store: Arc<Store>,
    /// The latest state of its chain.
    pub snapshot: watch::Receiver<Snapshot>,
    /// What it counts.
    pub metrics: Arc<Metrics>,
    /// Its wall clock.
    pub clock: Clock,
    /// Where its blocking work is done.
    pub blocking: Blocking,
    /// How much memory is left.
    pub memory: Memory,
    /// Its backups.
    pub backups: Backups,
    pub(crate) admin_key: Option<AdminKey>,
    pub(crate) inputs: mpsc::Sender<Input>,
    pub(super) events: broadcast::Sender<ChainEvent>,
}

/// What does not change while a node runs.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Its release.
    pub version: &'static str,
    /// Its chain.
    pub chain_id: ChainId,
    /// The chain's first block.
    pub genesis: Hash,
    /// Its name among peers.
    pub peer_id: PeerId,
    /// The account that its blocks' rewards go to; `None` when it produces none.
    pub proposer: Option<Address>,
    /// How its chain agrees on blocks.
    pub consensus: Consensus,
    /// Depth at which a transaction is confirmed; 0 where a block is final at once.
    pub confirmations: u64,
    /// Peers that it is told to connect to.
    pub bootstrap_peers: usize,
    /// Its wall clock when it started.
    pub started: Timestamp,
}

/// The chain as of the last input that was handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The head.
    pub head: Head,
    /// What it tells peers.
    pub status: Status,
    /// Connected peers.
    pub peers: usize,
    /// The greatest height among the peers with the most work, when a peer has told one.
    pub best_peer_height: Option<Height>,
    /// Whether it is told to connect to peers and none has told its status yet, so that it cannot know how far they are.
    pub awaits_peers: bool,
    /// Waiting transactions.
    pub mempool: usize,
    /// Bytes of waiting transactions.
    pub mempool_bytes: usize,
    /// How the storage is.
    pub storage: StorageStatus,
    /// Confirmed blocks that were taken back, and forks that were refused.
    pub reversals: Reversals,
    /// The round of the agreement on the next block; none on a chain without validators, and between two heights.
    pub round: Option<Round>,
    /// Whether it follows the agreement in silence, because it may have signed what it does not know of.
    pub abstains: bool,
    /// The wall clock when the head last changed.
    pub head_at: Timestamp,
    /// The wall clock when a block was last confirmed.
    pub confirmed_at: Timestamp,
}

/// A node that is behind by no more than this many blocks counts as synced: blocks are always under way.
pub const SYNCED_LAG_MAX: u64 = 2;

impl Snapshot {
    /// Whether the store takes writes.
    pub fn is_writable(&self) -> bool {
        self.storage.state == StorageState::Open
    }

    /// Whether peers have been heard, where there should be any, and none claims a chain that is more than
    /// [`SYNCED_LAG_MAX`] blocks ahead.
    pub fn is_synced(&self) -> bool {
        !self.awaits_peers && self.best_peer_height.is_none_or(|best| best.0 <= self.head.height.0 + SYNCED_LAG_MAX)
    }
}

/// The node's chain task is gone: it failed, or is stopping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the node is stopping")]
pub struct Stopping;

/// Why a transaction was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum SubmitFailure {
    /// It is refused.
    #[error(transparent)]
    Refused(#[from] SubmitError),
    /// The node is busier than its queue allows; try again.
    #[error("the node's queue is full")]
    Busy,
    /// The storage takes no writes at present.
    #[error("the storage takes no writes: it is {}", .0.name())]
    Storage(StorageState),
    /// See [`Stopping`].
    #[error(transparent)]
    Stopping(#[from] Stopping),
}

impl NodeView {
    /// Gives a transaction to the mempool and to the peers.
    ///
    /// # Errors
    /// [`SubmitFailure`].
    pub async fn submit(&self, transaction: Transaction) -> Result<Hash, SubmitFailure> {
        let (reply, answer) = oneshot::channel();
        self.inputs.try_send(Input::Submit { transaction: Box::new(transaction), reply }).map_err(
            |error| match error {
                mpsc::error::TrySendError::Full(_) => SubmitFailure::Busy,
                mpsc::error::TrySendError::Closed(_) => SubmitFailure::Stopping(Stopping),
            },
        )?;
        answer.await.map_err(|_| Stopping)?
    }

    /// The waiting transaction with this identifier.
    ///
    /// # Errors
    /// [`Stopping`].
    pub async fn waiting(&self, id: Hash) -> Result<Option<Transaction>, Stopping> {
        let (reply, answer) = oneshot::channel();
        self.inputs.send(Input::Waiting { id, reply }).await.map_err(|_| Stopping)?;
        answer.await.map_err(|_| Stopping)
    }

    /// The nonce for `sender`'s next transaction, after those that wait without a gap.
    ///
    /// # Errors
    /// [`Stopping`].
    pub async fn next_nonce(&self, sender: Address, account: Nonce) -> Result<Nonce, Stopping> {
        let (reply, answer) = oneshot::channel();
        self.inputs.send(Input::NextNonce { sender, account, reply }).await.map_err(|_| Stopping)?;
        answer.await.map_err(|_| Stopping)
    }

    /// Makes a backup, and waits until it is whole and durable.
    ///
    /// # Errors
    /// [`BackupError`]; then nothing is left of it.
    pub async fn backup(&self) -> Result<BackupInfo, BackupError> {
        self.backups.make().await
    }

    /// What happens to the chain from now on. A listener that falls [`EVENTS_MAX`] behind is told how many it missed.
    pub fn events(&self) -> broadcast::Receiver<ChainEvent> {
        self.events.subscribe()
    }
}
