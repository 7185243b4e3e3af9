//! Reading blocks and transactions.

use super::{
    StoreError,
    db::{Db, damaged},
    keys,
};
use crate::{
    chain::{
        TREE_WINDOW,
        sync::{LOCATOR_MAX, RANGE_BLOCKS_MAX, RANGE_BYTES_MAX},
    },
    crypto::Hash,
    types::{Block, Header, Height, Work},
};
use jmt::{
    KeyHash, OwnedValue, Version,
    storage::{Node, NodeKey},
};
use rocksdb::statistics::Ticker;

/// The head as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct StoredHead {
    /// Its height.
    pub height: Height,
    /// Its identifier.
    pub hash: Hash,
    /// Work of the chain up to it.
    pub work: Work,
}

/// Where a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Located {
    /// Height of its block.
    pub height: Height,
    /// Its place in the block, from 0.
    pub place: u32,
}

impl Db {
    pub fn head(&self) -> Result<StoredHead, StoreError> {
        let hash: Hash = self.need(keys::META, keys::HEAD)?;
        let (work, block) = self.stored(&hash)?.ok_or_else(|| damaged(keys::BLOCKS, &hash.0, "the head is missing"))?;
        Ok(StoredHead { height: block.header.height, hash, work })
    }

    pub fn canonical(&self, height: Height) -> Result<Option<Hash>, StoreError> {
        self.find(keys::CANONICAL, &keys::height(height))
    }

    pub fn block_at(&self, height: Height) -> Result<Option<Block>, StoreError> {
        let Some(hash) = self.canonical(height)? else { return Ok(None) };
        let missing = || damaged(keys::BLOCKS, &hash.0, "a canonical block is missing");
        self.stored(&hash)?.ok_or_else(missing).map(|(_, block)| Some(block))
    }

    pub fn locate(&self, transaction: &Hash) -> Result<Option<Located>, StoreError> {
        let found = self.find(keys::TRANSACTIONS, &transaction.0)?;
        Ok(found.map(|(height, place)| Located { height, place }))
    }

    pub fn recent_headers(&self) -> Result<Vec<(Hash, Header, Work)>, StoreError> {
        let head = self.head()?.height;
        let first = head.back(TREE_WINDOW - 1);
        (first.0..=head.0)
            .map(|height| {
                let missing = || damaged(keys::CANONICAL, &height.to_be_bytes(), "a canonical block is missing");
                let hash = self.canonical(Height(height))?.ok_or_else(missing)?;
                let (work, block) = self.stored(&hash)?.ok_or_else(missing)?;
                Ok((hash, block.header, work))
            })
            .collect()
    }

    pub fn range(&self, locator: &[Hash], count: u32) -> Result<Vec<Block>, StoreError> {
        let mut start = None;
        for hash in locator.iter().take(LOCATOR_MAX) {
            if let Some((_, block)) = self.stored(hash)? {
                start = Some(block.header.height.next());
                break;
            }
        }
        let (mut blocks, mut bytes) = (Vec::new(), 0);
        let Some(mut height) = start else { return Ok(blocks) };
        while blocks.len() < count.min(RANGE_BLOCKS_MAX) as usize && bytes <= RANGE_BYTES_MAX {
            let Some(block) = self.block_at(height)? else { break };
            bytes += crate::encode(&block).len();
            blocks.push(block);
            height = height.next();
        }
        Ok(blocks)
    }

    pub fn node(&self, key: &NodeKey) -> Result<Option<Node>, StoreError> {
        self.find(keys::NODES, &keys::node(key))
    }

    /// The newest value of a key that is not above `max_version`.
    pub fn value(&self, max_version: Version, key: KeyHash) -> Result<Option<OwnedValue>, StoreError> {
        // The oldest version has the highest key; a key above it belongs to another leaf.
        let mut end = key.0.to_vec();
        end.extend([0xff; 9]);
        match self.first(keys::VALUES, &keys::value(&key, max_version), end)? {
            None => Ok(None),
            Some((found, value)) => super::db::decode(keys::VALUES, &found, &value),
        }
    }

    /// The sum over all families.
    pub fn statistic(&self, property: &str) -> u64 {
        let value = |name| self.rocks.property_int_value_cf(self.family(name), property).ok().flatten().unwrap_or(0);
        keys::FAMILIES.into_iter().map(value).sum()
    }

    /// Bytes in the block cache, which the families share: each says the same.
    pub fn cache_bytes(&self) -> u64 {
        let [family, ..] = keys::FAMILIES;
        self.rocks.property_int_value_cf(self.family(family), "rocksdb.block-cache-usage").ok().flatten().unwrap_or(0)
    }

    pub fn cache_hits_and_misses(&self) -> (u64, u64) {
        let count = |ticker| self.options.get_ticker_count(ticker);
        (count(Ticker::BlockCacheHit), count(Ticker::BlockCacheMiss))
    }
}
