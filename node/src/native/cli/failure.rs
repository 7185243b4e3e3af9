//! Why a command did not do what was asked, and the status that says so.

use crate::{
    StartError,
    native::{config_file::ConfigFileError, health::HealthError, home::HomeError, keys::KeyError, lifecycle::RunError},
    storage::StoreError,
    types::GenesisError,
};
use std::{fmt, process::ExitCode};

/// A command that failed. Its text is one line: what is wrong, and after a semicolon what to do about it.
#[derive(Debug)]
pub enum CommandError {
    /// Settings that cannot be read or meant.
    Config(ConfigFileError),
    /// A home that cannot be made or used.
    Home(HomeError),
    /// A key that cannot be made or used.
    Key(KeyError),
    /// A new chain whose document would be wrong.
    Genesis(GenesisError),
    /// A node that did not start or did not end well.
    Run(RunError),
    /// A node that is not healthy, or not there.
    Health(HealthError),
    /// Standard output is closed.
    Output(std::io::Error),
}

impl CommandError {
    /// The exit status: 2 for wrong usage or settings, 3 for a node that is not reachable, 1 for all else.
    pub fn status(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Config(_) | Self::Genesis(_) | Self::Run(RunError::Filter(_)) => 2,
            Self::Home(HomeError::Read { .. } | HomeError::Malformed { .. } | HomeError::Genesis { .. }) => 2,
            Self::Home(HomeError::LogFile { .. }) => 2,
            Self::Health(HealthError::Address(_)) => 2,
            Self::Health(HealthError::Unreachable { .. }) => 3,
            _ => 1,
        })
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Home(error) => error.fmt(f),
            Self::Key(error) => error.fmt(f),
            Self::Genesis(error) => write!(f, "{error}; give less"),
            Self::Run(error) => write!(f, "{error}{}", remedy(error)),
            Self::Health(error) => error.fmt(f),
            Self::Output(error) => write!(f, "cannot write the answer: {error}; keep standard output open"),
        }
    }
}

/// What to do about errors of the core, which do not know that there are homes and flags.
fn remedy(error: &RunError) -> &'static str {
    let RunError::Start(StartError::Store(error)) = error else { return "" };
    match error {
        StoreError::InUse { .. } => "; stop that process first",
        StoreError::OtherChain { .. } | StoreError::OtherGenesis(_) => {
            "; use the home of the configured chain, or put that chain's genesis.json back"
        }
        StoreError::Damaged { .. } | StoreError::State(_) => "; keep a copy, and sync again into an empty storage.path",
        StoreError::Rocks(_) => "; see that the disk works, has room, and is this user's",
        StoreError::Foreign { .. } | StoreError::NewerSchema { .. } | StoreError::Genesis(_) => "",
    }
}

macro_rules! from {
    ($($error:ty => $variant:ident),*) => {
        $(impl From<$error> for CommandError {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        })*
    };
}
from!(
    ConfigFileError => Config,
    HomeError => Home,
    KeyError => Key,
    GenesisError => Genesis,
    RunError => Run,
    HealthError => Health,
    std::io::Error => Output
);
