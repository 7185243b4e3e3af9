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

    /// Cuts the file, or fills it up with zeros.
    pub fn truncate(&mut self, len: u64, now: Duration) {
        let len = len as usize;
        if let Durable::Prefix(durable) = self.durable
            && len < durable
        {
            self.durable = Durable::Copy(self.bytes[..durable].to_vec());
        }
        self.bytes.resize(len, 0);
        self.modified = now;
    }

    /// Makes the present bytes durable; returns how many were not.
    pub fn sync(&mut self) -> u64 {
        let pending = match &self.durable {
            Durable::Prefix(durable) => self.bytes.len() - durable,
            Durable::Copy(_) => self.bytes.len(),
        };
        self.durable = Durable::Prefix(self.bytes.len());
        pending as u64
    }

    fn power_cut(&mut self) {
        match std::mem::take(&mut self.durable) {
            Durable::Prefix(durable) => self.bytes.truncate(durable),
            Durable::Copy(bytes) => self.bytes = bytes,
        }
        self.durable = Durable::Prefix(self.bytes.len());
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
