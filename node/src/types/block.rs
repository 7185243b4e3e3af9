//! Blocks and their headers.

use super::{Certificate, Difficulty, Height, Rank, Round, Timestamp, Transaction};
use crate::crypto::{Address, Domain, Hash, Keypair, PublicKey, Signature, merkle};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::Serialize;

/// A header and its transactions. Nothing about it is verified; see [`crate::chain::validation`].
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Block {
    /// What commits to all the rest.
    pub header: Header,
    /// Transactions in the order in which they are executed.
    pub transactions: Vec<Transaction>,
}

/// Commits to a block's place, contents and resulting state.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
pub struct Header {
    /// Distance from genesis.
    pub height: Height,
    /// The block below.
    pub parent: Hash,
    /// Merkle root over the encoded transactions.
    pub transactions_root: Hash,
    /// Root of the state tree after this block.
    pub state_root: Hash,
    /// The proposer's wall clock when it built the block.
    pub timestamp: Timestamp,
    /// Who gets the reward and the fees.
    pub proposer: Address,
    /// Why the block may stand there, in the engine's own terms.
    pub seal: Seal,
}

/// The consensus engine's part of a header.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
#[serde(rename_all = "snake_case", tag = "engine")]
pub enum Seal {
    /// The genesis block needs no right to stand there.
    Genesis,
    /// Proof of work: the block's hash is below the target of `difficulty`.
    Pow {
        /// Expected number of hashes for this block.
        difficulty: Difficulty,
        /// The number that was searched for.
        nonce: u64,
    },
    /// Proof of stake: two thirds of the validators have agreed on the block.
    Pos {
        /// The round in which it was made, which says whose turn it was to make it.
        round: Round,
        /// The agreement. Not a part of the block's identity, which it is about: nodes may hold different ones for one block.
        certificate: Certificate,
    },
    /// Proof of operational tasks: an operator of this rank has led.
    Poot {
        /// Its place among those who might have led, the first being 0.
        rank: Rank,
        /// Its key, which is that of the proposer.
        key: PublicKey,
        /// Over [`Header::leader_digest`].
        signature: Signature,
    },
}

impl Header {
    /// The digest of everything but the seal: what a miner works on.
    pub fn unsealed_hash(&self) -> Hash {
        let Header { height, parent, transactions_root, state_root, timestamp, proposer, seal: _ } = self;
        let fields = (height, parent, transactions_root, state_root, timestamp, proposer);
        Hash::of(Domain::Header, &[&crate::encode(&fields)])
    }

    /// The block's identifier.
    pub fn hash(&self) -> Hash {
        sealed_hash(&self.unsealed_hash(), &self.seal)
    }

    /// What a leader of `rank` signs.
    pub fn leader_digest(&self, rank: Rank) -> Hash {
        Hash::of(Domain::Leader, &[&self.unsealed_hash().0, &rank.to_le_bytes()])
    }

    /// Seals it as led by the holder of `key`, who has `rank`.
    pub fn lead(&mut self, rank: Rank, key: &Keypair) {
        let signature = key.sign(&self.leader_digest(rank));
        self.seal = Seal::Poot { rank, key: key.public(), signature };
    }
}

/// The identifier of a block from its [`Header::unsealed_hash`] and seal: one digest of a short input for each try of a miner.
pub fn sealed_hash(unsealed: &Hash, seal: &Seal) -> Hash {
    let identity = match seal {
        Seal::Genesis | Seal::Pow { .. } | Seal::Poot { .. } => crate::encode(seal),
        Seal::Pos { round, certificate: _ } => {
            crate::encode(&Seal::Pos { round: *round, certificate: Certificate::default() })
        }
    };
    Hash::of(Domain::Block, &[&unsealed.0, &identity])
}

impl Block {
    /// The block's identifier.
    pub fn hash(&self) -> Hash {
        self.header.hash()
    }

    /// The Merkle root over the transactions, as the header should have it.
    pub fn transactions_root(&self) -> Hash {
        merkle::root(&self.encoded_transactions())
    }

    /// Each transaction's encoding: the leaves of the Merkle tree.
    pub fn encoded_transactions(&self) -> Vec<Vec<u8>> {
        self.transactions.iter().map(crate::encode).collect()
    }
}
