//! Bits that flip in a node's files at rest.

use super::machine::{Machine, files};
use crate::TestnetError;
use assay_scenarios::{FileKind as Kind, Files};
use assay_sim::{
    disk::FileKind,
    entropy::{self, Stream},
};
use std::{
    fs::File,
    io,
    os::unix::fs::{FileExt, MetadataExt},
    path::PathBuf,
};

/// A byte of a file that was damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rotten {
    pub path: PathBuf,
    /// The byte's place in it.
    pub offset: u64,
    /// What it was made.
    value: u8,
    /// Which file it was; another may have its name since.
    inode: u64,
}

impl Rotten {
    /// Whether the byte is still as the damage left it. A file that is gone has taken its damage along.
    pub fn is_still_there(&self) -> bool {
        let look = || -> io::Result<bool> {
            let file = File::open(&self.path)?;
            let mut byte = [0];
            file.read_exact_at(&mut byte, self.offset)?;
            Ok(file.metadata()?.ino() == self.inode && byte[0] == self.value)
        };
        look().unwrap_or(false)
    }
}

/// Flips `bits` bits in the files of these kinds, each bit of them as likely as any other. Fewer than wanted where there
/// are no such bytes.
///
/// # Errors
/// When the system refuses.
pub(crate) fn rot(
    machine: &Machine,
    kinds: &Files,
    bits: u32,
    stream: &mut Stream,
) -> Result<Vec<Rotten>, TestnetError> {
    let is_backup = matches!(kinds, Files::Kinds(kinds) if kinds.iter().eq([&Kind::Backup]));
    let dir = if is_backup { &machine.backups } else { &machine.database };
    let failed = || TestnetError::system(format!("cannot damage files of {}", dir.display()));
    let found = files(dir, |name| is_of(kinds, name)).map_err(failed())?;
    let total: u64 = found.iter().map(|(_, len)| len).sum();
    let mut rotten = Vec::new();
    while total > 0 && rotten.len() < bits as usize {
        let mut offset = entropy::below(stream, total);
        let Some((path, _)) = found.iter().find(|(_, len)| {
            let is_here = offset < *len;
            offset -= if is_here { 0 } else { *len };
            is_here
        }) else {
            break;
        };
        let bit = entropy::below(stream, 8) as u32;
        rotten.push(flip(path.clone(), offset, bit).map_err(failed())?);
    }
    Ok(rotten)
}

fn flip(path: PathBuf, offset: u64, bit: u32) -> io::Result<Rotten> {
    let file = File::options().read(true).write(true).open(&path)?;
    let mut byte = [0];
    file.read_exact_at(&mut byte, offset)?;
    byte[0] ^= 1 << bit;
    file.write_all_at(&byte, offset)?;
    file.sync_data()?;
    Ok(Rotten { offset, value: byte[0], inode: file.metadata()?.ino(), path })
}

fn is_of(kinds: &Files, name: &str) -> bool {
    let found = FileKind::of(name);
    match kinds {
        Files::All => true,
        Files::Kinds(kinds) => kinds.iter().any(|kind| {
            found
                == match kind {
                    Kind::Wal => FileKind::Wal,
                    Kind::Sst => FileKind::Sst,
                    Kind::Manifest => FileKind::Manifest,
                    Kind::Current => FileKind::Current,
                    Kind::Backup => FileKind::Backup,
                }
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_node::native::home::Home;

    #[test]
    fn bits_flip_in_the_files_that_are_meant() {
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        let machine = Machine::new(
            Home::new(folder.path()).expect("there is a working directory"),
            folder.path().to_owned(),
            folder.path().join("backups"),
            None,
        );
        std::fs::create_dir(&machine.database).expect("the folder is ours");
        let write = |name: &str| std::fs::write(machine.database.join(name), [0; 100]).expect("the folder is ours");
        ["000001.sst", "000002.sst", "000003.log", "CURRENT"].into_iter().for_each(write);
        let mut stream = entropy::stream(3, "rot", "n0");
        let hit = rot(&machine, &Files::Kinds([Kind::Sst].into()), 5, &mut stream).expect("the files are ours");
        assert_eq!(hit.len(), 5);
        assert!(hit.iter().all(|rotten| rotten.path.extension().is_some_and(|end| end == "sst")), "{hit:?}");
        assert!(hit.iter().any(Rotten::is_still_there));
        for name in ["000001.sst", "000002.sst"] {
            std::fs::remove_file(machine.database.join(name)).expect("it is there");
            write(name);
        }
        assert!(!hit.iter().any(Rotten::is_still_there), "these are other files");
        let none = rot(&machine, &Files::Kinds([Kind::Manifest].into()), 5, &mut stream).expect("the files are ours");
        assert_eq!(none, []);
    }
}
