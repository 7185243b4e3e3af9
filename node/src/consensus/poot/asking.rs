//! An operator asks another one to be its witness. Pure.

use crate::{
    crypto::{Address, Domain, Hash, Keypair, PublicKey, Signature},
    types::{Block, ChainId, Height, Period, Witness},
};
use borsh::{BorshDeserialize, BorshSerialize};
use libp2p::PeerId;

/// The question, which has its proof of storage in it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Asking {
    /// The operator's key.
    pub key: PublicKey,
    /// What it should be the witness of.
    pub period: Period,
    /// The [`answer`] to the period's challenge; none when it cannot read the block.
    pub answer: Option<Hash>,
    /// Over all this and the name that it has among peers: so the traffic that came under that name is the operator's.
    pub signature: Signature,
}

/// What the witness says: as much as it knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Answer {
    /// That the operator had the block.
    pub storage: Option<Witness>,
    /// The megabytes that came from it.
    pub relay: Option<(u32, Witness)>,
}

impl Asking {
    /// A question of the operator with `key`, who is `peer` among peers.
    pub fn new(chain: &ChainId, key: &Keypair, peer: &PeerId, period: Period, answer: Option<Hash>) -> Self {
        let unsigned = Self { key: key.public(), period, answer, signature: Signature([0; 64]) };
        let signature = key.sign(&unsigned.digest(chain, peer));
        Self { signature, ..unsigned }
    }

    /// Whether the operator itself asks, as `peer`.
    pub fn is_of(&self, chain: &ChainId, peer: &PeerId) -> bool {
        self.key.verify(&self.digest(chain, peer), &self.signature).is_ok()
    }

    fn digest(&self, chain: &ChainId, peer: &PeerId) -> Hash {
        let fields = (chain, &self.key, self.period, self.answer, peer.to_bytes());
        Hash::of(Domain::Asking, &[&crate::encode(&fields)])
    }
}

/// The height of the block that `operator` must have, by the first block of the period: nobody could know it before.
pub fn challenged(beacon: (Height, Hash), operator: &Address) -> Height {
    let digest = Hash::of(Domain::Challenge, &[&beacon.1.0, &operator.0]);
    let mut leading = [0; 8];
    leading.copy_from_slice(&digest.0[..8]);
    Height(u64::from_le_bytes(leading) % beacon.0.0.max(1))
}

/// What only somebody who has `block` at hand can say. Every operator and period has an answer of its own, so none can be
/// repeated.
pub fn answer(beacon: (Height, Hash), operator: &Address, block: &Block) -> Hash {
    Hash::of(Domain::Possession, &[&beacon.1.0, &operator.0, &crate::encode(block)])
}
