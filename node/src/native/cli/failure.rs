//! Why a command did not do what was asked, and the status that says so.

use crate::{
    StartError,
    native::{
        backups::BackupsError, config_file::ConfigFileError, health::HealthError, home::HomeError, keys::KeyError,
        lifecycle::RunError,
    },
    storage::{StoreError, Trouble},
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
    /// Backups that cannot be made or used.
    Backups(BackupsError),
    /// Something that is asked before it is done, and was not answered with yes.
    NotConfirmed(String),
    /// Some of several backups are damaged.
    SomeDamaged {
        /// How many.
        damaged: usize,
        /// Of how many.
        all: usize,
    },
    /// A database that cannot be worked on.
    Store(StoreError),
    /// A database that cannot be migrated.
    Migrate(StoreError),
    /// A database that holds damage.
    DamageFound(u64),
    /// RocksDB gives no environment.
    Disk(rocksdb::Error),
    /// Standard output is closed.
    Output(std::io::Error),
}

impl CommandError {
    /// The exit status: 2 for wrong usage or settings, 3 for a node that is not reachable, 1 for all else.
    pub fn status(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Config(_) | Self::Genesis(_) | Self::Run(RunError::Filter(_)) => 2,
            Self::Home(error) => return Self::status_of_home(error),
            Self::Health(HealthError::Address(_)) => 2,
            Self::NotConfirmed(_) | Self::Backups(BackupsError::Address(HealthError::Address(_))) => 2,
            Self::Backups(BackupsError::Home(error)) => return CommandError::status_of_home(error),
            Self::Health(HealthError::Unreachable { .. }) | Self::Backups(BackupsError::Unreachable { .. }) => 3,
            _ => 1,
        })
    }

    fn status_of_home(error: &HomeError) -> ExitCode {
        ExitCode::from(match error {
            HomeError::Read { .. } | HomeError::Malformed { .. } | HomeError::Genesis { .. } => 2,
            HomeError::LogFile { .. } | HomeError::Backups { .. } => 2,
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
            Self::Run(RunError::Start(StartError::Store(error))) | Self::Store(error) => {
                write!(f, "{error}{}", remedy(error))
            }
            Self::Run(error) => error.fmt(f),
            Self::Migrate(error) if error.trouble() == Some(Trouble::Damaged) => write!(
                f,
                "{error}; nothing was changed: restore a backup, or move the directory away and 'assay-node run' \
                 fetches the chain from peers"
            ),
            Self::Migrate(error) => write!(f, "{error}{}", remedy(error)),
            Self::DamageFound(1) => write!(f, "1 record or file is damaged{REBUILD}"),
            Self::DamageFound(count) => write!(f, "{count} records or files are damaged{REBUILD}"),
            Self::Disk(error) => write!(f, "cannot prepare the disk: {error}; check that memory is left"),
            Self::Health(error) => error.fmt(f),
            Self::Backups(error) => error.fmt(f),
            Self::NotConfirmed(question) => write!(f, "{question}; answer yes, or add --yes"),
            Self::SomeDamaged { damaged, all } => {
                write!(f, "{damaged} of {all} backups are damaged; make a new one, and remove those")
            }
            Self::Output(error) => write!(f, "cannot write the answer: {error}; keep standard output open"),
        }
    }
}

/// What to do about damage.
const REBUILD: &str = "; 'assay-node run' sets it aside and builds it anew from what is left and from peers";

/// What to do about errors of the core, which do not know that there are homes and flags.
fn remedy(error: &StoreError) -> &'static str {
    match error {
        StoreError::InUse { .. } => "; stop that process first",
        StoreError::OtherChain { .. } | StoreError::OtherGenesis(_) => {
            "; use the home of the configured chain, or put that chain's genesis.json back"
        }
        StoreError::Damaged { .. } | StoreError::Corrupt(_) | StoreError::State(_) => REBUILD,
        StoreError::CopyDiffers { .. } => "; see that the disk and the memory work, and try again",
        StoreError::Rocks(_) | StoreError::File { .. } => "; see that the disk works, has room, and is this user's",
        StoreError::Foreign { .. }
        | StoreError::Absent { .. }
        | StoreError::NewerSchema { .. }
        | StoreError::UnknownSchema { .. }
        | StoreError::NoRoom { .. }
        | StoreError::OlderSchema { .. }
        | StoreError::TooManyKept { .. }
        | StoreError::Closed
        | StoreError::ReadOnly
        | StoreError::Genesis(_) => "",
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
    BackupsError => Backups,
    StoreError => Store,
    rocksdb::Error => Disk,
    std::io::Error => Output
);
