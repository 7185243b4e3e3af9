//! A seeded, deterministic simulator for tokio, libp2p and RocksDB programs.
//!
//! A [`world::World`] runs N hosts on one thread in virtual time. Each host is an ordinary tokio program: it opens
//! simulated TCP connections ([`net`]), keeps its data on a simulated disk ([`disk`]), reads a virtual clock
//! ([`clock`]) and draws its randomness from the seed ([`entropy`]). Everything that a host does to the outside goes
//! into a [`trace`]; equal seeds give equal traces.
//!
//! ```text
//!   harness ── boot/kill/power_cut/pause ──> World ── one window after another ──> hosts
//!                                              │                                    │
//!                  fault rules, link model <── net <───────── packets ──────────────┤
//!                                             disk <───────── RocksDB files ────────┤
//!                                            trace <───────── every event ──────────┘
//! ```
//!
//! Nothing in this part of the crate knows what the hosts compute. What it cannot do: hosts that start threads of
//! their own (`spawn_blocking`, a thread pool) or that make raw system calls are outside the simulation.

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
compile_error!("the interposition of the clock and of getrandom is written for 64-bit Linux");

pub mod clock;
pub mod cluster;
pub mod disk;
pub mod entropy;
pub mod faults;
mod host_id;
mod interpose;
pub mod invariants;
pub mod liars;
pub mod memory;
pub mod net;
pub mod ordeal;
pub mod run;
pub mod scrape;
pub mod trace;
pub mod workload;
pub mod world;

pub use host_id::HostId;
pub use net::LinkModel;
pub use world::{Exit, HostPanic, World, WorldConfig, WorldError};
