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

/// `meta`: the schema version, a little-endian `u32`.
pub const SCHEMA: &[u8] = b"schema";
/// `meta`: the genesis document.
pub const GENESIS: &[u8] = b"genesis";
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
