//! Rewriting all tables, when an operator asks: what was taken back or overwritten is gone from them afterwards.

use super::{Progress, Store, StoreError, keys};
use rocksdb::{BottommostLevelCompaction, CompactOptions};

impl Store {
    /// Writes the log into tables and merges those of each family into as few as can be. What is stored stays the same.
    ///
    /// # Errors
    /// [`StoreError::NoRoom`] with less free space than the tables take, since the old ones go only when the new ones are
    /// there; or when the storage fails or is damaged. Then nothing is lost.
    pub fn compact(&self, tell: &mut dyn FnMut(Progress)) -> Result<(), StoreError> {
        self.flush()?;
        let needed = self.families()?.iter().map(|family| family.table_bytes).sum();
        let free = self.space()?.free;
        if free < needed {
            return Err(StoreError::NoRoom { needed, free });
        }
        self.with_alone(|db| {
            let mut options = CompactOptions::default();
            options.set_bottommost_level_compaction(BottommostLevelCompaction::ForceOptimized);
            for (done, family) in keys::FAMILIES.into_iter().enumerate() {
                tell(Progress { part: "compacting", done: done as u64, of: keys::FAMILIES.len() as u64 });
                db.rocks.compact_range_cf_opt(db.family(family), None::<&[u8]>, None::<&[u8]>, &options);
                // The call above returns nothing: a failure shows here.
                db.settle()?;
            }
            match db.statistic("rocksdb.background-errors") {
                0 => Ok(()),
                _ => Err(StoreError::Corrupt("a table could not be read or written".into())),
            }
        })
    }
}
