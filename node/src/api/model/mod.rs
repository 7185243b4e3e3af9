//! What the API says, as types for both ends.
//!
//! Hashes, addresses, keys and signatures are hexadecimal text; amounts, nonces and heights are integers; times are
//! milliseconds since 1970.

mod account;
mod backup;
mod chain;
mod health;
mod metrics;
mod operators;
mod transaction;
mod validators;

pub use account::{AccountInfo, AccountProofInfo, Balance};
pub use backup::{BackupList, BackupStarted, BackupState, DamagedBackup};
pub use chain::{BlockInfo, ChainInfo, HeadInfo, HeightInfo, IdentifiedTransaction, LeaderInfo, SyncInfo};
pub use health::{Check, Health, HealthStatus};
pub use metrics::{Metric, MetricsInfo, Sample};
pub use operators::{OperatorInfo, OperatorsInfo, StandingInfo};
pub use transaction::{SubmitOutcome, Submitted, TransactionInfo, TransactionProofInfo, TransactionStatus};
pub use validators::{BondInfo, UnbondingInfo, ValidatorInfo, ValidatorsInfo};

use crate::crypto::Hash;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The body of every error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// The error.
    pub error: ErrorDetail,
}

/// One error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorDetail {
    /// What to program against; see [`super::ApiError::kind`].
    pub code: String,
    /// What to show to people.
    pub message: String,
}

/// A proof that does not lead to the root it was held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the proof does not lead to the root {0}")]
pub struct ProofError(pub Hash);
