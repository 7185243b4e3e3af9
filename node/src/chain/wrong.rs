//! Hashes of blocks that are known to be wrong. Pure.

use crate::crypto::Hash;
use std::collections::{BTreeSet, VecDeque};

/// Hashes of wrong blocks that are remembered, so that they are not worked on twice.
pub const WRONG_BLOCKS_MAX: usize = 1024;

/// The last [`WRONG_BLOCKS_MAX`] of them.
#[derive(Debug, Default)]
pub(super) struct Wrong {
    set: BTreeSet<Hash>,
    order: VecDeque<Hash>,
}

impl Wrong {
    /// Whether it is among them.
    pub fn contains(&self, hash: &Hash) -> bool {
        self.set.contains(hash)
    }

    /// Remembers one, in the place of the oldest if there are too many.
    pub fn remember(&mut self, hash: Hash) {
        if self.set.insert(hash) {
            self.order.push_back(hash);
        }
        if self.order.len() > WRONG_BLOCKS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.set.remove(&oldest);
        }
    }
}
