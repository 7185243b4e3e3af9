//! What the state tree holds, how it is read, and what a block changes in it.

use crate::{
    crypto::{Address, Domain, Hash},
    types::{Amount, Height, Nonce},
};
use borsh::{BorshDeserialize, BorshSerialize};
use jmt::{
    KeyHash, OwnedValue, Sha256Jmt, Version,
    proof::SparseMerkleProof,
    storage::{LeafNode, Node, NodeBatch, NodeKey, TreeReader},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// What an address has. An address that was never paid has the default account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
pub struct Account {
    /// Tokens.
    pub balance: Amount,
    /// Transactions sent.
    pub nonce: Nonce,
}

/// The tokens that should exist after a block: those of genesis and the rewards since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
pub struct Supply {
    /// The height it is of.
    pub height: Height,
    /// Tokens in circulation.
    pub total: Amount,
}

/// The state could not be read: a storage fault, or a tree that is damaged.
#[derive(Debug, thiserror::Error)]
#[error("the state at height {height} cannot be read: {cause}")]
pub struct ReadError {
    /// The version that was asked for.
    pub height: Height,
    /// What the storage or the tree said.
    pub cause: String,
}

impl ReadError {
    pub(super) fn new(height: Height, cause: impl std::fmt::Display) -> Self {
        Self { height, cause: format!("{cause:#}") }
    }
}

/// The key of an account's leaf.
pub fn account_key(address: &Address) -> KeyHash {
    KeyHash(Hash::of(Domain::StateKey, &[b"account", &address.0]).0)
}

/// The key of the leaf with the tokens in circulation.
pub(crate) fn supply_key() -> KeyHash {
    KeyHash(Hash::of(Domain::StateKey, &[b"supply"]).0)
}

/// The key of the leaf with the stakes.
pub(crate) fn stakes_key() -> KeyHash {
    KeyHash(Hash::of(Domain::StateKey, &[b"stakes"]).0)
}

/// The key of the leaf with the addresses of all operators.
pub(crate) fn operators_key() -> KeyHash {
    KeyHash(Hash::of(Domain::StateKey, &[b"operators"]).0)
}

/// The key of an operator's leaf.
pub(crate) fn operator_key(address: &Address) -> KeyHash {
    KeyHash(Hash::of(Domain::StateKey, &[b"operator", &address.0]).0)
}

/// The key of the leaf with the last blocks.
pub(crate) fn recent_key() -> KeyHash {
    KeyHash(Hash::of(Domain::StateKey, &[b"recent"]).0)
}

/// The account of `address` after the block at `height`.
///
/// # Errors
/// [`ReadError`] when the storage fails or the value is damaged.
pub fn account(reader: &dyn TreeReader, height: Height, address: &Address) -> Result<Account, ReadError> {
    Ok(value(reader, height, account_key(address))?.unwrap_or_default())
}

/// The tokens in circulation after the block at `height`.
///
/// # Errors
/// [`ReadError`] when the storage fails or there is no such version.
pub fn supply(reader: &dyn TreeReader, height: Height) -> Result<Supply, ReadError> {
    value(reader, height, supply_key())?.ok_or_else(|| ReadError::new(height, "no supply record"))
}

/// The root of the state tree as it is stored for `height`.
///
/// # Errors
/// [`ReadError`] when the storage fails or there is no such version.
pub fn state_root(reader: &dyn TreeReader, height: Height) -> Result<Hash, ReadError> {
    let overlay = Overlay::new(reader, height);
    let root = Sha256Jmt::new(&overlay).get_root_hash(height.0).map_err(|cause| ReadError::new(height, cause))?;
    Ok(Hash(root.0))
}

pub(super) fn value<T: BorshDeserialize>(
    reader: &dyn TreeReader,
    height: Height,
    key: KeyHash,
) -> Result<Option<T>, ReadError> {
    let bytes = reader.get_value_option(height.0, key).map_err(|cause| ReadError::new(height, cause))?;
    bytes.map(|bytes| borsh::from_slice(&bytes).map_err(|cause| ReadError::new(height, cause))).transpose()
}

/// An account with the proof that the state root of `height` commits to it, or to its absence.
#[derive(Debug)]
pub struct AccountProof {
    /// The account; `None` when the address was never used.
    pub account: Option<Account>,
    /// The path from its leaf, or from where it would be, to the root.
    pub proof: SparseMerkleProof<sha2_for_jmt::Sha256>,
}

/// Reads an account with its proof against the state root of `height`.
///
/// # Errors
/// [`ReadError`] when the storage fails or there is no such version.
pub fn prove_account(reader: &dyn TreeReader, height: Height, address: &Address) -> Result<AccountProof, ReadError> {
    let overlay = Overlay::new(reader, height);
    let tree = Sha256Jmt::new(&overlay);
    let (bytes, proof) =
        tree.get_with_proof(account_key(address), height.0).map_err(|cause| ReadError::new(height, cause))?;
    let account =
        bytes.map(|bytes| borsh::from_slice(&bytes)).transpose().map_err(|cause| ReadError::new(height, cause))?;
    Ok(AccountProof { account, proof })
}

/// What one block changes in the state tree.
#[derive(Clone, Debug, Default)]
pub struct StateUpdate {
    /// New nodes and values, all of the block's version.
    pub batch: NodeBatch,
}

/// The stored state up to a height, with updates on top that are not stored yet: the view for executing a branch.
///
/// Versions of the store above `base` belong to the other branch and are hidden.
pub struct Overlay<'a> {
    store: &'a dyn TreeReader,
    base: Height,
    nodes: BTreeMap<NodeKey, Node>,
    values: BTreeMap<(KeyHash, Version), Option<OwnedValue>>,
}

impl<'a> Overlay<'a> {
    /// The state of `store` at `base`.
    pub fn new(store: &'a dyn TreeReader, base: Height) -> Self {
        Self { store, base, nodes: BTreeMap::new(), values: BTreeMap::new() }
    }

    /// Puts the update of the next block on top.
    pub fn push(&mut self, update: &StateUpdate) {
        self.nodes.extend(update.batch.nodes().iter().map(|(key, node)| (key.clone(), node.clone())));
        self.values
            .extend(update.batch.values().iter().map(|((version, key), value)| ((*key, *version), value.clone())));
    }
}

impl TreeReader for Overlay<'_> {
    fn get_node_option(&self, key: &NodeKey) -> anyhow::Result<Option<Node>> {
        if let Some(node) = self.nodes.get(key) {
            return Ok(Some(node.clone()));
        }
        if key.version() > self.base.0 { Ok(None) } else { self.store.get_node_option(key) }
    }

    fn get_value_option(&self, max_version: Version, key: KeyHash) -> anyhow::Result<Option<OwnedValue>> {
        if let Some((_, value)) = self.values.range((key, 0)..=(key, max_version)).next_back() {
            return Ok(value.clone());
        }
        self.store.get_value_option(max_version.min(self.base.0), key)
    }

    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        anyhow::bail!("restoring a tree from leaves is not supported")
    }
}
