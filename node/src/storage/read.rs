//! Reading blocks and transactions.

use super::{Store, StoreError, keys};
use crate::{
    chain::{
        TREE_WINDOW,
        sync::{LOCATOR_MAX, RANGE_BLOCKS_MAX, RANGE_BYTES_MAX},
    },
    crypto::Hash,
    types::{Block, Header, Height, Work},
};
use borsh::BorshDeserialize;
use rocksdb::statistics::Ticker;

/// The head as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

impl Store {
    /// The head.
    ///
    /// # Errors
    /// When the record is damaged or the storage fails; so for every method here.
    pub fn head(&self) -> Result<StoredHead, StoreError> {
        let hash = self.db.get_cf(self.family(keys::META), keys::HEAD)?;
        let hash: Hash = self.decode(keys::META, keys::HEAD, hash)?;
        let (work, block) = self.stored(&hash)?.ok_or_else(|| damaged(keys::BLOCKS, &hash.0, "the head is missing"))?;
        Ok(StoredHead { height: block.header.height, hash, work })
    }

    /// The canonical block's identifier at a height.
    ///
    /// # Errors
    /// See [`Store::head`].
    pub fn canonical(&self, height: Height) -> Result<Option<Hash>, StoreError> {
        let key = keys::height(height);
        let bytes = self.db.get_cf(self.family(keys::CANONICAL), key)?;
        bytes.map(|bytes| self.decode(keys::CANONICAL, &key, Some(bytes))).transpose()
    }

    /// A canonical block.
    ///
    /// # Errors
    /// See [`Store::head`].
    pub fn block(&self, hash: &Hash) -> Result<Option<Block>, StoreError> {
        Ok(self.stored(hash)?.map(|(_, block)| block))
    }

    /// The canonical block at a height.
    ///
    /// # Errors
    /// See [`Store::head`].
    pub fn block_at(&self, height: Height) -> Result<Option<Block>, StoreError> {
        let Some(hash) = self.canonical(height)? else { return Ok(None) };
        let missing = || damaged(keys::BLOCKS, &hash.0, "a canonical block is missing");
        self.block(&hash)?.ok_or_else(missing).map(Some)
    }

    /// Where a transaction is included, when it is.
    ///
    /// # Errors
    /// See [`Store::head`].
    pub fn locate(&self, transaction: &Hash) -> Result<Option<Located>, StoreError> {
        let bytes = self.db.get_cf(self.family(keys::TRANSACTIONS), transaction.0)?;
        let located = bytes.map(|bytes| self.decode(keys::TRANSACTIONS, &transaction.0, Some(bytes))).transpose()?;
        Ok(located.map(|(height, place)| Located { height, place }))
    }

    /// The last [`TREE_WINDOW`] headers of the chain, the lowest first.
    ///
    /// # Errors
    /// See [`Store::head`].
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

    /// Canonical blocks above the first hash of `locator` that is canonical, within the limits of an answer.
    ///
    /// # Errors
    /// See [`Store::head`].
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

    /// A number that RocksDB keeps of itself, summed over the column families; 0 when it does not know it.
    pub fn statistic(&self, property: &str) -> u64 {
        let value = |name| self.db.property_int_value_cf(self.family(name), property).ok().flatten().unwrap_or(0);
        keys::FAMILIES.into_iter().map(value).sum()
    }

    /// How many blocks of tables were found in the cache since the store was opened, and how many were not.
    pub fn cache_hits_and_misses(&self) -> (u64, u64) {
        let count = |ticker| self.options.get_ticker_count(ticker);
        (count(Ticker::BlockCacheHit), count(Ticker::BlockCacheMiss))
    }

    fn stored(&self, hash: &Hash) -> Result<Option<(Work, Block)>, StoreError> {
        let bytes = self.db.get_cf(self.family(keys::BLOCKS), hash.0)?;
        bytes.map(|bytes| self.decode(keys::BLOCKS, &hash.0, Some(bytes))).transpose()
    }

    pub(super) fn decode<T: BorshDeserialize>(
        &self,
        family: &'static str,
        key: &[u8],
        bytes: Option<Vec<u8>>,
    ) -> Result<T, StoreError> {
        let bytes = bytes.ok_or_else(|| damaged(family, key, "it is missing"))?;
        borsh::from_slice(&bytes).map_err(|cause| damaged(family, key, &cause.to_string()))
    }
}

fn damaged(family: &'static str, key: &[u8], cause: &str) -> StoreError {
    StoreError::Damaged { family, key: hex::encode(key), cause: cause.to_owned() }
}
