//! Column families and the encoding of keys.

use crate::types::Height;
use jmt::{KeyHash, Version, storage::NodeKey};

pub const META: &str = "meta";
pub const BLOCKS: &str = "blocks";
pub const CANONICAL: &str = "canonical";
pub const TRANSACTIONS: &str = "transactions";
pub const NODES: &str = "nodes";
pub const VALUES: &str = "values";
pub const UNDO: &str = "undo";

/// Every column family.
pub const FAMILIES: [&str; 7] = [META, BLOCKS, CANONICAL, TRANSACTIONS, NODES, VALUES, UNDO];

/// `meta`: the schema version, a little-endian `u32` in every schema.
pub const SCHEMA: &[u8] = b"schema";
/// `meta`: the genesis document.
pub const GENESIS: &[u8] = b"genesis";
/// `meta`: what this database is rebuilt from, while it is not whole yet.
pub const REBUILD: &[u8] = b"rebuild";
/// `meta`: the node may have signed ballots that are not known here. Absent on chains without validators.
pub const UNSURE: &[u8] = b"unsure";
/// `meta`: the prefix of an entry in the log of the agreement on a height; height and number follow, big-endian `u64` each.
pub const BALLOT: &[u8] = b"ballot/";
/// `meta`: the head's hash.
pub const HEAD: &[u8] = b"head";

pub fn height(height: Height) -> [u8; 8] {
    height.0.to_be_bytes()
}

pub fn node(key: &NodeKey) -> Vec<u8> {
    let mut bytes = key.version().to_be_bytes().to_vec();
    bytes.extend(crate::encode(key.nibble_path()));
    bytes
}

/// Newer versions sort first, so that a seek finds the newest one not above a version.
pub fn value(key: &KeyHash, version: Version) -> [u8; 40] {
    let mut bytes = [0; 40];
    bytes[..32].copy_from_slice(&key.0);
    bytes[32..].copy_from_slice(&(!version).to_be_bytes());
    bytes
}

/// A key as people read it: words and heights as they are, parts of the state tree as `what@height`, all else in
/// hexadecimal digits.
pub fn shown(family: &str, key: &[u8]) -> String {
    let number = |bytes: &[u8]| bytes.try_into().ok().map(u64::from_be_bytes);
    let readable = match family {
        META if key.starts_with(BALLOT) && key.len() == BALLOT.len() + 16 => {
            let (height, entry) = key[BALLOT.len()..].split_at(8);
            number(height).zip(number(entry)).map(|(height, entry)| format!("ballot/{height}/{entry}"))
        }
        META if key.iter().all(u8::is_ascii_lowercase) => Some(String::from_utf8_lossy(key).into_owned()),
        CANONICAL | UNDO => number(key).map(|height| height.to_string()),
        NODES => key.split_at_checked(8).and_then(|(version, path)| {
            // Read here instead of by `jmt`, which takes a path for what it says that it is.
            let (nibbles, bytes): (u64, Vec<u8>) = borsh::from_slice(path).ok()?;
            let digits = hex::encode(&bytes);
            let path = digits.get(..usize::try_from(nibbles).ok()?)?;
            Some(format!("{}@{}", if path.is_empty() { "root" } else { path }, number(version)?))
        }),
        VALUES => key.split_at_checked(32).and_then(|(key, version)| {
            let version = !number(version)?;
            Some(format!("{}@{version}", hex::encode(key)))
        }),
        _ => None,
    };
    readable.unwrap_or_else(|| hex::encode(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_can_be_read() {
        assert_eq!(shown(META, HEAD), "head");
        assert_eq!(shown(CANONICAL, &height(Height(258))), "258");
        assert_eq!(shown(NODES, &node(&NodeKey::new(7, std::iter::empty().collect()))), "root@7");
        let path = |nibbles: u64| [&7_u64.to_be_bytes()[..], &crate::encode(&(nibbles, vec![0x3a_u8, 0xb0]))].concat();
        assert_eq!(shown(NODES, &path(3)), "3ab@7");
        assert_eq!(shown(NODES, &path(5)), hex::encode(path(5)), "it says that it is longer than it is");
        assert_eq!(shown(VALUES, &value(&KeyHash([0xab; 32]), 9)), format!("{}@9", "ab".repeat(32)));
        assert_eq!((shown(BLOCKS, b"key"), shown(UNDO, b"odd")), ("6b6579".into(), "6f6464".into()));
    }
}
