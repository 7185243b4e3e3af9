//! Binary Merkle trees in the shape of RFC 6962: leaves and nodes hashed apart, a lone node carried up unchanged.

use super::{Domain, Hash};
use serde::{Deserialize, Serialize};

/// The root of no leaves.
pub const EMPTY_ROOT: Hash = Hash([0; 32]);

/// The root over `leaves`, each the encoding of one item.
pub fn root<T: AsRef<[u8]>>(leaves: &[T]) -> Hash {
    let mut level = leaf_hashes(leaves);
    while level.len() > 1 {
        level = next_level(&level);
    }
    level.first().copied().unwrap_or(EMPTY_ROOT)
}

/// A proof that one leaf is under a root: the siblings from the leaf up, at most 64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Place of the leaf, from 0.
    pub index: u64,
    /// Leaves under the root.
    pub count: u64,
    /// Siblings from the bottom up; levels where the node has none are left out.
    pub siblings: Vec<Hash>,
}

/// The proof for leaf `index`, or `None` beyond the last.
pub fn prove<T: AsRef<[u8]>>(leaves: &[T], index: usize) -> Option<Proof> {
    if index >= leaves.len() {
        return None;
    }
    let mut level = leaf_hashes(leaves);
    let mut siblings = Vec::new();
    let mut at = index;
    while level.len() > 1 {
        siblings.extend(level.get(at ^ 1));
        level = next_level(&level);
        at /= 2;
    }
    Some(Proof { index: index as u64, count: leaves.len() as u64, siblings })
}

impl Proof {
    /// Whether `leaf` is at this proof's place under `root`.
    #[must_use]
    pub fn holds(&self, root: Hash, leaf: &[u8]) -> bool {
        if self.index >= self.count {
            return false;
        }
        let mut hash = Hash::of(Domain::MerkleLeaf, &[leaf]);
        let (mut at, mut count) = (self.index, self.count);
        let mut siblings = self.siblings.iter();
        while count > 1 {
            if at ^ 1 < count {
                let Some(sibling) = siblings.next() else { return false };
                hash = if at % 2 == 0 { node(&hash, sibling) } else { node(sibling, &hash) };
            }
            at /= 2;
            count = count.div_ceil(2);
        }
        hash == root && siblings.next().is_none()
    }
}

fn leaf_hashes<T: AsRef<[u8]>>(leaves: &[T]) -> Vec<Hash> {
    leaves.iter().map(|leaf| Hash::of(Domain::MerkleLeaf, &[leaf.as_ref()])).collect()
}

fn next_level(level: &[Hash]) -> Vec<Hash> {
    level.chunks(2).map(|pair| if let [left, right] = pair { node(left, right) } else { pair[0] }).collect()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    Hash::of(Domain::MerkleNode, &[&left.0, &right.0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_leaf_of_every_small_tree_proves_and_nothing_else_does() {
        for count in 1..20u8 {
            let leaves: Vec<[u8; 1]> = (0..count).map(|n| [n]).collect();
            let root = root(&leaves);
            for (index, leaf) in leaves.iter().enumerate() {
                let proof = prove(&leaves, index).expect("the leaf exists");
                assert!(proof.holds(root, leaf), "{index} of {count}");
                assert!(!proof.holds(root, &[count]), "another leaf, {index} of {count}");
                assert!(!proof.holds(EMPTY_ROOT, leaf), "another root, {index} of {count}");
                let moved = Proof { index: (proof.index + 1) % u64::from(count), ..proof.clone() };
                assert!(count == 1 || !moved.holds(root, leaf), "another place, {index} of {count}");
            }
            assert_eq!(prove(&leaves, leaves.len()), None);
        }
    }
}
