//! Executing transactions on the authenticated state: pure, integers only, every sum checked.
//!
//! The state is a Jellyfish Merkle tree (`jmt`) with one version for each height. Its leaves are accounts and one record
//! of the tokens in circulation, which changes with every block, so every height has a root of its own. A version is
//! never overwritten: to undo a block is to drop the nodes of its version.

mod execute;
mod state;

pub(crate) use execute::admissible;
pub use execute::{ExecuteError, Executed, TransactionError, execute, execute_genesis};
pub(crate) use state::supply_key;
pub use state::{
    Account, AccountProof, Overlay, ReadError, StateUpdate, Supply, account, account_key, prove_account, state_root,
    supply,
};
