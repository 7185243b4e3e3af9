//! The live drivers: the same node as local processes, by hand or by a scenario ([`live`]).
//!
//! ```text
//!   Plan ──create──> folder/n0/{config.toml, genesis.json, node.key, ...}   n1/ ...
//!                       │
//!   Processes ──start, kill, stop──> `assay-node run` for each, log in folder/n0.log
//!       └──clients over loopback──> REST
//! ```
//!
//! These processes end with the value that started them. [`net`] has those that do not: a testnet that outlives its command.
//!
//! Everything that waits polls with a bound that its caller gives; nothing sleeps and hopes.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the live drivers start processes and lay out files and ports for them; none of it runs in the simulator"
)]

mod error;
pub mod live;
pub mod net;
mod owner;
mod plan;
mod ports;
mod process;
mod processes;
mod program;

pub use error::TestnetError;
pub use owner::{IMAGE_USER, Owner};
pub use plan::{NODES_MAX, Plan};
pub use process::{Process, STOP_MAX};
pub use processes::{POLL, Processes};
pub use program::program;
