//! SHA-256 with domain separation.

use borsh::{BorshDeserialize, BorshSerialize};
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};

/// A SHA-256 digest. Its text form is 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, BorshSerialize, BorshDeserialize)]
pub struct Hash(pub [u8; 32]);

/// What a digest or a signature is of. The tag is hashed first, with its length, so no two purposes share an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// The body of a transaction: what is signed, and what its identifier is of.
    Transaction,
    /// A header without its seal.
    Header,
    /// A header with its seal: a block's identifier.
    Block,
    /// A leaf of a Merkle tree (RFC 6962 keeps leaves and nodes apart as well).
    MerkleLeaf,
    /// An inner node of a Merkle tree.
    MerkleNode,
    /// A public key, of which the first 20 bytes are the address.
    Address,
    /// A key of the state tree.
    StateKey,
    /// The genesis document.
    Genesis,
    /// A validator's vote.
    Vote,
    /// A validator's proposal.
    Proposal,
    /// Whose turn it is at a height or in a slot.
    Turn,
    /// A header that an operator leads with.
    Leader,
    /// What a witness says of an operator.
    Testimony,
    /// An operator's question for a witness.
    Asking,
    /// Which block an operator must have.
    Challenge,
    /// That an operator has a block.
    Possession,
}

impl Domain {
    const fn tag(self) -> &'static [u8] {
        match self {
            Domain::Transaction => b"assay/transaction/1",
            Domain::Header => b"assay/header/1",
            Domain::Block => b"assay/block/1",
            Domain::MerkleLeaf => b"assay/merkle-leaf/1",
            Domain::MerkleNode => b"assay/merkle-node/1",
            Domain::Address => b"assay/address/1",
            Domain::StateKey => b"assay/state-key/1",
            Domain::Genesis => b"assay/genesis/1",
            Domain::Vote => b"assay/vote/1",
            Domain::Proposal => b"assay/proposal/1",
            Domain::Turn => b"assay/turn/1",
            Domain::Leader => b"assay/leader/1",
            Domain::Testimony => b"assay/testimony/1",
            Domain::Asking => b"assay/asking/1",
            Domain::Challenge => b"assay/challenge/1",
            Domain::Possession => b"assay/possession/1",
        }
    }
}

impl Hash {
    /// The digest of the concatenated `parts` under `domain`. Callers give fixed-size or self-delimiting parts.
    pub fn of(domain: Domain, parts: &[&[u8]]) -> Self {
        let tag = domain.tag();
        let mut hasher = Sha256::new();
        hasher.update([tag.len() as u8]);
        hasher.update(tag);
        for part in parts {
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }

    /// The first eight digits, for logs and tables.
    pub fn short(&self) -> String {
        hex::encode(&self.0[..4])
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short())
    }
}

/// Text that is not the hexadecimal form of a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} hexadecimal digits, got {got:?}")]
pub struct ParseHexError {
    /// Digits of the value's text form.
    pub expected: usize,
    /// The text, at most 80 characters of it.
    pub got: String,
}

/// Reads exactly `N` bytes of hexadecimal text.
pub(super) fn parse_hex<const N: usize>(text: &str) -> Result<[u8; N], ParseHexError> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes)
        .map_err(|_| ParseHexError { expected: 2 * N, got: text.chars().take(80).collect() })?;
    Ok(bytes)
}

impl FromStr for Hash {
    type Err = ParseHexError;
    fn from_str(text: &str) -> Result<Self, ParseHexError> {
        parse_hex(text).map(Self)
    }
}

/// Serde as the text form.
macro_rules! serde_as_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use serde_as_text;
serde_as_text!(Hash);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_keep_equal_bytes_apart() {
        assert_ne!(Hash::of(Domain::Header, &[b"x"]), Hash::of(Domain::Block, &[b"x"]));
    }

    #[test]
    fn text_form_round_trips_and_refuses_other_text() {
        let hash = Hash::of(Domain::Genesis, &[b"x"]);
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_eq!("xyz".parse::<Hash>().unwrap_err().to_string(), "expected 64 hexadecimal digits, got \"xyz\"");
    }
}
