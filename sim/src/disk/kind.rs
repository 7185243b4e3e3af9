//! Which part of a database a file is, told from its name alone.

/// The kinds of file in a RocksDB directory and beside it, as faults tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// The write-ahead log, `000012.log`.
    Wal,
    /// A table, `000012.sst`.
    Sst,
    /// The list of tables, `MANIFEST-000005`.
    Manifest,
    /// The pointer to the manifest in use, `CURRENT`.
    Current,
    /// The settings that the database was opened with, `OPTIONS-000007`.
    Options,
    /// A backup of the database in one file, `name.backup`, or `name.backup.partial` while it is written.
    Backup,
    /// Anything else: locks, identities, temporary files, directories.
    Other,
}

impl FileKind {
    /// Every kind, for faults that strike any file.
    pub const ALL: [Self; 7] =
        [Self::Wal, Self::Sst, Self::Manifest, Self::Current, Self::Options, Self::Backup, Self::Other];

    /// The kind of the file that `path` names.
    ///
    /// ```
    /// use assay_sim::disk::FileKind;
    /// assert_eq!(FileKind::of("/data/db/000012.log"), FileKind::Wal);
    /// ```
    pub fn of(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path);
        let numbered = |suffix| name.strip_suffix(suffix).is_some_and(is_number);
        match name {
            "CURRENT" => Self::Current,
            _ if numbered(".log") => Self::Wal,
            _ if numbered(".sst") => Self::Sst,
            _ if name.strip_prefix("MANIFEST-").is_some_and(is_number) => Self::Manifest,
            _ if name.starts_with("OPTIONS-") => Self::Options,
            _ if name.ends_with(".backup") || name.ends_with(".backup.partial") => Self::Backup,
            _ => Self::Other,
        }
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::FileKind::{self, *};

    #[test]
    fn names_tell_the_kind() {
        let cases = [
            ("/data/db/000012.log", Wal),
            ("000012.log", Wal),
            ("/data/db/000013.sst", Sst),
            ("/data/db/MANIFEST-000005", Manifest),
            ("/data/db/CURRENT", Current),
            ("/data/db/OPTIONS-000007", Options),
            ("/data/db/OPTIONS-000007.dbtmp", Options),
            ("/data/backups/1200.backup", Backup),
            ("/data/backups/1200.backup.partial", Backup),
            ("/data/backups/1200.partial", Other),
            ("/data/db/000001.dbtmp", Other),
            ("/data/db/LOCK", Other),
            ("/data/db/IDENTITY", Other),
            ("/data/db/.log", Other),
            ("/data/CURRENT/notes.log", Other),
            ("/data/db", Other),
            ("", Other),
        ];
        for (path, kind) in cases {
            assert_eq!(FileKind::of(path), kind, "{path}");
        }
    }
}
