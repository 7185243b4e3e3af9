//! Backups: the database as it was at one moment, in one file that says what it is.
//!
//! ```text
//!   ASSAYBAK | chunks of the first file | chunks of the second | ... | manifest | footer
//!
//!   manifest  JSON: format, time, chain id, genesis, schema, head, release; of each file name, lengths and SHA-256
//!   footer    u64 length of the manifest | SHA-256 of the manifest | SHA-256 of all before | BACKUPOK
//! ```
//!
//! A chunk is [`CHUNK_BYTES`] of a file, or what is left of it, with a checksum of its own (`chunk`), compressed by itself.
//! So every byte is under some checksum, and one that was altered is refused with the name of the file that it belongs to.
//!
//! **Consistent.** What is archived is a checkpoint of the open database (`storage::checkpoint`), made while no commit can
//! come in between; the manifest's head is read under the same lock. Blocks go on being committed while it is archived.
//!
//! **Atomic.** An archive is written under another name and gets its own when all of it is durable ([`folder`]). One that was
//! cut off is never listed.
//!
//! **Bounded.** Memory by a few chunks; names by what a database's files are called, so that none leads anywhere else; the
//! manifest by [`MANIFEST_BYTES_MAX`] and [`FILES_MAX`]; the disk by the reserve that a backup leaves.
//!
//! **What it cannot do.** An archive holds what the disk gave. Damage that RocksDB would find when it reads a table is
//! archived with it, and found by the check at the restore, which reads everything: so restore from time to time. Its digests
//! are against accidents: whoever can write the archive can write a right one of another chain state, up to the genesis.
//!
//! Everything here goes through the disk seam and blocks.

mod chunk;
mod copy;
mod create;
pub mod folder;
mod manifest;
mod reader;
mod restore;
#[cfg(test)]
mod tests;
mod writer;

pub use copy::copy;
pub use create::{BackupError, Creation, Terms, create};
pub use folder::{Folder, Keep, Listing};
pub use manifest::{BackupInfo, FILES_MAX, FORMAT, FileRecord, MANIFEST_BYTES_MAX, Manifest, ManifestHead};
pub use reader::{Archive, ArchiveError, Contents, Piece};
pub use restore::{Mode, Progress, RestoreError, Restored, Target, restore};

/// Bytes of a file that are compressed and written together: enough for LZ4 to find what repeats, and little memory.
pub const CHUNK_BYTES: usize = 1 << 20;
