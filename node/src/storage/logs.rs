//! Whether RocksDB will read its logs to their end: the write-ahead log and the manifest, which have one form.
//!
//! A log is a row of blocks of 32 KiB. A record never crosses the end of one: it is whole (FULL) or in parts (FIRST, MIDDLE,
//! LAST), each with a header of CRC-32C, length and type.
//!
//! RocksDB believes a header before it has compared the checksum. In the last block, a length that is too great by a flipped
//! bit is to it what a crash leaves in the middle of a write: it ends the log there, without a word, and all commits behind
//! are gone. A type that is, by a flipped bit, one of a recycled log makes it read the same record for ever. Both are looked
//! for here before RocksDB sees the files.
//!
//! **What tells damage from a crash.** A record is synced before the next one is begun. So when one is broken and another
//! begins behind it, the broken one was whole once. And so was one that says that it goes on behind the end of the file, when
//! its checksum is that of what is there. Any other last record that is cut cannot be told from one that was never synced.

use super::StoreError;
use crate::seams::Files;
use std::{io, path::Path};

const BLOCK_BYTES: u64 = 32 * 1024;
const HEADER_BYTES: usize = 7;
/// A longer file is no CURRENT.
const CURRENT_BYTES_MAX: usize = 256;

const FULL: u8 = 1;
const FIRST: u8 = 2;
/// Types of records in a log that is written over an old one. Logs here never are.
const RECYCLED: [u8; 6] = [5, 6, 7, 8, 11, 131];

/// What a log is to RocksDB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogState {
    /// It reads it to its end, or says that it cannot.
    Readable,
    /// It may leave out what was synced, without a word.
    Shortened(String),
    /// It may never be done.
    Endless(String),
}

impl LogState {
    /// Refuses a log that is damaged.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub fn demand_readable(self) -> Result<(), StoreError> {
        match self {
            Self::Readable => Ok(()),
            Self::Shortened(cause) | Self::Endless(cause) => Err(StoreError::Corrupt(cause)),
        }
    }
}

/// The state of all logs of the database in `dir`: the worst one's.
///
/// # Errors
/// When one cannot be read.
pub fn look(files: &dyn Files, dir: &Path) -> Result<LogState, StoreError> {
    let mut worst = LogState::Readable;
    let manifest = match files.read(&dir.join("CURRENT"), 0, CURRENT_BYTES_MAX) {
        Ok(name) => String::from_utf8_lossy(&name).trim().to_owned(),
        // RocksDB says what is wrong with it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(worst),
        Err(error) => return Err(StoreError::file(&dir.join("CURRENT"))(error)),
    };
    for entry in files.list(dir).map_err(StoreError::file(dir))? {
        if entry.is_dir || !(entry.name == manifest || entry.name.ends_with(".log")) {
            continue;
        }
        let path = dir.join(&entry.name);
        let state = match look_at(files, &path, entry.len) {
            Ok(state) => state,
            // A node that has it open is done with it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(StoreError::file(&path)(error)),
        };
        match state {
            LogState::Endless(_) => return Ok(state),
            LogState::Shortened(_) => worst = state,
            LogState::Readable => {}
        }
    }
    Ok(worst)
}

fn look_at(files: &dyn Files, path: &Path, len: u64) -> io::Result<LogState> {
    let name = path.file_name().unwrap_or_default().display();
    let mut broken = None;
    let mut offset = 0;
    while offset < len {
        let block = files.read(path, offset, BLOCK_BYTES.min(len - offset) as usize)?;
        let mut at = 0;
        while let Some(rest) = block.get(at..).filter(|rest| rest.len() >= HEADER_BYTES) {
            let place = offset + at as u64;
            match (Part::of(rest), broken) {
                (Part::Recycled, None) => {
                    let text = format!("{name} has a record at byte {place} of a type that no log here has");
                    return Ok(LogState::Endless(text));
                }
                (Part::Lengthened, None) => {
                    let text = format!("{name} has a record at byte {place} that says that it is longer than it is");
                    return Ok(LogState::Shortened(text));
                }
                (Part::Whole { begins: true, .. }, Some(broken)) => {
                    let text = format!("{name} has a broken record at byte {broken}, and a whole one behind it");
                    return Ok(LogState::Shortened(text));
                }
                (Part::Whole { bytes, .. }, _) => at += bytes,
                (Part::Broken, None) => {
                    broken = Some(place);
                    at += 1;
                }
                // Behind what is broken in this block, a record may begin anywhere; in a later one, at its start.
                (_, Some(broken)) if broken >= offset => at += 1,
                (_, Some(_)) => break,
            }
        }
        offset += BLOCK_BYTES;
    }
    Ok(LogState::Readable)
}

/// What stands at a place of a block.
enum Part {
    /// A record or a part of one, with the right checksum.
    Whole { bytes: usize, begins: bool },
    /// A record of a recycled log, by its type.
    Recycled,
    /// A record that is whole, but for a length that is too great.
    Lengthened,
    /// Nothing that was written like this.
    Broken,
}

impl Part {
    fn of(rest: &[u8]) -> Self {
        let (header, payload) = rest.split_at(HEADER_BYTES);
        let [c0, c1, c2, c3, l0, l1, kind] = header.try_into().expect("it was split there");
        if RECYCLED.contains(&kind) {
            return Self::Recycled;
        }
        let len = usize::from(u16::from_le_bytes([l0, l1]));
        let expected = u32::from_le_bytes([c0, c1, c2, c3]);
        match payload.get(..len) {
            Some(payload) if kind != 0 && masked_crc(kind, payload) == expected => {
                Self::Whole { bytes: HEADER_BYTES + len, begins: kind == FULL || kind == FIRST }
            }
            None if kind != 0 && masked_crc(kind, payload) == expected => Self::Lengthened,
            _ => Self::Broken,
        }
    }
}

/// The checksum as RocksDB stores it, so that one over data with checksums in it is not weak.
fn masked_crc(kind: u8, payload: &[u8]) -> u32 {
    let crc = !payload.iter().fold(step(!0, kind), |crc, byte| step(crc, *byte));
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

fn step(crc: u32, byte: u8) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut at = 0;
        while at < 256 {
            let mut value = at as u32;
            let mut bit = 0;
            while bit < 8 {
                // Castagnoli's polynomial, reversed.
                value = if value & 1 == 1 { (value >> 1) ^ 0x82f6_3b78 } else { value >> 1 };
                bit += 1;
            }
            table[at] = value;
            at += 1;
        }
        table
    };
    (crc >> 8) ^ TABLE[usize::from(crc as u8 ^ byte)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_castagnolis() {
        // RFC 3720, B.4: 32 bytes of zeros.
        let crc = !(0..32).fold(!0, |crc, _| step(crc, 0));
        assert_eq!(crc, 0x8a91_36aa);
    }
}
