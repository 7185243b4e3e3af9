//! Executing transactions on the authenticated state: pure, integers only, every sum checked.
//!
//! The state is a Jellyfish Merkle tree (`jmt`) with one version for each height. Its leaves are accounts, one record
//! of the tokens in circulation, which changes with every block, so every height has a root of its own, and what the engine needs
//! to know: the record of stakes, or those of operators. A version is
//! never overwritten: to undo a block is to drop the nodes of its version.

mod execute;
mod operators;
#[cfg(test)]
mod operators_tests;
mod records;
mod stake;
#[cfg(test)]
mod stake_tests;
mod state;

pub use execute::{ExecuteError, Executed, Place, TransactionError, execute, execute_genesis};
pub(crate) use execute::{admissible, admits};
pub use operators::{Operator, Operators, Recent, RecentBlock, Tally, TaskError, operator, operators, recent};
pub use stake::{BONDS_MAX, Bond, StakeError, Stakes, UNBONDING_MAX, Unbonding, stakes, validators};
pub(crate) use state::supply_key;
pub use state::{
    Account, AccountProof, Overlay, ReadError, StateUpdate, Supply, account, account_key, prove_account, state_root,
    supply,
};
