//! Assay's production node.
//!
//! ```text
//!            pure: (now, input) -> effects                    drivers: one task each
//!   ledger  consensus  mempool  chain (fork choice, sync)  |  p2p  storage  api  miner
//! ```
//!
//! The pure modules know no socket, file or clock. The drivers reach the world through [`seams::Seams`] alone, so that a
//! simulated host and a production process run the same code. [`native`] fills the seams for a process.

pub mod api;
pub mod backup;
pub mod chain;
pub mod config;
pub mod consensus;
pub mod crypto;
pub mod ledger;
pub mod native;
mod node;
pub mod p2p;
pub mod seams;
pub mod storage;
pub mod types;

pub use node::*;

/// The canonical encoding of a value.
pub fn encode<T: borsh::BorshSerialize + ?Sized>(value: &T) -> Vec<u8> {
    borsh::to_vec(value).expect("writing to memory cannot fail, and no type of ours refuses to be encoded")
}
