//! Files without their names: bytes, which of them are durable, and how many hold on to them.

use std::{collections::BTreeMap, time::Duration};

/// A file's number on its disk; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number(u64);

/// A file.
#[derive(Default)]
pub struct Inode {
    bytes: Vec<u8>,
    durable: Durable,
    /// Where the pending bytes begin: those that the next sync writes. With [`Durable::Prefix`] it is that length.
    clean: usize,
    modified: Duration,
    holders: u64,
}

/// What a power cut leaves of a file. Nearly all files are only appended to, so a length says it without a copy.
enum Durable {
    /// The first so many of the present bytes.
    Prefix(usize),
    /// Bytes that the present ones no longer begin with.
    Copy(Vec<u8>),
}

impl Default for Durable {
    fn default() -> Self {
        Self::Prefix(0)
    }
}

impl Inode {
    /// The bytes as a reader sees them.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The time of the last change.
    pub fn modified(&self) -> Duration {
        self.modified
    }

    /// Adds bytes at the end; returns where they start.
    pub fn append(&mut self, data: &[u8], now: Duration) -> u64 {
        let offset = self.bytes.len() as u64;
        self.bytes.extend_from_slice(data);
        self.modified = now;
        offset
    }

    /// Adds zeros at the end, and writes `data`, for which they stand, at `at` over bytes that were there before: so
    /// does a disk that takes a wrong address. What is hit changes in what is read and in what is durable, where it is
    /// durable. What would run beyond the old end is lost. Returns how many bytes were hit.
    pub fn misdirect(&mut self, data: &[u8], at: u64, now: Duration) -> u64 {
        let end = self.bytes.len();
        let at = (at as usize).min(end);
        let hit = data.len().min(end - at);
        self.bytes[at..at + hit].copy_from_slice(&data[..hit]);
        if let Durable::Copy(durable) = &mut self.durable
            && at < durable.len()
        {
            let hit = hit.min(durable.len() - at);
            durable[at..at + hit].copy_from_slice(&data[..hit]);
        }
        self.bytes.resize(end + data.len(), 0);
        self.modified = now;
        hit as u64
    }

    /// Cuts the file, or fills it up with zeros.
    pub fn truncate(&mut self, len: u64, now: Duration) {
        let len = len as usize;
        if let Durable::Prefix(durable) = self.durable
            && len < durable
        {
            self.durable = Durable::Copy(self.bytes[..durable].to_vec());
        }
        self.clean = self.clean.min(len);
        self.bytes.resize(len, 0);
        self.modified = now;
    }

    /// Makes the present bytes durable; returns how many were not.
    pub fn sync(&mut self) -> u64 {
        let pending = match &mut self.durable {
            Durable::Prefix(durable) => self.bytes.len() - *durable,
            Durable::Copy(durable) => {
                durable.resize(self.clean, 0);
                durable.extend_from_slice(&self.bytes[self.clean..]);
                self.bytes.len()
            }
        };
        // After a failed sync the copy may differ for ever.
        if !matches!(&self.durable, Durable::Copy(durable) if *durable != self.bytes) {
            self.durable = Durable::Prefix(self.bytes.len());
        }
        self.clean = self.bytes.len();
        pending as u64
    }

    /// A sync that fails as Linux lets it: nothing becomes durable, and the pending bytes count as clean, so that no
    /// later sync writes them. Where one writes bytes behind them, a power cut leaves zeros in their place.
    pub fn fail_sync(&mut self) {
        if let Durable::Prefix(durable) = self.durable
            && durable < self.bytes.len()
        {
            self.durable = Durable::Copy(self.bytes[..durable].to_vec());
        }
        self.clean = self.bytes.len();
    }

    /// Bytes that were added and not synced.
    pub fn pending(&self) -> u64 {
        (self.bytes.len() - self.clean) as u64
    }

    /// Of the pending bytes the first `keep` reach the medium, as when power fails during the write. Returns where
    /// they start; none, and nothing changes, if the file was cut and that is not durable.
    pub fn tear(&mut self, keep: u64) -> Option<u64> {
        let (start, end) = (self.clean, self.clean + (keep as usize).min(self.bytes.len() - self.clean));
        match &mut self.durable {
            Durable::Prefix(durable) => *durable = end,
            Durable::Copy(durable) if durable.len() > start => return None,
            Durable::Copy(durable) => {
                if end > start {
                    durable.resize(start, 0);
                    durable.extend_from_slice(&self.bytes[start..end]);
                }
            }
        }
        self.clean = end;
        Some(start as u64)
    }

    /// Flips a bit (0 to 7) of the byte at `offset`, in what is read and in what is durable. False if there is none.
    pub fn flip(&mut self, offset: u64, bit: u32) -> bool {
        let (offset, mask) = (offset as usize, 1_u8.checked_shl(bit).unwrap_or(0));
        if offset >= self.bytes.len() || mask == 0 {
            return false;
        }
        self.bytes[offset] ^= mask;
        if let Durable::Copy(durable) = &mut self.durable
            && let Some(byte) = durable.get_mut(offset)
        {
            *byte ^= mask;
        }
        true
    }

    /// Flips a bit in each `every` bytes: in that of the piece that `draw` gives for the piece's length, the bit that it
    /// gives for 8. Returns how many.
    pub fn scramble(&mut self, every: usize, mut draw: impl FnMut(u64) -> u64) -> u64 {
        let pieces = (0..self.bytes.len()).step_by(every);
        for start in pieces.clone() {
            let piece = every.min(self.bytes.len() - start) as u64;
            let offset = start as u64 + draw(piece);
            self.flip(offset, draw(8) as u32);
        }
        pieces.count() as u64
    }

    /// Cuts the file on the medium itself: what is read and what is durable.
    pub fn lose_tail(&mut self, len: u64) {
        let len = len as usize;
        self.bytes.truncate(len);
        self.clean = self.clean.min(len);
        match &mut self.durable {
            Durable::Prefix(durable) => *durable = (*durable).min(len),
            Durable::Copy(durable) => durable.truncate(len),
        }
    }

    fn power_cut(&mut self) {
        match std::mem::take(&mut self.durable) {
            Durable::Prefix(durable) => self.bytes.truncate(durable),
            Durable::Copy(bytes) => self.bytes = bytes,
        }
        self.durable = Durable::Prefix(self.bytes.len());
        self.clean = self.bytes.len();
    }
}

/// All files of a disk. A file goes when nothing holds it: no name, no durable name, no handle.
#[derive(Default)]
pub struct Inodes {
    files: BTreeMap<Number, Inode>,
    next: u64,
}

impl Inodes {
    /// A new file with one holder.
    pub fn add(&mut self, now: Duration) -> Number {
        let number = Number(self.next);
        self.next += 1;
        self.files.insert(number, Inode { modified: now, holders: 1, ..Inode::default() });
        number
    }

    /// One holder more.
    pub fn hold(&mut self, number: Number) {
        self.get_mut(number).holders += 1;
    }

    /// One holder less.
    pub fn release(&mut self, number: Number) {
        let inode = self.get_mut(number);
        inode.holders -= 1;
        if inode.holders == 0 {
            self.files.remove(&number);
        }
    }

    /// A file that is held.
    pub fn get(&self, number: Number) -> &Inode {
        self.files.get(&number).expect("a held file exists")
    }

    /// The same, for changes.
    pub fn get_mut(&mut self, number: Number) -> &mut Inode {
        self.files.get_mut(&number).expect("a held file exists")
    }

    /// All files go back to their durable bytes.
    pub fn power_cut(&mut self) {
        self.files.values_mut().for_each(Inode::power_cut);
    }
}
