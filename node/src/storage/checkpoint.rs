//! A copy of the database as it is at one moment, in a directory beside it: what a backup is read from.

use super::{Store, StoreError, db::Access, folders, read::StoredHead};
use rocksdb::checkpoint::Checkpoint;
use std::path::PathBuf;

/// Without a flush, whatever the log's size: the checkpoint has the log as well, and commits wait only while it is copied.
const FLUSH_NEVER: u64 = u64::MAX;

impl Store {
    /// Makes a checkpoint, in the place of one that was left over, and gives its directory and the head that it has. No
    /// commit comes in between. Tables are linked where the disk can do that, so it takes little time and space.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`] for a store that is open for reading only, else when the storage fails. What fails of the
    /// checkpoint alone is not noted as trouble of the store.
    pub fn checkpoint(&self) -> Result<(PathBuf, StoredHead), StoreError> {
        self.remove_checkpoint()?;
        let path = folders::checkpoint(&self.path);
        let made = self.with(|db| {
            if db.access != Access::Write {
                return Ok(Err(StoreError::ReadOnly));
            }
            let head = db.head()?;
            let made = Checkpoint::new(&db.rocks)
                .and_then(|checkpoint| checkpoint.create_checkpoint_with_log_size(&path, FLUSH_NEVER));
            Ok(made.map(|()| head).map_err(StoreError::from))
        });
        match made.and_then(|made| made) {
            Ok(head) => Ok((path, head)),
            Err(error) => {
                // It is tried again before the next one.
                let _left_over = self.remove_checkpoint();
                Err(error)
            }
        }
    }

    /// Removes the checkpoint, and what a crash left of one.
    ///
    /// # Errors
    /// The file system's.
    pub fn remove_checkpoint(&self) -> Result<(), StoreError> {
        let path = folders::checkpoint(&self.path);
        folders::remove(&*self.disk.files, &folders::unfinished(&path))?;
        folders::remove(&*self.disk.files, &path)
    }
}
