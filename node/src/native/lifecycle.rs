//! A node's life as a process: start, run until a signal or a failure, stop.
//!
//! SIGTERM and SIGINT stop it in order within [`STOP_MAX`]; a second signal ends it at once. Either way the database is
//! whole: what was committed was synced. SIGHUP opens the file of log lines again, and stops nothing.

use super::{
    database::{self, DatabaseError},
    logs::{self, FilterError, Logs},
    seams::{self, ListenError},
};
use crate::{Failure, Node, Setup, StartError};
use std::{io, process, thread, time::Duration};
use tokio::{
    runtime,
    signal::unix::{Signal, SignalKind, signal},
};

/// From the first signal to the end of the process, at most. Supervisors are promised 5 s.
pub const STOP_MAX: Duration = Duration::from_millis(4800);

/// Blocking work that is still under way when all tasks have ended gets this long.
const BLOCKING_MAX: Duration = Duration::from_millis(500);

/// Exit status of a process that had to be cut off.
const CUT_OFF: i32 = 1;

/// Why a node did not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The log filter means nothing.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// An address cannot be listened on.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The database's directory cannot be made.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The node cannot start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The node stopped on its own, or failed while it stopped.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// The system gives no threads or no signals.
    #[error("cannot set up the process: {0}; check the limits of its user")]
    System(#[from] io::Error),
}

/// Runs a node until a signal stops it.
///
/// # Errors
/// [`RunError`] when it does not start or fails. Addresses are tried before anything is written.
pub fn run(setup: Setup) -> Result<(), RunError> {
    let logs = logs::start(&setup.config.log)?;
    let runtime = runtime::Builder::new_multi_thread().enable_all().thread_name("assay").build()?;
    let ended = runtime.block_on(live(setup, logs.clone()));
    runtime.shutdown_timeout(BLOCKING_MAX);
    match &ended {
        Ok(()) => tracing::info!("node.stopped"),
        // The command line tells it on standard error; whoever reads the file alone would never know.
        Err(cause) if logs.has_file() => tracing::error!(%cause, "node.failed"),
        Err(_) => {}
    }
    ended
}

async fn live(setup: Setup, logs: Logs) -> Result<(), RunError> {
    // A task of its own, so that the signal does no harm while the node starts or stops either.
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            logs.reopen();
        }
    });
    let mut signals =
        Signals { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? };
    let (http, api) = seams::bind_api(setup.config.api.listen).await?;
    seams::try_peer_address(&setup.config.p2p.listen)?;
    database::create_directory(&setup.config.storage.path)?;
    let (p2p, database) = (setup.config.p2p.listen.clone(), setup.config.storage.path.display().to_string());
    let mut node = Node::start(setup, seams::seams(http)?).await?;
    let (identity, head) = (node.view().identity.clone(), node.view().snapshot.borrow().head);
    tracing::info!(
        version = identity.version,
        chain = %identity.chain_id,
        genesis = %identity.genesis,
        peer = %identity.peer_id,
        proposer = identity.proposer.map(tracing::field::display),
        height = head.height.0,
        %api,
        %p2p,
        database,
        "node.started"
    );
    let name = tokio::select! {
        name = signals.next() => name,
        failure = node.failed() => return Err(failure.into()),
    };
    tracing::info!(signal = name, "node.stopping");
    thread::Builder::new().name("stop-bound".into()).spawn(cut_off)?;
    tokio::select! {
        stopped = node.stop() => Ok(stopped?),
        name = signals.next() => {
            tracing::warn!(signal = name, "node.stop_forced");
            process::exit(CUT_OFF)
        }
    }
}

/// The bound of a stop is kept by a thread of its own: it holds even when every thread of the runtime is stuck.
fn cut_off() {
    thread::sleep(STOP_MAX);
    tracing::error!(stop_max_ms = STOP_MAX.as_millis(), "node.stop_cut_off");
    process::exit(CUT_OFF);
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// The next signal's name.
    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
