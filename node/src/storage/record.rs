//! Values with their checksum: what is stored is the value and four bytes of CRC-32 over family, key and value.
//!
//! RocksDB has checksums of its blocks. This one goes with the value from the code that made it to the code that reads it:
//! it also notices a value that was read of another key, and damage in memory on the way to the disk.

use super::{StoreError, db::damaged};

/// Bytes of the checksum.
const CHECKSUM_BYTES: usize = 4;

fn checksum(family: &str, key: &[u8], value: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut hasher = crc32fast::Hasher::new();
    for part in [family.as_bytes(), key] {
        hasher.update(&(part.len() as u32).to_le_bytes());
        hasher.update(part);
    }
    hasher.update(value);
    hasher.finalize().to_le_bytes()
}

/// What is stored for a value.
pub fn seal(family: &str, key: &[u8], mut value: Vec<u8>) -> Vec<u8> {
    let checksum = checksum(family, key, &value);
    value.extend(checksum);
    value
}

/// The value of what is stored.
///
/// # Errors
/// [`StoreError::Damaged`] when it is not what was written for this key.
pub fn unseal(family: &'static str, key: &[u8], mut stored: Vec<u8>) -> Result<Vec<u8>, StoreError> {
    let damaged = |cause| damaged(family, key, cause);
    let len = stored.len().checked_sub(CHECKSUM_BYTES).ok_or_else(|| damaged("it is too short for a checksum"))?;
    if stored[len..] != checksum(family, key, &stored[..len]) {
        return Err(damaged("its checksum is wrong"));
    }
    stored.truncate(len);
    Ok(stored)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_and_every_other_key_is_noticed() {
        let stored = seal("blocks", b"key", b"value".to_vec());
        assert_eq!(unseal("blocks", b"key", stored.clone()).expect("it is whole"), b"value");
        for bit in 0..stored.len() * 8 {
            let mut flipped = stored.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(unseal("blocks", b"key", flipped).is_err(), "bit {bit}");
        }
        assert!(unseal("blocks", b"kez", stored.clone()).is_err());
        assert!(unseal("block", b"skey", stored.clone()).is_err());
        let error = unseal("blocks", b"key", b"abc".to_vec()).expect_err("it is no record").to_string();
        assert_eq!(error, "the value of 6b6579 in blocks is damaged: it is too short for a checksum");
    }
}
