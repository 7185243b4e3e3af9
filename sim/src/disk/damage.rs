//! Damage to what a [`Disk`] holds. All but [`Disk::wipe`] may be done while the host is up: an open file shows it to its
//! next reader.

use super::{Change, Disk, DiskError, kind::FileKind, model::normal};
use crate::entropy::{self, Stream};
use std::collections::BTreeSet;

/// The most bits that [`Disk::rot`] flips at once: many more than a program has to find one.
pub const ROT_BITS_MAX: u64 = 4096;

/// [`Disk::scramble`] flips a bit in each so many bytes: at least one even in the shortest of RocksDB's files, `CURRENT`,
/// and several in any record of a manifest.
const SCRAMBLE_EVERY: usize = 16;

const BITS_PER_BYTE: u64 = u8::BITS as u64;

impl Disk {
    /// Flips a bit (0 to 7) of a file at rest: readers see it, and a power cut does not undo it. What RocksDB has in
    /// its caches stays whole.
    ///
    /// # Errors
    /// [`DiskError::NotFound`] without such a file, [`DiskError::BeyondEnd`] without such a byte or bit.
    pub fn flip_bit(&self, path: &str, offset: u64, bit: u32) -> Result<(), DiskError> {
        let (state, path) = (&mut *self.lock(), normal(path));
        if !state.model.named_mut(&path)?.flip(offset, bit) {
            return Err(DiskError::BeyondEnd);
        }
        self.note(&Change { offset, len: u64::from(bit), ..Change::new("flip-bit", &path) });
        Ok(())
    }

    /// Flips `bits` different bits, each bit of all files of these kinds below a directory as likely as the other, and
    /// returns where: path and offset of the byte, in their order. The draws are of a stream of their own for each
    /// `purpose`, and for each time that this is called with it.
    ///
    /// # Errors
    /// [`DiskError::NotFound`] if no file of the kinds has bytes, [`DiskError::BeyondEnd`] if they have fewer bits.
    ///
    /// # Panics
    /// If `bits` is above [`ROT_BITS_MAX`].
    pub fn rot(
        &self,
        dir: &str,
        kinds: &BTreeSet<FileKind>,
        bits: u64,
        purpose: &str,
    ) -> Result<Vec<(String, u64)>, DiskError> {
        assert!(bits <= ROT_BITS_MAX, "{bits} bits to rot at once");
        let (files, mut rng) = {
            let state = &mut *self.lock();
            (state.model.files_of(&normal(dir), kinds), self.next_stream(state, "rot", &format!("/{purpose}")))
        };
        let all = files.iter().map(|(_, len)| len * BITS_PER_BYTE).sum();
        match all {
            0 => return Err(DiskError::NotFound),
            _ if bits > all => return Err(DiskError::BeyondEnd),
            _ => {}
        }
        let mut chosen = BTreeSet::new();
        while (chosen.len() as u64) < bits {
            chosen.insert(entropy::below(&mut rng, all));
        }
        let hit = |bit| {
            let (path, offset) = place(&files, bit / BITS_PER_BYTE);
            self.flip_bit(&path, offset, (bit % BITS_PER_BYTE) as u32).map(|()| (path, offset))
        };
        chosen.into_iter().map(hit).collect()
    }

    /// A file of a kind, the longer the likelier, and the offset of one of its bytes. None if no file of the kind has
    /// any.
    pub fn pick(&self, kind: FileKind, rng: &mut Stream) -> Option<(String, u64)> {
        let files = self.lock().model.files_of("", &[kind].into());
        let all = files.iter().map(|(_, len)| len).sum();
        let byte = entropy::below(rng, all);
        (all > 0).then(|| place(&files, byte))
    }

    /// Flips bits all over a file, so that nothing of it can be trusted; returns how many.
    ///
    /// # Errors
    /// [`DiskError::NotFound`] without such a file.
    pub fn scramble(&self, path: &str, rng: &mut Stream) -> Result<u64, DiskError> {
        let (state, path) = (&mut *self.lock(), normal(path));
        let inode = state.model.named_mut(&path)?;
        let len = inode.scramble(SCRAMBLE_EVERY, |bound| entropy::below(rng, bound));
        self.note(&Change { len, data: inode.bytes(), ..Change::new("scramble", &path) });
        Ok(len)
    }

    /// Cuts the last `bytes` off a file at rest, durable or not.
    ///
    /// # Errors
    /// [`DiskError::NotFound`] without such a file, [`DiskError::BeyondEnd`] if it is shorter.
    pub fn truncate_tail(&self, path: &str, bytes: u64) -> Result<(), DiskError> {
        let (state, path) = (&mut *self.lock(), normal(path));
        let inode = state.model.named_mut(&path)?;
        let len = (inode.bytes().len() as u64).checked_sub(bytes).ok_or(DiskError::BeyondEnd)?;
        inode.lose_tail(len);
        self.note(&Change { offset: len, len: bytes, ..Change::new("truncate-tail", &path) });
        Ok(())
    }

    /// A volume is lost: a directory is gone with all that is in it, to readers and to a power cut. `/` is the whole
    /// disk.
    ///
    /// # Errors
    /// [`DiskError::InUse`] while the host is up, [`DiskError::NotFound`] or [`DiskError::NotADirectory`] if there is no
    /// such directory.
    pub fn wipe(&self, dir: &str) -> Result<(), DiskError> {
        let (state, dir) = (&mut *self.lock(), normal(dir));
        if state.in_use {
            return Err(DiskError::InUse);
        }
        state.model.remove_tree(&dir)?;
        self.note(&Change::new("wipe", &dir));
        Ok(())
    }
}

/// The file in which the byte is that has this number in all files, and its offset there.
fn place(files: &[(String, u64)], mut byte: u64) -> (String, u64) {
    for (path, len) in files {
        if byte < *len {
            return (path.clone(), byte);
        }
        byte -= len;
    }
    unreachable!("the byte is one of theirs")
}
