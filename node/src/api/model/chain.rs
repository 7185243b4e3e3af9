//! Blocks and the chain as a whole.

use crate::{
    crypto::{Address, Hash, PublicKey, Signature},
    types::{Certificate, ChainId, ChainParams, Difficulty, Height, Rank, Round, Timestamp, Transaction, Work},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The head of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeadInfo {
    /// Its height.
    pub height: Height,
    /// Its identifier.
    pub hash: Hash,
    /// Its proposer's clock when it was built.
    pub timestamp: Timestamp,
    /// Work of the whole chain.
    pub work: Work,
    /// The highest confirmed height.
    pub confirmed_height: Height,
}

/// The height of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeightInfo {
    /// That of the head.
    pub height: Height,
    /// The highest confirmed one.
    pub confirmed_height: Height,
}

/// The chain, and this node's place in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChainInfo {
    /// The chain's name, which every transaction signs.
    pub chain_id: ChainId,
    /// Its first block.
    pub genesis: Hash,
    /// Its rules.
    #[schema(value_type = Object)]
    pub params: ChainParams,
    /// The node's release.
    pub version: String,
    /// Its name among peers.
    pub peer_id: String,
    /// The account its blocks pay; none when it produces no blocks.
    pub proposer: Option<Address>,
    /// Its wall clock when it started.
    pub started: Timestamp,
    /// The head of its chain.
    pub head: HeadInfo,
    /// How far it is behind.
    pub sync: SyncInfo,
    /// Connected peers.
    pub peers: usize,
    /// Transactions that wait here.
    pub mempool: usize,
}

/// How far a node is behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SyncInfo {
    /// Whether no peer claims a chain that is more than a few blocks ahead.
    pub synced: bool,
    /// The greatest height that a peer claims; none before a peer has said one.
    pub best_peer_height: Option<Height>,
}

/// A block on the node's chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlockInfo {
    /// Its identifier.
    pub hash: Hash,
    /// Distance from genesis.
    pub height: Height,
    /// The block below.
    pub parent: Hash,
    /// Merkle root over its transactions.
    pub transactions_root: Hash,
    /// Root of the state after it.
    pub state_root: Hash,
    /// Its proposer's clock when it was built.
    pub timestamp: Timestamp,
    /// Who was paid for it.
    pub proposer: Address,
    /// Its difficulty; proof of work only, and none at genesis.
    pub difficulty: Option<Difficulty>,
    /// The number that gives it a hash below the target; proof of work only, and none at genesis.
    pub nonce: Option<u64>,
    /// The round in which it was made; proof of stake only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub round: Option<Round>,
    /// The agreement on it; proof of stake only. Nodes may have different ones for one block.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub certificate: Option<Certificate>,
    /// The place of its proposer among those who might have led; proof of operational tasks only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<Rank>,
    /// How its leader has signed it; proof of operational tasks only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leader: Option<LeaderInfo>,
    /// Blocks on top of it.
    pub confirmations: u64,
    /// Whether those are enough.
    pub confirmed: bool,
    /// Its transactions, in order.
    pub transactions: Vec<IdentifiedTransaction>,
}

/// A leader's signature under a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeaderInfo {
    /// The leader's key, which is that of the proposer's address.
    pub key: PublicKey,
    /// Over the header without its seal, and the rank.
    pub signature: Signature,
}

/// A transaction and its identifier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IdentifiedTransaction {
    /// The identifier.
    pub hash: Hash,
    /// The transaction.
    pub transaction: Transaction,
}
