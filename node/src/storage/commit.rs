//! Writing: one batch a commit, and upkeep between commits.

use super::{Store, StoreError, keys};
use crate::{
    chain::{Commit, CommitBlock},
    crypto::Hash,
    types::{Block, Height},
};
use jmt::KeyHash;
use rocksdb::{FlushOptions, WaitForCompactOptions, WriteBatch, WriteOptions};
use std::sync::{Arc, atomic::Ordering};

impl Store {
    /// Takes back what is above the commit's fork and adds its blocks, atomically and durably. Gives the blocks that were
    /// taken back, the highest first.
    ///
    /// # Errors
    /// When the storage fails. Then either nothing of the commit is stored or, after a failed sync, perhaps all of it; the
    /// store must be opened again before the next commit.
    pub fn commit(&self, commit: &Commit) -> Result<Vec<Arc<Block>>, StoreError> {
        let mut batch = WriteBatch::default();
        let mut reverted = Vec::new();
        let head = self.head()?;
        let mut height = head.height;
        while height > commit.route.fork {
            let block = self.block_at(height)?.ok_or_else(|| StoreError::Damaged {
                family: keys::CANONICAL,
                key: height.to_string(),
                cause: "it is missing".into(),
            })?;
            self.remove_block(&mut batch, height, &block)?;
            reverted.push(Arc::new(block));
            height = height.back(1);
        }
        for block in &commit.blocks {
            self.put_block(&mut batch, block);
        }
        let new_head = commit.blocks.last().map_or(head.hash, |block| block.hash);
        self.write(batch, new_head)?;
        Ok(reverted)
    }

    /// Flushes when enough has been committed, lets RocksDB compact what it would, and waits for both.
    ///
    /// # Errors
    /// When the storage fails; what was committed stays committed.
    pub fn maintain(&self) -> Result<(), StoreError> {
        if self.unflushed.load(Ordering::Relaxed) < self.settings.flush_bytes {
            return Ok(());
        }
        self.unflushed.store(0, Ordering::Relaxed);
        // One family after the other: flushed together, RocksDB would number their tables in an order that depends on
        // where its objects are in memory. The write-ahead log keeps the families consistent until all are flushed.
        let mut options = FlushOptions::default();
        options.set_wait(true);
        for name in keys::FAMILIES {
            self.db.flush_cf_opt(self.family(name), &options)?;
            self.settle()?;
        }
        Ok(())
    }

    /// Waits until RocksDB's own threads have nothing left to do. A new table is what makes it compact, so there is
    /// something only after a flush and after opening, and nothing of the node's runs beside it.
    pub(super) fn settle(&self) -> Result<(), StoreError> {
        Ok(self.db.wait_for_compact(&WaitForCompactOptions::default())?)
    }

    pub(super) fn put_block(&self, batch: &mut WriteBatch, commit: &CommitBlock) {
        let CommitBlock { hash, block, work, update } = commit;
        let height = block.header.height;
        batch.put_cf(self.family(keys::BLOCKS), hash.0, crate::encode(&(work, block.as_ref())));
        batch.put_cf(self.family(keys::CANONICAL), keys::height(height), hash.0);
        for (place, transaction) in block.transactions.iter().enumerate() {
            let located = crate::encode(&(height, place as u32));
            batch.put_cf(self.family(keys::TRANSACTIONS), transaction.id().0, located);
        }
        for (key, node) in update.batch.nodes() {
            batch.put_cf(self.family(keys::NODES), keys::node(key), crate::encode(node));
        }
        let mut touched: Vec<[u8; 32]> = Vec::new();
        for ((version, key), value) in update.batch.values() {
            batch.put_cf(self.family(keys::VALUES), keys::value(key, *version), crate::encode(value));
            touched.push(key.0);
        }
        batch.put_cf(self.family(keys::UNDO), keys::height(height), crate::encode(&touched));
    }

    fn remove_block(&self, batch: &mut WriteBatch, height: Height, block: &Block) -> Result<(), StoreError> {
        let at = keys::height(height);
        let touched = self.db.get_cf(self.family(keys::UNDO), at)?;
        let touched: Vec<[u8; 32]> = self.decode(keys::UNDO, &at, touched)?;
        for key in touched {
            batch.delete_cf(self.family(keys::VALUES), keys::value(&KeyHash(key), height.0));
        }
        batch.delete_range_cf(self.family(keys::NODES), at, keys::height(height.next()));
        batch.delete_cf(self.family(keys::UNDO), at);
        for transaction in &block.transactions {
            batch.delete_cf(self.family(keys::TRANSACTIONS), transaction.id().0);
        }
        batch.delete_cf(self.family(keys::CANONICAL), at);
        batch.delete_cf(self.family(keys::BLOCKS), block.hash().0);
        Ok(())
    }

    pub(super) fn write(&self, mut batch: WriteBatch, head: Hash) -> Result<(), StoreError> {
        batch.put_cf(self.family(keys::META), keys::HEAD, head.0);
        let size = batch.size_in_bytes() as u64;
        let mut options = WriteOptions::default();
        options.set_sync(true);
        self.db.write_opt(batch, &options)?;
        self.unflushed.fetch_add(size, Ordering::Relaxed);
        Ok(())
    }
}
