//! One piece of a file as it is stored: compressed by itself, so that memory is bounded whatever a file's size.
//!
//! ```text
//!   u32  bytes that follow the header; the highest bit says that they are not compressed
//!   u32  CRC-32 of the first word and of those bytes
//! ```
//!
//! Both are little-endian. The checksum finds damage in bytes that LZ4 would read as the same data, and names the file.

use super::CHUNK_BYTES;

/// Bytes before the data.
pub const HEADER_BYTES: usize = 8;
/// Of data that gets no smaller, the data itself is stored.
const PLAIN: u32 = 1 << 31;

/// What is stored for `data`, at most [`CHUNK_BYTES`] of it.
pub fn encode(data: &[u8]) -> Vec<u8> {
    assert!(data.len() <= CHUNK_BYTES, "a chunk has {} bytes", data.len());
    let mut stored = vec![0; HEADER_BYTES + lz4_flex::block::get_maximum_output_size(data.len())];
    let packed = lz4_flex::block::compress_into(data, &mut stored[HEADER_BYTES..]);
    let packed = packed.expect("there is room for the worst case");
    let word = if packed < data.len() {
        stored.truncate(HEADER_BYTES + packed);
        packed as u32
    } else {
        stored.truncate(HEADER_BYTES);
        stored.extend_from_slice(data);
        data.len() as u32 | PLAIN
    };
    let checksum = checksum(word, &stored[HEADER_BYTES..]);
    stored[..4].copy_from_slice(&word.to_le_bytes());
    stored[4..HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
    stored
}

/// How many bytes follow a header.
pub fn stored_len(header: [u8; HEADER_BYTES]) -> usize {
    (word(header) & !PLAIN) as usize
}

/// The data of a chunk that has `len` bytes of it. The error says what is wrong with the chunk.
pub fn decode(header: [u8; HEADER_BYTES], stored: Vec<u8>, len: usize) -> Result<Vec<u8>, &'static str> {
    let [_, _, _, _, a, b, c, d] = header;
    if checksum(word(header), &stored) != u32::from_le_bytes([a, b, c, d]) {
        return Err("a chunk of it has the wrong checksum");
    }
    if word(header) & PLAIN != 0 {
        return if stored.len() == len { Ok(stored) } else { Err("a chunk of it has another length") };
    }
    let mut data = vec![0; len];
    match lz4_flex::block::decompress_into(&stored, &mut data) {
        Ok(got) if got == len => Ok(data),
        Ok(_) => Err("a chunk of it has another length"),
        Err(_) => Err("a chunk of it cannot be unpacked"),
    }
}

fn word([a, b, c, d, ..]: [u8; HEADER_BYTES]) -> u32 {
    u32::from_le_bytes([a, b, c, d])
}

fn checksum(word: u32, stored: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&word.to_le_bytes());
    hasher.update(stored);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpacked(stored: &[u8], len: usize) -> Result<Vec<u8>, &'static str> {
        let (header, rest) = stored.split_first_chunk().expect("a chunk has a header");
        assert_eq!(stored_len(*header), rest.len());
        decode(*header, rest.to_vec(), len)
    }

    #[test]
    fn data_comes_back_and_takes_no_more_than_a_header_more() {
        let noise: Vec<u8> = (0..5000_u32).flat_map(|n| crc32fast::hash(&n.to_le_bytes()).to_le_bytes()).collect();
        for data in [&b""[..], b"a", &[7; 100_000], &noise] {
            let stored = encode(data);
            assert!(stored.len() <= HEADER_BYTES + data.len(), "{} of {}", stored.len(), data.len());
            assert_eq!(unpacked(&stored, data.len()).expect("it is whole"), data);
        }
        assert!(encode(&[7; 100_000]).len() < 1000, "it is compressed");
    }

    #[test]
    fn another_length_is_refused() {
        for data in [&b"ab"[..], &[7; 1000]] {
            let stored = encode(data);
            for len in [0, data.len() - 1, data.len() + 1] {
                assert!(unpacked(&stored, len).is_err(), "{len} instead of {}", data.len());
            }
        }
    }
}
