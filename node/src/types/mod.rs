//! The chain's data: what is signed, hashed, stored and sent. No behaviour beyond encoding and identity.
//!
//! The canonical encoding is borsh: one encoding a value, no trailing bytes, lengths checked against what is there.

mod amount;
mod block;
pub(crate) mod bounded;
mod genesis;
mod params;
mod task;
mod transaction;
mod validators;
mod vote;

pub use amount::{Amount, Difficulty, Height, Nonce, Period, Slot, Timestamp, Work};
pub use block::{Block, Header, Seal, sealed_hash};
pub use genesis::{ChainId, Genesis, GenesisError};
pub use params::{ChainParams, Consensus, PootParams, PosParams, WINDOW_PERIODS_MAX};
pub use task::{OPERATORS_MAX, Rank, Task, TaskProof, Testimony, Witness};
pub use transaction::{Body, Payload, Transaction};
pub use validators::{CertificateError, VALIDATORS_MAX, Validator, ValidatorSet};
pub use vote::{
    Ballot, CERTIFICATE_SIGNATURES_MAX, Certificate, Equivocation, EquivocationError, Proposal, Round, Signed, Step,
    Vote,
};

/// A token, in its smallest unit.
pub const TOKEN: Amount = Amount(1_000_000);

/// Bytes of an encoded block, at most; a peer's larger message is refused before it is decoded.
pub const BLOCK_BYTES_MAX: usize = 512 * 1024;

/// Bytes of an encoded transaction, at most.
pub const TRANSACTION_BYTES_MAX: usize = 16 * 1024;
