//! What can go wrong with a testnet, and whose turn it is then.

use crate::TestnetError;
use assay_node::{api::client::ClientError, native::keys::KeyError, types::GenesisError};
use std::{io, path::PathBuf, time::Duration};

/// Whose turn it is: the sort of an error, and the exit status of a command that ends with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A node or a check failed: 1.
    Unhealthy,
    /// The command, or what it names, is wrong: 2.
    Usage,
    /// The system refuses: 3.
    Infrastructure,
}

/// A testnet that cannot be made, found or told something. Each text ends with what to do.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// A name that is none.
    #[error("a testnet is named by 1 to 24 characters out of a-z, 0-9 and '-', and not 'latest': {got:?} is no name")]
    Name {
        /// What was given.
        got: String,
    },
    /// There is nothing.
    #[error("there is no testnet at {path}; 'assay testnet up' starts one, 'assay testnet list' shows those there are")]
    NoNet {
        /// Where it would be.
        path: PathBuf,
    },
    /// Somebody else's folder.
    #[error("{path} is there and is no testnet; choose another --name or --dir, or remove it")]
    Foreign {
        /// The folder.
        path: PathBuf,
    },
    /// It runs already.
    #[error(
        "testnet {name} runs already; 'assay testnet status --name {name}' shows it, 'assay testnet down --name {name}' \
         ends it, another --name starts one beside it"
    )]
    Runs {
        /// Its name.
        name: String,
    },
    /// It is there, stopped, and of another kind than was asked for.
    #[error(
        "testnet {name} is there with {what} {has}, not {asked}; leave that option out to start it as it is, or add \
         --fresh to remove it with its data"
    )]
    Differs {
        /// Its name.
        name: String,
        /// What differs.
        what: &'static str,
        /// What it has.
        has: String,
        /// What was asked for.
        asked: String,
    },
    /// A state file that cannot be used.
    #[error("cannot read {path}: {cause}; 'assay testnet clean' ends what may still run, then remove the folder")]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// Two commands at once.
    #[error("another command is changing testnet {name}; try again when that one has ended")]
    Busy {
        /// Its name.
        name: String,
    },
    /// There is no such node.
    #[error("there is no node {got}; there are {known}, or 'all'")]
    NoNode {
        /// What was asked for.
        got: String,
        /// Those there are.
        known: String,
    },
    /// Something else that the caller can put right; says how.
    #[error("{0}")]
    Usage(String),
    /// A node that should not run does.
    #[error("{node} runs already; 'assay testnet chaos restart {node}' starts it anew")]
    NodeRuns {
        /// Its name.
        node: String,
    },
    /// A node that should run does not.
    #[error("{node} does not run; 'assay testnet chaos start {node}' starts it")]
    NodeStopped {
        /// Its name.
        node: String,
    },
    /// Somebody is needed to ask, and nobody is there.
    #[error("no node of testnet {name} runs; 'assay testnet up --name {name}' starts them all")]
    NoneRuns {
        /// The net.
        name: String,
    },
    /// A node ended that should run.
    #[error("{node} ended by itself; the last lines of its log:\n{log}")]
    Ended {
        /// Its name.
        node: String,
        /// The end of its log.
        log: String,
    },
    /// What was waited for did not come.
    #[error("{what}: not within {} s; last seen: {last}; 'assay testnet logs' may say why", bound.as_secs())]
    TooLate {
        /// What was waited for.
        what: String,
        /// How long.
        bound: Duration,
        /// What was seen last.
        last: String,
    },
    /// A command was told to end.
    #[error("interrupted; what was begun is taken back")]
    Interrupted,
    /// A program of a node did not do what it was asked.
    #[error("{what}: {said}")]
    Program {
        /// What it was asked for.
        what: String,
        /// What it said, which ends with what to do.
        said: String,
    },
    /// A node refuses, or none answers.
    #[error("{what}: {cause}; 'assay testnet status' shows how the nodes are")]
    Refused {
        /// What was asked.
        what: String,
        /// Its words.
        cause: ClientError,
    },
    /// An upgrade that was taken back.
    #[error("{node} is not well with the new program: {cause}\n{undone}")]
    RolledBack {
        /// The node that was not well.
        node: String,
        /// Why.
        cause: Box<NetError>,
        /// Which nodes are back on the old program.
        undone: String,
    },
    /// Something is left that should be gone.
    #[error("{0}; 'assay testnet clean' finds what still runs")]
    Left(String),
    /// A chain whose rules are out of bounds.
    #[error("no chain can have these rules: {0}; give another --block-interval or fewer --nodes")]
    Genesis(#[from] GenesisError),
    /// The nodes of this machine.
    #[error(transparent)]
    Testnet(#[from] TestnetError),
    /// A key cannot be made.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl NetError {
    /// Makes the error of something that the system refused.
    pub(crate) fn system(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let failed = TestnetError::system(what);
        move |cause| Self::Testnet(failed(cause))
    }

    /// Whose turn it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Name { .. } | Self::NoNet { .. } | Self::Foreign { .. } | Self::Runs { .. } => Fault::Usage,
            Self::Differs { .. } | Self::NoNode { .. } | Self::Usage(_) | Self::Genesis(_) => Fault::Usage,
            Self::NodeRuns { .. } | Self::NodeStopped { .. } | Self::NoneRuns { .. } => Fault::Usage,
            Self::Ended { .. } | Self::TooLate { .. } | Self::Program { .. } => Fault::Unhealthy,
            Self::RolledBack { .. } | Self::Refused { .. } | Self::Left(_) => Fault::Unhealthy,
            Self::State { .. } | Self::Busy { .. } | Self::Interrupted | Self::Key(_) => Fault::Infrastructure,
            Self::Testnet(TestnetError::Nodes { .. }) => Fault::Usage,
            Self::Testnet(_) => Fault::Infrastructure,
        }
    }
}
