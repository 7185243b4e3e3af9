//! Ed25519 keys, signatures (RFC 8032) and the addresses derived from them.

use super::hash::{Domain, Hash, ParseHexError, parse_hex, serde_as_text};
use borsh::{BorshDeserialize, BorshSerialize};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use std::{fmt, str::FromStr};

/// An ed25519 key pair. `Debug` shows the public half only.
#[derive(Clone)]
pub struct Keypair(SigningKey);

impl Keypair {
    /// The key pair of a 32-byte secret.
    pub fn from_secret(secret: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&secret))
    }

    /// A new key pair from the operating system's entropy.
    ///
    /// # Errors
    /// When the operating system gives none.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        Ok(Self::from_secret(secret))
    }

    /// The 32-byte secret, for writing a key file.
    pub fn secret(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// The address of the public half.
    pub fn address(&self) -> Address {
        self.public().address()
    }

    /// Signs `message`, which is under a [`Domain`] already.
    pub fn sign(&self, message: &Hash) -> Signature {
        Signature(self.0.sign(&message.0).to_bytes())
    }
}

impl fmt::Debug for Keypair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keypair({})", self.public())
    }
}

/// An ed25519 public key as it is encoded; whether it is a point of the curve shows when it verifies something.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct PublicKey(pub [u8; 32]);

impl PublicKey {
    /// The address: the first 20 bytes of the key's digest.
    pub fn address(&self) -> Address {
        let digest = Hash::of(Domain::Address, &[&self.0]);
        let mut bytes = [0; 20];
        bytes.copy_from_slice(&digest.0[..20]);
        Address(bytes)
    }

    /// Verifies `signature` over `message` by the strict rules: no small-order keys, no malleable signatures.
    ///
    /// # Errors
    /// [`SignatureError`] when the key is no curve point or the signature is not this key's over this message.
    pub fn verify(&self, message: &Hash, signature: &Signature) -> Result<(), SignatureError> {
        let key = VerifyingKey::from_bytes(&self.0).map_err(|_| SignatureError)?;
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        key.verify_strict(&message.0, &signature).map_err(|_| SignatureError)
    }
}

/// A signature that does not verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct SignatureError;

/// An ed25519 signature.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct Signature(pub [u8; 64]);

/// The owner of an account: 20 bytes derived from a public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct Address(pub [u8; 20]);

macro_rules! text_form {
    ($type:ident) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(&self.0[..4]))
            }
        }
        impl FromStr for $type {
            type Err = ParseHexError;
            fn from_str(text: &str) -> Result<Self, ParseHexError> {
                parse_hex(text).map(Self)
            }
        }
        serde_as_text!($type);
    };
}
text_form!(PublicKey);
text_form!(Signature);
text_form!(Address);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verifies_its_own_signature_and_no_other() {
        let key = Keypair::from_secret([7; 32]);
        let message = Hash::of(Domain::Transaction, &[b"pay"]);
        let signature = key.sign(&message);
        assert_eq!(key.public().verify(&message, &signature), Ok(()));
        assert_eq!(key.public().verify(&Hash::of(Domain::Block, &[b"pay"]), &signature), Err(SignatureError));
        assert_eq!(Keypair::from_secret([8; 32]).public().verify(&message, &signature), Err(SignatureError));
        let mut forged = signature;
        forged.0[3] ^= 1;
        assert_eq!(key.public().verify(&message, &forged), Err(SignatureError));
    }

    #[test]
    fn debug_text_keeps_the_secret() {
        let key = Keypair::from_secret([7; 32]);
        assert!(!format!("{key:?}").contains(&hex::encode([7; 32])));
    }
}
