//! Hashes, keys and Merkle trees: the only cryptography of the chain.
//!
//! Everything that is hashed or signed carries a [`Domain`], so that the bytes of one purpose can never pass for another's.

mod hash;
mod keys;
pub mod merkle;

pub(crate) use hash::serde_as_text;
pub use hash::{Domain, Hash, ParseHexError};
pub use keys::{Address, Keypair, PublicKey, Signature, SignatureError};
