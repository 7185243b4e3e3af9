//! Writing: one batch a commit, and upkeep between commits.

use super::{
    Store, StoreError,
    db::{Db, damaged},
    keys,
};
use crate::{
    chain::{Commit, CommitBlock},
    crypto::Hash,
    types::{Block, Consensus, Height},
};
use jmt::KeyHash;
use rocksdb::{FlushOptions, WriteBatch, WriteOptions};
use std::sync::{Arc, atomic::Ordering};

impl Store {
    /// Takes back what is above the commit's fork and adds its blocks, atomically and durably. Gives the blocks that were
    /// taken back, the highest first.
    ///
    /// # Errors
    /// When the storage fails. Then either nothing of the commit is stored or, after a failed sync, perhaps all of it; the
    /// store must be opened again before the next commit.
    pub fn commit(&self, commit: &Commit) -> Result<Vec<Arc<Block>>, StoreError> {
        self.with_alone(|db| {
            let mut batch = WriteBatch::default();
            let mut reverted = Vec::new();
            let head = db.head()?;
            let mut height = head.height;
            while height > commit.route.fork {
                let missing = || damaged(keys::CANONICAL, &keys::height(height), "it is missing");
                let block = db.block_at(height)?.ok_or_else(missing)?;
                db.remove_block(&mut batch, height, &block)?;
                reverted.push(Arc::new(block));
                height = height.back(1);
            }
            for block in &commit.blocks {
                db.put_block(&mut batch, block);
            }
            if self.genesis.params.consensus == Consensus::Pos {
                db.remove_ballots(&mut batch)?;
            }
            let new_head = commit.blocks.last().map_or(head.hash, |block| block.hash);
            let bytes = db.write(batch, new_head)?;
            self.unflushed.fetch_add(bytes, Ordering::Relaxed);
            Ok(reverted)
        })
    }

    /// Flushes when enough has been committed, lets RocksDB compact what it would, and waits for both.
    ///
    /// # Errors
    /// When the storage fails; what was committed stays committed.
    pub fn maintain(&self) -> Result<(), StoreError> {
        if self.unflushed.load(Ordering::Relaxed) < self.settings.flush_bytes {
            return Ok(());
        }
        self.flush()
    }

    /// Writes everything from the log into tables, lets RocksDB compact what it would, and waits for both.
    ///
    /// # Errors
    /// As [`Store::maintain`].
    pub fn flush(&self) -> Result<(), StoreError> {
        self.unflushed.store(0, Ordering::Relaxed);
        self.with(Db::flush)
    }
}

impl Db {
    /// One family after the other: flushed together, RocksDB would number their tables in an order that depends on where
    /// its objects are in memory. The write-ahead log keeps the families consistent until all are flushed.
    pub fn flush(&self) -> Result<(), StoreError> {
        let mut options = FlushOptions::default();
        options.set_wait(true);
        for name in keys::FAMILIES {
            self.rocks.flush_cf_opt(self.family(name), &options)?;
            self.settle()?;
        }
        Ok(())
    }

    pub fn put_block(&self, batch: &mut WriteBatch, commit: &CommitBlock) {
        let CommitBlock { hash, block, work, update } = commit;
        let height = block.header.height;
        self.put(batch, keys::BLOCKS, &hash.0, crate::encode(&(work, block.as_ref())));
        self.put(batch, keys::CANONICAL, &keys::height(height), hash.0.to_vec());
        for (place, transaction) in block.transactions.iter().enumerate() {
            let located = crate::encode(&(height, place as u32));
            self.put(batch, keys::TRANSACTIONS, &transaction.id().0, located);
        }
        for (key, node) in update.batch.nodes() {
            self.put(batch, keys::NODES, &keys::node(key), crate::encode(node));
        }
        let mut touched: Vec<[u8; 32]> = Vec::new();
        for ((version, key), value) in update.batch.values() {
            self.put(batch, keys::VALUES, &keys::value(key, *version), crate::encode(value));
            touched.push(key.0);
        }
        self.put(batch, keys::UNDO, &keys::height(height), crate::encode(&touched));
    }

    fn remove_block(&self, batch: &mut WriteBatch, height: Height, block: &Block) -> Result<(), StoreError> {
        let at = keys::height(height);
        let touched: Vec<[u8; 32]> = self.need(keys::UNDO, &at)?;
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

    /// Writes a batch with a new head, atomically and durably; returns its size in bytes.
    pub fn write(&self, mut batch: WriteBatch, head: Hash) -> Result<u64, StoreError> {
        self.put(&mut batch, keys::META, keys::HEAD, head.0.to_vec());
        let size = batch.size_in_bytes() as u64;
        self.write_synced(batch)?;
        Ok(size)
    }

    /// Writes a batch atomically and durably.
    pub fn write_synced(&self, batch: WriteBatch) -> Result<(), StoreError> {
        let mut options = WriteOptions::default();
        options.set_sync(true);
        Ok(self.rocks.write_opt(batch, &options)?)
    }
}
