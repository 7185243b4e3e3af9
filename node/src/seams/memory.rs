//! How much memory there is.

use std::{fmt, sync::Arc};

/// How much memory there is, and how much of it is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryUse {
    /// Bytes that the node may use: all of the machine's, or of its control group's where that has less; 0 if nobody knows.
    pub total: u64,
    /// Bytes of them that are taken, by whichever program, and that the system cannot take back on its own.
    pub used: u64,
    /// Bytes of physical memory that the node's process has.
    pub resident: u64,
}

/// Reads how much memory there is.
#[derive(Clone)]
pub struct Memory(Arc<dyn Fn() -> MemoryUse + Send + Sync>);

impl Memory {
    /// Memory as `read` finds it; it may take a moment, as reading a few small files does.
    pub fn new(read: impl Fn() -> MemoryUse + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// As it is now.
    pub fn now(&self) -> MemoryUse {
        (self.0)()
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memory")
    }
}
