//! What an operator does to a node's data, before it starts or while it runs.

use super::spec::{BACKUPS, NodeSpec};
use assay_node::{
    NodeView,
    backup::{self, Folder, Mode, Target},
    seams::Disk,
    storage::SCHEMA_VERSION,
};
use rocksdb::{DB, Options, WriteOptions};
use std::path::Path;

/// Something that is done on the node's machine before its process starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chore {
    /// Nothing.
    None,
    /// `assay-node backup restore` of the newest backup.
    Restore,
    /// A newer release has worked with the database: its schema version is raised.
    MarkNewer,
    /// The mark is taken back.
    UnmarkNewer,
}

impl Chore {
    pub(super) fn run(self, disk: &Disk, spec: &NodeSpec) -> Result<(), String> {
        match self {
            Self::None => Ok(()),
            Self::Restore => restore(disk, spec),
            Self::MarkNewer => mark(disk, &spec.config.storage.path, SCHEMA_VERSION + 1),
            Self::UnmarkNewer => mark(disk, &spec.config.storage.path, SCHEMA_VERSION),
        }
    }
}

/// Makes a backup of a running node; returns what was made, in words.
pub(super) async fn back_up(view: &NodeView) -> Result<String, String> {
    let made = view.backup().await.map_err(|error| error.to_string())?;
    Ok(format!("a backup of height {} is made", made.height))
}

/// Puts the newest backup in the place of the database.
fn restore(disk: &Disk, spec: &NodeSpec) -> Result<(), String> {
    let folder = Folder::new(disk.files.clone(), BACKUPS.into());
    let listing = folder.list().map_err(|error| error.to_string())?;
    let newest = listing.backups.first().ok_or("there is no backup")?;
    let (database, settings) = (&spec.config.storage.path, spec.config.storage_settings());
    let target = Target { disk, database, genesis: &spec.genesis, settings };
    backup::restore(target, &folder.dir().join(&newest.name), Mode::Replace, &mut |_| ())
        .map(drop)
        .map_err(|error| error.to_string())
}

/// Writes the record of the schema version into the database at `path`, which nobody has open. Its form is the same in every
/// schema.
///
/// # Errors
/// What RocksDB says.
pub fn mark(disk: &Disk, path: &Path, schema: u32) -> Result<(), String> {
    let mut options = Options::default();
    options.set_env(&disk.env);
    let text = |error: rocksdb::Error| error.to_string();
    let families = DB::list_cf(&options, path).map_err(text)?;
    let database = DB::open_cf(&options, path, families).map_err(text)?;
    let meta = database.cf_handle("meta").ok_or("the database has no family named meta")?;
    let mut synced = WriteOptions::default();
    synced.set_sync(true);
    database.put_cf_opt(meta, b"schema", schema.to_le_bytes(), &synced).map_err(text)
}
