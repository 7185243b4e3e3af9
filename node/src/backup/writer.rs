//! Writing an archive, from its first byte to its last.

use super::{CHUNK_BYTES, FileRecord, Manifest, chunk, reader::Footer, reader::MAGIC};
use crate::{crypto::Hash, seams::Appender};
use sha2::{Digest, Sha256};
use std::io;

/// An archive that is being written. What was written of one that is not finished is worth nothing.
pub(super) struct Writer {
    out: Box<dyn Appender>,
    digest: Sha256,
    bytes: u64,
    files: Vec<FileRecord>,
    current: Option<(FileRecord, Sha256)>,
}

impl Writer {
    pub fn new(out: Box<dyn Appender>) -> io::Result<Self> {
        let mut writer = Self { out, digest: Sha256::new(), bytes: 0, files: Vec::new(), current: None };
        writer.append(&MAGIC)?;
        Ok(writer)
    }

    /// Begins the next file. Files come in the order of their names.
    pub fn begin(&mut self, name: &str) {
        assert!(self.current.is_none(), "a file is under way");
        let record = FileRecord { name: name.to_owned(), bytes: 0, stored_bytes: 0, sha256: Hash::default() };
        self.current = Some((record, Sha256::new()));
    }

    /// Adds to the file: [`CHUNK_BYTES`] each time, and what is left the last time.
    pub fn chunk(&mut self, data: &[u8]) -> io::Result<()> {
        let stored = chunk::encode(data);
        self.append(&stored)?;
        let (record, digest) = self.current.as_mut().expect("a file was begun");
        assert!(record.bytes.is_multiple_of(CHUNK_BYTES as u64), "all chunks but the last are whole");
        digest.update(data);
        record.bytes += data.len() as u64;
        record.stored_bytes += stored.len() as u64;
        Ok(())
    }

    /// Ends the file.
    pub fn end(&mut self) {
        let (mut record, digest) = self.current.take().expect("a file was begun");
        record.sha256 = Hash(digest.finalize().into());
        self.files.push(record);
    }

    /// Writes the manifest, into which the files are put, and makes all bytes durable. Gives the archive's length too.
    pub fn finish(mut self, manifest: Manifest) -> io::Result<(Manifest, u64)> {
        assert!(self.current.is_none(), "a file is under way");
        let manifest = Manifest { files: std::mem::take(&mut self.files), ..manifest };
        let text = serde_json::to_vec(&manifest).expect("a manifest has a JSON form");
        self.append(&text)?;
        let mut footer = Footer {
            manifest_bytes: text.len() as u64,
            manifest_sha256: Hash(Sha256::digest(&text).into()),
            archive_sha256: Hash::default(),
        };
        let (covered, _) = footer.encode();
        self.append(&covered)?;
        footer.archive_sha256 = Hash(self.digest.clone().finalize().into());
        let (_, rest) = footer.encode();
        self.append(&rest)?;
        self.out.sync()?;
        Ok((manifest, self.bytes))
    }

    fn append(&mut self, data: &[u8]) -> io::Result<()> {
        self.out.append(data)?;
        self.digest.update(data);
        self.bytes += data.len() as u64;
        Ok(())
    }
}
