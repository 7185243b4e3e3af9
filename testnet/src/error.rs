//! What can go wrong with processes.

use assay_node::{
    api::client::ClientError,
    native::{backups::BackupsError, home::HomeError, keys::KeyError},
};
use std::{io, path::PathBuf, process::ExitStatus, time::Duration};

/// A cluster that cannot be made, started or asked.
#[derive(Debug, thiserror::Error)]
pub enum TestnetError {
    /// The program is not built.
    #[error("{path} is missing; run 'cargo build -p assay-node'")]
    NoProgram {
        /// Where it should be.
        path: PathBuf,
    },
    /// A number of nodes that makes no cluster.
    #[error("{got} nodes; a cluster has 1 to {max}")]
    Nodes {
        /// What was asked for.
        got: usize,
        /// The most there can be.
        max: usize,
    },
    /// A home cannot be made.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// A key cannot be made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The system refuses a file, a port or a process.
    #[error("{what}: {cause}")]
    System {
        /// What was tried.
        what: String,
        /// The system's words.
        cause: io::Error,
    },
    /// A node ended that should run.
    #[error("{node} ended with {status}; its last log lines:\n{log}")]
    Ended {
        /// Its name.
        node: String,
        /// How.
        status: ExitStatus,
        /// The end of its log.
        log: String,
    },
    /// A node does not run, and was asked or told something.
    #[error("{node} does not run")]
    NotRunning {
        /// Its name.
        node: String,
    },
    /// What was waited for did not come.
    #[error("{what}: not within {bound:?}; last seen: {last}")]
    TooLate {
        /// What was waited for.
        what: String,
        /// How long.
        bound: Duration,
        /// The last answer before giving up.
        last: String,
    },
    /// A folder that a run would have to remove is of no run.
    #[error("{path} is not of a run; choose another place with --out")]
    Foreign {
        /// The folder.
        path: PathBuf,
    },
    /// Another run goes on in the folder.
    #[error("a run of process {pid} goes on in {path}; wait for its end, or choose another place with --out")]
    Busy {
        /// The folder.
        path: PathBuf,
        /// Who plays it.
        pid: u32,
    },
    /// There is no container engine.
    #[error("no container engine: {reason}")]
    NoEngine {
        /// What is missing.
        reason: String,
    },
    /// A back end cannot do what a scenario asks for.
    #[error("{place}: `{kind}` cannot be had with '--on {backend}': {reason}")]
    CannotDo {
        /// File and line.
        place: String,
        /// The fault.
        kind: String,
        /// The back end.
        backend: &'static str,
        /// Why.
        reason: String,
    },
    /// There is nothing to restore.
    #[error("there is no backup in {path}; a `backup` must come before")]
    NoBackup {
        /// The directory.
        path: PathBuf,
    },
    /// A backup cannot be made or restored.
    #[error(transparent)]
    Backups(#[from] BackupsError),
    /// The users of a live run did not do their part.
    #[error("the users of the run failed: {0}")]
    Users(String),
    /// Ctrl-C.
    #[error("interrupted; all processes of the run are ended")]
    Interrupted,
    /// A node did not answer, or refused.
    #[error(transparent)]
    Client(#[from] ClientError),
}

impl TestnetError {
    /// Makes the error of something that the system refused.
    pub(crate) fn system(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |cause| Self::System { what, cause }
    }
}
