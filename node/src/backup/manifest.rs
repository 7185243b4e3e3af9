//! What an archive says of itself.

use super::{CHUNK_BYTES, chunk::HEADER_BYTES};
use crate::{
    crypto::Hash,
    types::{ChainId, Height, Timestamp},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The form of archives that this release writes, and reads.
pub const FORMAT: u32 = 1;
/// Files of an archive, at most: tables of megabytes, so a database of terabytes has fewer.
pub const FILES_MAX: usize = 100_000;
/// Bytes of a manifest, at most: [`FILES_MAX`] files of some 170 bytes each.
pub const MANIFEST_BYTES_MAX: u64 = 32 << 20;
/// Bytes of a file's name, at most: RocksDB's own have some twenty.
const NAME_BYTES_MAX: usize = 64;

/// What an archive says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// The node's wall clock when the database was as it is here.
    pub created: Timestamp,
    /// The chain.
    pub chain_id: ChainId,
    /// The chain's first block.
    pub genesis: Hash,
    /// The schema of the database.
    pub schema: u32,
    /// The last block in it.
    pub head: ManifestHead,
    /// The release that made it.
    pub release: String,
    /// The database's files, in the order of their contents.
    pub files: Vec<FileRecord>,
}

/// The last block of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestHead {
    /// Its height.
    pub height: Height,
    /// Its identifier.
    pub hash: Hash,
}

/// A file of the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRecord {
    /// Its name within the database's directory.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// What it takes in the archive.
    pub stored_bytes: u64,
    /// SHA-256 of its contents.
    pub sha256: Hash,
}

/// A backup, without its list of files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackupInfo {
    /// The archive's name in its directory.
    pub name: String,
    /// The archive's size.
    pub bytes: u64,
    /// The node's wall clock when the chain was as it is in it.
    pub created: Timestamp,
    /// The chain.
    pub chain_id: ChainId,
    /// The chain's first block.
    pub genesis: Hash,
    /// The schema of the database.
    pub schema: u32,
    /// Height of the last block in it.
    pub height: Height,
    /// Identifier of the last block in it.
    pub hash: Hash,
    /// The release that made it.
    pub release: String,
    /// Files of the database.
    pub files: u64,
    /// Bytes of those files.
    pub content_bytes: u64,
}

impl Manifest {
    /// Bytes of all files.
    pub fn content_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// The backup that is in an archive of this manifest.
    pub fn info(&self, name: &str, bytes: u64) -> BackupInfo {
        BackupInfo {
            name: name.to_owned(),
            bytes,
            created: self.created,
            chain_id: self.chain_id.clone(),
            genesis: self.genesis,
            schema: self.schema,
            height: self.head.height,
            hash: self.head.hash,
            release: self.release.clone(),
            files: self.files.len() as u64,
            content_bytes: self.content_bytes(),
        }
    }

    /// Checks all that can be checked without the contents. The error says what is wrong.
    pub(super) fn check(&self, contents_stored: u64) -> Result<(), String> {
        if self.format != FORMAT {
            return Err(format!("has format {}, and this release knows {FORMAT}", self.format));
        }
        if self.files.len() > FILES_MAX {
            return Err(format!("lists {} files, and {FILES_MAX} are the most", self.files.len()));
        }
        let mut stored = Some(0_u64);
        let mut content = Some(0_u64);
        for FileRecord { name, bytes, stored_bytes, .. } in &self.files {
            if !is_database_file(name) {
                return Err(format!(
                    "lists {:?}, which is no file of a database",
                    name.chars().take(80).collect::<String>()
                ));
            }
            let headers = bytes.div_ceil(CHUNK_BYTES as u64) * HEADER_BYTES as u64;
            if *stored_bytes < headers || bytes.checked_add(headers).is_none_or(|most| *stored_bytes > most) {
                return Err(format!("gives {name} {stored_bytes} stored bytes for {bytes}"));
            }
            stored = stored.and_then(|sum| sum.checked_add(*stored_bytes));
            content = content.and_then(|sum| sum.checked_add(*bytes));
        }
        if stored != Some(contents_stored) || content.is_none() {
            return Err("lists files of another length than is there".to_owned());
        }
        if self.files.windows(2).any(|pair| pair[0].name >= pair[1].name) {
            return Err("does not list each file once, in order".to_owned());
        }
        if !self.files.iter().any(|file| file.name == "CURRENT") {
            return Err("lists no CURRENT, without which there is no database".to_owned());
        }
        Ok(())
    }
}

/// Whether a database needs a file of this name. Its lock, log lines and list of options it makes itself. No other name can
/// be in an archive, so none leads out of the directory that it is restored to.
pub fn is_database_file(name: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    let numbered = name.strip_prefix("MANIFEST-").or(name.strip_suffix(".sst")).or(name.strip_suffix(".log"));
    name.len() <= NAME_BYTES_MAX && (name == "CURRENT" || numbered.is_some_and(is_number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_database_alone_are_taken() {
        for name in ["CURRENT", "MANIFEST-000005", "000004.log", "000008.sst"] {
            assert!(is_database_file(name), "{name}");
        }
        for name in [
            "LOCK",
            "LOG",
            "OPTIONS-000007",
            "",
            ".",
            "..",
            "../1.sst",
            "a/1.sst",
            "/1.sst",
            ".sst",
            "1.sst ",
            "MANIFEST-",
        ] {
            assert!(!is_database_file(name), "{name}");
        }
        assert!(!is_database_file(&format!("{}.sst", "1".repeat(100))));
    }

    #[test]
    fn a_manifest_that_cannot_be_is_refused() {
        let file = |name: &str, bytes, stored_bytes| FileRecord {
            name: name.to_owned(),
            bytes,
            stored_bytes,
            sha256: Hash([0; 32]),
        };
        let whole = Manifest {
            format: FORMAT,
            created: Timestamp(1),
            chain_id: "test".parse().expect("it is a chain id"),
            genesis: Hash([1; 32]),
            schema: 2,
            head: ManifestHead { height: Height(3), hash: Hash([2; 32]) },
            release: "0.1.0".into(),
            files: vec![file("000004.sst", 100, 60), file("CURRENT", 16, 24)],
        };
        assert_eq!(whole.check(84), Ok(()));
        let refusal = |change: &dyn Fn(&mut Manifest)| {
            let mut manifest = whole.clone();
            change(&mut manifest);
            manifest.check(84).expect_err("it cannot be")
        };
        insta::assert_snapshot!(refusal(&|m| m.format = 2), @"has format 2, and this release knows 1");
        insta::assert_snapshot!(refusal(&|m| m.files[0].name = "../x".into()), @r#"lists "../x", which is no file of a database"#);
        insta::assert_snapshot!(refusal(&|m| m.files[0].bytes = 1), @"gives 000004.sst 60 stored bytes for 1");
        insta::assert_snapshot!(refusal(&|m| m.files[0].bytes = u64::MAX), @"gives 000004.sst 60 stored bytes for 18446744073709551615");
        insta::assert_snapshot!(refusal(&|m| m.files[0].stored_bytes = 61), @"lists files of another length than is there");
        insta::assert_snapshot!(refusal(&|m| m.files.swap(0, 1)), @"does not list each file once, in order");
        insta::assert_snapshot!(refusal(&|m| m.files[1].name = "000005.sst".into()), @"lists no CURRENT, without which there is no database");
        insta::assert_snapshot!(refusal(&|m| m.files = vec![file("CURRENT", 0, 0); FILES_MAX + 1]), @"lists 100001 files, and 100000 are the most");
    }
}
