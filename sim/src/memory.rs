//! The memory of a simulated machine.
//!
//! Programs of a simulation share one process, and nobody can say which of them has how much of its memory. What a machine
//! has is therefore a figure, and so is what its programs take of it, unless a fault takes the rest.

use assay_node::seams::MemoryUse;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of a machine: 4 GiB.
pub const MEMORY_BYTES: u64 = 4 << 30;
/// Bytes that programs take of it while no fault is on: a quarter.
const TAKEN_BYTES: u64 = MEMORY_BYTES / 4;

/// The memory of one host. It outlives the host's processes.
#[derive(Clone, Debug, Default)]
pub struct HostMemory(Arc<Mutex<Option<u64>>>);

impl HostMemory {
    /// Lets other programs take all but `left` bytes, or with `None` give back what they took.
    pub fn set_left(&self, left: Option<u64>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = left;
    }

    /// As it is now. What the node's own process has of it is not known.
    pub fn now(&self) -> MemoryUse {
        let left = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let used = left.map_or(TAKEN_BYTES, |left| MEMORY_BYTES.saturating_sub(left).max(TAKEN_BYTES));
        MemoryUse { total: MEMORY_BYTES, used, resident: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_take_all_but_what_is_left() {
        let memory = HostMemory::default();
        let used = |left| {
            memory.set_left(left);
            memory.now().used
        };
        let most = MEMORY_BYTES - 64;
        assert_eq!([None, Some(64), Some(u64::MAX), None].map(used), [TAKEN_BYTES, most, TAKEN_BYTES, TAKEN_BYTES]);
    }
}
