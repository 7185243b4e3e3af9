//! The seed's choices. Each has its own stream, named by its purpose and the fault, so that no choice moves another.

use crate::{FaultId, NodeIndex};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use sha2::{Digest, Sha256};

/// `count` of the nodes `0..nodes`, each set equally likely, in ascending order; all of them if `count` is greater.
pub(crate) fn nodes(seed: u64, fault: FaultId, count: usize, nodes: u16) -> Vec<NodeIndex> {
    let mut rng = stream(seed, "fault targets", fault);
    let mut pool: Vec<NodeIndex> = (0..nodes).map(NodeIndex).collect();
    let mut chosen = Vec::with_capacity(count.min(pool.len()));
    while chosen.len() < count && !pool.is_empty() {
        // The high half of the product is in `0..pool.len()`; its bias is below pool.len() / 2^64.
        let at = (u128::from(rng.next_u64()) * pool.len() as u128) >> 64;
        chosen.push(pool.swap_remove(at as usize));
    }
    chosen.sort_unstable();
    chosen
}

/// The key is a hash of the seed and the names, so neighbouring seeds and faults share nothing.
fn stream(seed: u64, purpose: &str, fault: FaultId) -> ChaCha8Rng {
    let mut hash = Sha256::new_with_prefix(b"assay scenario plan v1");
    hash.update(seed.to_le_bytes());
    hash.update(fault.0.to_le_bytes());
    hash.update(purpose);
    ChaCha8Rng::from_seed(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::nodes;
    use crate::FaultId;
    use std::collections::BTreeMap;

    #[test]
    fn every_pair_is_drawn_about_as_often() {
        let mut counts = BTreeMap::new();
        for seed in 0..10_000 {
            *counts.entry(nodes(seed, FaultId(1), 2, 5)).or_insert(0_u32) += 1;
        }
        assert_eq!(counts.len(), 10, "all pairs of five");
        // Mean 1000, standard deviation 30.
        assert!(counts.values().all(|count| (850..1150).contains(count)), "{counts:?}");
    }

    #[test]
    fn the_seed_and_the_fault_count() {
        let drawn = |seed, fault| nodes(seed, FaultId(fault), 20, 100);
        assert_eq!(drawn(1, 1), drawn(1, 1));
        assert_ne!(drawn(1, 1), drawn(2, 1));
        assert_ne!(drawn(1, 1), drawn(1, 2));
        assert_eq!(nodes(1, FaultId(1), 9, 3).len(), 3);
    }
}
