//! Reading an archive. Nothing of it is believed before its checksum was seen, and whatever is wrong is named.

use super::{CHUNK_BYTES, FileRecord, Manifest, chunk, manifest::MANIFEST_BYTES_MAX};
use crate::{crypto::Hash, seams::Files};
use sha2::{Digest, Sha256};
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The first bytes of an archive.
pub(super) const MAGIC: [u8; 8] = *b"ASSAYBAK";
/// The last bytes of an archive.
const END: [u8; 8] = *b"BACKUPOK";
/// Bytes of the footer: the manifest's length and digest, the archive's digest, [`END`].
const FOOTER_BYTES: u64 = 80;

/// An archive that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The file system refuses.
    #[error("cannot read {path}: {cause}; see that it is there and that this user may read it")]
    Read {
        /// The archive.
        path: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
    /// It does not begin or end as an archive does.
    #[error("{path} is damaged: {cause}; use another backup")]
    Frame {
        /// The archive.
        path: PathBuf,
        /// What is wrong.
        cause: &'static str,
    },
    /// Its manifest is not what was written, or cannot be meant.
    #[error("{path} is damaged: its manifest {cause}; use another backup")]
    Manifest {
        /// The archive.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// The contents of a file are not what was written.
    #[error("{path} is damaged in its file {file}: {cause}; use another backup")]
    File {
        /// The archive.
        path: PathBuf,
        /// The file of the database.
        file: String,
        /// What is wrong.
        cause: &'static str,
    },
}

/// The last bytes of an archive.
pub(super) struct Footer {
    pub manifest_bytes: u64,
    pub manifest_sha256: Hash,
    pub archive_sha256: Hash,
}

impl Footer {
    /// The part that the archive's digest is over as well, and the rest.
    pub fn encode(&self) -> ([u8; 40], [u8; 40]) {
        let (mut covered, mut rest) = ([0; 40], [0; 40]);
        covered[..8].copy_from_slice(&self.manifest_bytes.to_le_bytes());
        covered[8..].copy_from_slice(&self.manifest_sha256.0);
        rest[..32].copy_from_slice(&self.archive_sha256.0);
        rest[32..].copy_from_slice(&END);
        (covered, rest)
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: [u8; FOOTER_BYTES as usize] = bytes.try_into().ok()?;
        let (length, rest) = bytes.split_first_chunk()?;
        let (manifest, rest) = rest.split_first_chunk()?;
        let (archive, end) = rest.split_first_chunk()?;
        let footer = Self {
            manifest_bytes: u64::from_le_bytes(*length),
            manifest_sha256: Hash(*manifest),
            archive_sha256: Hash(*archive),
        };
        (end == END).then_some(footer)
    }
}

/// An archive whose manifest was read and is what was written. Its contents are still to be read.
pub struct Archive {
    files: Arc<dyn Files>,
    path: PathBuf,
    bytes: u64,
    footer: Footer,
    manifest_text: Vec<u8>,
    manifest: Manifest,
}

/// Some of a file of an archive.
pub struct Piece<'a> {
    /// The file.
    pub file: &'a FileRecord,
    /// Its next bytes.
    pub data: Vec<u8>,
    /// Whether they are its last, and all of it is what was written.
    pub is_last: bool,
}

impl Archive {
    /// Reads the manifest of the archive at `path`.
    ///
    /// # Errors
    /// [`ArchiveError`] when it cannot be read, or its frame or its manifest is damaged.
    pub fn open(files: &Arc<dyn Files>, path: &Path) -> Result<Self, ArchiveError> {
        let frame = |cause| ArchiveError::Frame { path: path.to_owned(), cause };
        let failed = |cause| ArchiveError::Read { path: path.to_owned(), cause };
        let bytes = files.entry(path).map_err(failed)?.len;
        if bytes < MAGIC.len() as u64 + FOOTER_BYTES {
            return Err(frame("it is too short for an archive"));
        }
        if files.read(path, 0, MAGIC.len()).map_err(failed)? != MAGIC {
            return Err(frame("it does not begin as an archive does"));
        }
        let footer_at = bytes - FOOTER_BYTES;
        let footer = files.read(path, footer_at, FOOTER_BYTES as usize).map_err(failed)?;
        let footer = Footer::decode(&footer)
            .ok_or_else(|| frame("it does not end as an archive does, so it was cut short, added to or altered"))?;
        let room = footer_at - MAGIC.len() as u64;
        if footer.manifest_bytes > MANIFEST_BYTES_MAX.min(room) {
            return Err(frame("its end says that the manifest is longer than it can be"));
        }
        let manifest_at = footer_at - footer.manifest_bytes;
        let text = files.read(path, manifest_at, footer.manifest_bytes as usize).map_err(failed)?;
        let wrong = |cause| ArchiveError::Manifest { path: path.to_owned(), cause };
        if Sha256::digest(&text)[..] != footer.manifest_sha256.0 {
            return Err(wrong("does not have the digest that the archive's end gives it".to_owned()));
        }
        let manifest: Manifest = serde_json::from_slice(&text).map_err(|error| wrong(format!("is none: {error}")))?;
        manifest.check(manifest_at - MAGIC.len() as u64).map_err(wrong)?;
        Ok(Self { files: files.clone(), path: path.to_owned(), bytes, footer, manifest_text: text, manifest })
    }

    /// What it says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Its length.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Begins to read its contents.
    pub fn contents(&self) -> Contents<'_> {
        let digest = Sha256::new_with_prefix(MAGIC);
        Contents { archive: self, digest, offset: MAGIC.len() as u64, file: 0, file_digest: Sha256::new(), read: 0 }
    }

    /// Reads everything, and says with `progress` how many bytes of the files that are so far.
    ///
    /// # Errors
    /// [`ArchiveError`] with the first damage.
    pub fn verify(&self, progress: &mut dyn FnMut(u64)) -> Result<(), ArchiveError> {
        let (mut contents, mut read) = (self.contents(), 0);
        while let Some(piece) = contents.next_piece()? {
            read += piece.data.len() as u64;
            progress(read);
        }
        Ok(())
    }
}

/// The contents of an archive, as far as they were not read yet.
pub struct Contents<'a> {
    archive: &'a Archive,
    digest: Sha256,
    offset: u64,
    file: usize,
    file_digest: Sha256,
    /// Bytes that were read of the file.
    read: u64,
}

impl<'a> Contents<'a> {
    /// The next piece; none when all was read and the archive is whole.
    ///
    /// # Errors
    /// [`ArchiveError`] with the first damage.
    pub fn next_piece(&mut self) -> Result<Option<Piece<'a>>, ArchiveError> {
        let archive = self.archive;
        let Some(file) = archive.manifest.files.get(self.file) else { return self.end() };
        let left = file.bytes - self.read;
        let data = if left == 0 { Vec::new() } else { self.chunk(file, left.min(CHUNK_BYTES as u64) as usize)? };
        self.file_digest.update(&data);
        self.read += data.len() as u64;
        let is_last = self.read == file.bytes;
        if is_last {
            if std::mem::take(&mut self.file_digest).finalize()[..] != file.sha256.0 {
                return Err(self.damaged(file, "it does not have the digest that the manifest gives it"));
            }
            (self.file, self.read) = (self.file + 1, 0);
        }
        Ok(Some(Piece { file, data, is_last }))
    }

    fn chunk(&mut self, file: &FileRecord, len: usize) -> Result<Vec<u8>, ArchiveError> {
        let cut = "a chunk of it is cut short";
        let header = self.take(chunk::HEADER_BYTES)?;
        let header = header.try_into().map_err(|_| self.damaged(file, cut))?;
        let stored_len = chunk::stored_len(header);
        if stored_len > len {
            return Err(self.damaged(file, "a chunk of it is longer than it can be"));
        }
        let stored = self.take(stored_len)?;
        if stored.len() != stored_len {
            return Err(self.damaged(file, cut));
        }
        chunk::decode(header, stored, len).map_err(|cause| self.damaged(file, cause))
    }

    fn take(&mut self, len: usize) -> Result<Vec<u8>, ArchiveError> {
        let Archive { files, path, .. } = self.archive;
        let failed = |cause| ArchiveError::Read { path: path.clone(), cause };
        let bytes = files.read(path, self.offset, len).map_err(failed)?;
        self.digest.update(&bytes);
        self.offset += bytes.len() as u64;
        Ok(bytes)
    }

    /// All files are right: so must be what is around them.
    fn end(&mut self) -> Result<Option<Piece<'a>>, ArchiveError> {
        let Archive { path, footer, manifest_text, .. } = self.archive;
        let (covered, _) = footer.encode();
        let digest = self.digest.clone().chain_update(manifest_text).chain_update(covered).finalize();
        if digest[..] != footer.archive_sha256.0 {
            let cause = "it does not have the digest that its end gives it";
            return Err(ArchiveError::Frame { path: path.clone(), cause });
        }
        Ok(None)
    }

    fn damaged(&self, file: &FileRecord, cause: &'static str) -> ArchiveError {
        ArchiveError::File { path: self.archive.path.clone(), file: file.name.clone(), cause }
    }
}
