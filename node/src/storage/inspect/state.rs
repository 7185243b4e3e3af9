//! The state tree: of the head whole, of every other height its root.

use super::{super::keys, Inspector, Progress};
use crate::{
    ledger::{self, Account, Supply},
    types::{Block, Height},
};
use jmt::{
    ValueHash,
    storage::{LeafNode, NibblePath, Node, NodeKey},
};
use sha2_for_jmt::Sha256;

/// Nodes between two words about progress.
const TELL_EVERY: u64 = 4096;

/// A node that is committed to.
struct Due {
    key: NodeKey,
    /// What the node above it says, or the header.
    hash: [u8; 32],
}

/// What the leaves add up to.
#[derive(Default)]
struct Sum {
    balances: u128,
    supply: Option<Supply>,
}

fn root_of(height: Height) -> NodeKey {
    NodeKey::new(height.0, std::iter::empty().collect())
}

fn hash(node: &Node) -> Option<[u8; 32]> {
    match node {
        // There is no state without a supply, so none without a node.
        Node::Null => None,
        Node::Internal(node) => Some(node.hash::<Sha256>()),
        Node::Leaf(node) => Some(node.hash::<Sha256>()),
    }
}

impl Inspector<'_> {
    /// The root of the state after a block, against its header.
    pub fn root(&mut self, block: &Block) {
        let key = root_of(block.header.height);
        let hash = block.header.state_root.0;
        self.node(&Due { key, hash });
    }

    /// Every node and every value of the state after `head`, and what they add up to.
    pub fn state(&mut self, head: &Block) {
        let (height, before) = (head.header.height, self.report.findings.count());
        let mut sum = Sum::default();
        let mut due = vec![Due { key: root_of(height), hash: head.header.state_root.0 }];
        let mut of = 0;
        while let Some(next) = due.pop() {
            let Some(node) = self.node(&next) else { continue };
            if let (0, Node::Internal(root)) = (of, &node) {
                of = root.leaf_count() as u64;
            }
            if self.report.nodes.is_multiple_of(TELL_EVERY) {
                (self.tell)(Progress { part: "state", done: self.report.accounts, of });
            }
            self.report.nodes += 1;
            match node {
                Node::Null => {}
                Node::Leaf(leaf) => self.leaf(&leaf, &next, height, &mut sum),
                Node::Internal(node) => due.extend(node.children_sorted().map(|(nibble, child)| {
                    let path: NibblePath = next.key.nibble_path().nibbles().chain([nibble]).collect();
                    Due { key: NodeKey::new(child.version, path), hash: child.hash }
                })),
            }
        }
        // What cannot be read cannot be added up either.
        if self.report.findings.count() == before {
            self.supply(height, &sum);
        }
    }

    /// The node at a key, if it is what is committed to.
    fn node(&mut self, due: &Due) -> Option<Node> {
        let key = keys::node(&due.key);
        let node = self.need(keys::NODES, &key, self.db.node(&due.key))?;
        if hash(&node) != Some(due.hash) {
            self.find(keys::NODES, &key, "it does not hash to what is committed to above it");
            return None;
        }
        Some(node)
    }

    fn leaf(&mut self, leaf: &LeafNode, due: &Due, height: Height, sum: &mut Sum) {
        let key = leaf.key_hash();
        let at = keys::value(&key, height.0);
        let Some(value) = self.need(keys::VALUES, &at, self.db.value(height.0, key)) else { return };
        if LeafNode::new(key, ValueHash::with::<Sha256>(&value)).hash::<Sha256>() != due.hash {
            return self.find(keys::VALUES, &at, "it does not hash to what its leaf commits to");
        }
        if key == ledger::supply_key() {
            let supply = borsh::from_slice(&value).map_err(|cause| self.find(keys::VALUES, &at, cause.to_string()));
            sum.supply = supply.ok();
            return;
        }
        self.report.accounts += 1;
        match borsh::from_slice::<Account>(&value) {
            Ok(account) => sum.balances += u128::from(account.balance.0),
            Err(cause) => self.find(keys::VALUES, &at, cause.to_string()),
        }
    }

    fn supply(&mut self, height: Height, sum: &Sum) {
        let at = keys::value(&ledger::supply_key(), height.0);
        match sum.supply {
            None => self.find(keys::VALUES, &at, "the supply record is missing"),
            Some(supply) if supply.height != height => {
                self.find(keys::VALUES, &at, format!("the supply record is of height {}", supply.height));
            }
            Some(supply) if u128::from(supply.total.0) != sum.balances => {
                let what = format!("the supply is {}, and the balances add up to {}", supply.total, sum.balances);
                self.find(keys::VALUES, &at, what);
            }
            Some(_) => {}
        }
    }
}
