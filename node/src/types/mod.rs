//! The chain's data: what is signed, hashed, stored and sent. No behaviour beyond encoding and identity.
//!
//! The canonical encoding is borsh: one encoding a value, no trailing bytes, lengths checked against what is there.

mod amount;
mod block;
mod genesis;
mod transaction;

pub use amount::{Amount, Difficulty, Height, Nonce, Timestamp, Work};
pub use block::{Block, Header, Seal, sealed_hash};
pub use genesis::{ChainId, ChainParams, Genesis, GenesisError};
pub use transaction::{Body, Payload, Transaction};

/// Bytes of an encoded block, at most; a peer's larger message is refused before it is decoded.
pub const BLOCK_BYTES_MAX: usize = 512 * 1024;

/// Bytes of an encoded transaction, at most.
pub const TRANSACTION_BYTES_MAX: usize = 16 * 1024;
