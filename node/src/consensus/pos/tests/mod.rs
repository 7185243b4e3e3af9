//! The machine alone: single ones in situations of Tendermint's rules, and clusters of them in seeded networks.

mod cluster;
mod crashes;
mod liars;
mod log;
mod network;
mod rounds;
mod splits;
pub(in crate::consensus) mod support;
