//! Why a command could not do its work, and the exit status that says so.

use assay_reports::{ReadError, files::WriteError, parity::ParityError, sweep::MergeError};
use assay_scenarios::ScenarioError;
use assay_sim::run::RunError;
use assay_testnet::{
    TestnetError,
    net::{Fault, NetError},
};
use std::path::PathBuf;

/// A command that could not do its work. What a run found out is a verdict, not a failure.
#[derive(Debug)]
pub enum Failure {
    /// The scenario is wrong.
    Scenario(ScenarioError),
    /// What was asked for makes no sense.
    Usage(String),
    /// A record cannot be read.
    Record(PathBuf, ReadError),
    /// A report cannot be written.
    Write(WriteError),
    /// Sweeps that do not belong together.
    Merge(MergeError),
    /// The run could not be carried out.
    Run(RunError),
    /// A live run could not be carried out.
    Testnet(TestnetError),
    /// Runs that cannot be compared.
    Parity(ParityError),
    /// A testnet could not be told what to do, or did not do it.
    Net(NetError),
    /// Something outside failed.
    Infrastructure(String),
}

impl Failure {
    /// 2 for what the user can put right in the command or the files it names, 1 for a node that is not well, 3 for
    /// everything else.
    pub fn exit_code(&self) -> u8 {
        match self {
            Failure::Net(error) => match error.fault() {
                Fault::Unhealthy => 1,
                Fault::Usage => 2,
                Fault::Infrastructure => 3,
            },
            Failure::Scenario(_) | Failure::Usage(_) | Failure::Record(..) | Failure::Merge(_) | Failure::Parity(_) => {
                2
            }
            Failure::Testnet(
                TestnetError::CannotDo { .. } | TestnetError::Foreign { .. } | TestnetError::Busy { .. },
            ) => 2,
            Failure::Write(_) | Failure::Run(_) | Failure::Testnet(_) | Failure::Infrastructure(_) => 3,
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Scenario(error) => error.fmt(f),
            Failure::Usage(text) | Failure::Infrastructure(text) => f.write_str(text),
            Failure::Record(path, error) => write!(f, "{}: {error}", path.display()),
            Failure::Write(error) => error.fmt(f),
            Failure::Merge(error) => error.fmt(f),
            Failure::Parity(error) => error.fmt(f),
            Failure::Run(error) => error.fmt(f),
            Failure::Testnet(error) => error.fmt(f),
            Failure::Net(error) => error.fmt(f),
        }
    }
}

impl From<ScenarioError> for Failure {
    fn from(error: ScenarioError) -> Self {
        Failure::Scenario(error)
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        Failure::Write(error)
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        Failure::Run(error)
    }
}

impl From<TestnetError> for Failure {
    fn from(error: TestnetError) -> Self {
        Failure::Testnet(error)
    }
}

impl From<ParityError> for Failure {
    fn from(error: ParityError) -> Self {
        Failure::Parity(error)
    }
}

impl From<MergeError> for Failure {
    fn from(error: MergeError) -> Self {
        Failure::Merge(error)
    }
}

impl From<NetError> for Failure {
    fn from(error: NetError) -> Self {
        Failure::Net(error)
    }
}
