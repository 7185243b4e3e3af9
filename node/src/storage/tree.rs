//! The state tree's view of the store.

use super::{Store, keys};
use jmt::{
    KeyHash, OwnedValue, Version,
    storage::{LeafNode, Node, NodeKey, TreeReader},
};
use rocksdb::{Direction, IteratorMode, ReadOptions};

impl TreeReader for Store {
    fn get_node_option(&self, key: &NodeKey) -> anyhow::Result<Option<Node>> {
        let bytes = self.db.get_cf(self.family(keys::NODES), keys::node(key))?;
        Ok(bytes.map(|bytes| borsh::from_slice(&bytes)).transpose()?)
    }

    fn get_value_option(&self, max_version: Version, key: KeyHash) -> anyhow::Result<Option<OwnedValue>> {
        let from = keys::value(&key, max_version);
        let mut options = ReadOptions::default();
        // The oldest version has the highest key; a key above it belongs to another leaf.
        let mut end = key.0.to_vec();
        end.extend([0xff; 9]);
        options.set_iterate_upper_bound(end);
        let mode = IteratorMode::From(&from, Direction::Forward);
        match self.db.iterator_cf_opt(self.family(keys::VALUES), options, mode).next() {
            None => Ok(None),
            Some(entry) => Ok(borsh::from_slice(&entry?.1)?),
        }
    }

    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        anyhow::bail!("restoring a tree from leaves is not supported")
    }
}
