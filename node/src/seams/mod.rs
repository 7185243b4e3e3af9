//! The six doors to the outside. Everything else in this crate is a function of what comes in through them and of
//! `tokio::time`.
//!
//! | seam | a process gives | a simulated host gives |
//! |---|---|---|
//! | [`Seams::transport`] | libp2p TCP | simulated TCP |
//! | [`Seams::http`] | a `tokio::net` listener | a simulated listener |
//! | [`Seams::disk`] | RocksDB's default `Env`, `std::fs` | an `Env` on a simulated disk, and its files |
//! | [`Seams::clock`] | the system's wall clock | a virtual clock with skew |
//! | [`Seams::blocking`] | `spawn_blocking` | inline |
//! | [`Seams::memory`] | what the system says | a machine whose memory faults take |
//!
//! The doors are trait objects and closures, so that both run the same object code.

mod blocking;
mod disk;
mod http;
mod memory;
mod transport;

pub use blocking::{Blocking, Deliver};
pub use disk::{Appender, Disk, Entry, Files, Space};
pub use http::{HTTP_CONNECTIONS_MAX, HttpIo, HttpListener};
pub use memory::{Memory, MemoryUse};
pub use transport::{RawStream, RawTransport, raw_transport};

use crate::types::Timestamp;
use std::{fmt, sync::Arc};

/// What a node is given.
pub struct Seams {
    /// Connections between nodes, before noise and yamux.
    pub transport: RawTransport,
    /// Where API clients connect.
    pub http: HttpListener,
    /// The disk below RocksDB, and the files beside it.
    pub disk: Disk,
    /// Wall-clock time.
    pub clock: Clock,
    /// Where work goes that keeps a thread busy.
    pub blocking: Blocking,
    /// How much memory is left.
    pub memory: Memory,
}

/// The wall clock. It may step in either direction; durations are measured with `tokio::time`.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// A clock that shows what `read` returns.
    pub fn new(read: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}
