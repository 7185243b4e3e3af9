//! Blocks and the chain as a whole.

use super::{
    ApiError,
    model::{BlockInfo, ChainInfo, ErrorBody, HeadInfo, HeightInfo, IdentifiedTransaction, LeaderInfo, SyncInfo},
    read::{Depth, Segment, parse, read},
};
use crate::{
    NodeView,
    chain::Head,
    crypto::Hash,
    storage::Store,
    types::{Block, Height, Seal, Transaction},
};
use axum::{Json, extract::State};

impl From<Head> for HeadInfo {
    fn from(head: Head) -> Self {
        let Head { height, hash, timestamp, work, confirmed } = head;
        Self { height, hash, timestamp, work, confirmed_height: confirmed }
    }
}

/// The head of this node's chain.
#[utoipa::path(get, path = "/chain/head", tag = "chain", responses((status = 200, body = HeadInfo)))]
pub(super) async fn head(State(view): State<NodeView>) -> Json<HeadInfo> {
    let snapshot = *view.snapshot.borrow();
    Json(snapshot.head.into())
}

/// The height of this node's chain.
#[utoipa::path(get, path = "/chain/height", tag = "chain", responses((status = 200, body = HeightInfo)))]
pub(super) async fn height(State(view): State<NodeView>) -> Json<HeightInfo> {
    let head = view.snapshot.borrow().head;
    Json(HeightInfo { height: head.height, confirmed_height: head.confirmed })
}

/// The chain, its rules, and this node's place in it.
#[utoipa::path(get, path = "/chain/info", tag = "chain", responses((status = 200, body = ChainInfo)))]
pub(super) async fn info(State(view): State<NodeView>) -> Json<ChainInfo> {
    let snapshot = *view.snapshot.borrow();
    let identity = &view.identity;
    Json(ChainInfo {
        chain_id: identity.chain_id.clone(),
        genesis: identity.genesis,
        params: view.store.genesis().params.clone(),
        version: identity.version.to_owned(),
        peer_id: identity.peer_id.to_string(),
        proposer: identity.proposer,
        started: identity.started,
        head: snapshot.head.into(),
        sync: SyncInfo { synced: snapshot.is_synced(), best_peer_height: snapshot.best_peer_height },
        peers: snapshot.peers,
        mempool: snapshot.mempool,
    })
}

/// What names a block: its height in decimal digits or its hash.
enum BlockId {
    Height(Height),
    Hash(Hash),
}

impl BlockId {
    fn parse(text: &str) -> Result<Self, ApiError> {
        // A hash has 64 digits, and no height has more than 20.
        if text.len() == 64 {
            return parse("block hash", text).map(BlockId::Hash);
        }
        parse("block height", text).map(|height| BlockId::Height(Height(height)))
    }

    fn find(&self, store: &Store) -> Result<Option<Block>, ApiError> {
        Ok(match self {
            BlockId::Height(height) => store.block_at(*height)?,
            BlockId::Hash(hash) => store.block(hash)?,
        })
    }
}

/// A block on this node's chain, with its transactions. Blocks of other branches are unknown here.
#[utoipa::path(
    get, path = "/block/{id}", tag = "chain",
    params(("id" = String, Path, description = "Height or hash")),
    responses(
        (status = 200, body = BlockInfo),
        (status = 400, description = "Neither a height nor a hash: `malformed`", body = ErrorBody),
        (status = 404, description = "`unknown_block`", body = ErrorBody),
    )
)]
pub(super) async fn block(State(view): State<NodeView>, Segment(id): Segment) -> Result<Json<BlockInfo>, ApiError> {
    let block_id = BlockId::parse(&id)?;
    let confirmations = view.identity.confirmations;
    let info = read(&view, move |store, head| {
        let block = block_id.find(store)?.ok_or_else(|| ApiError::UnknownBlock(id.clone()))?;
        let depth = Depth::of(confirmations, block.header.height, head.height);
        Ok(block_info(block, &depth))
    });
    Ok(Json(info.await?))
}

fn block_info(block: Block, depth: &Depth) -> BlockInfo {
    let hash = block.hash();
    let header = block.header;
    let (mut difficulty, mut nonce, mut round, mut certificate) = (None, None, None, None);
    let (mut rank, mut leader) = (None, None);
    match header.seal {
        Seal::Genesis => {}
        Seal::Pow { difficulty: searched, nonce: found } => (difficulty, nonce) = (Some(searched), Some(found)),
        Seal::Pos { round: made, certificate: agreed } => (round, certificate) = (Some(made), Some(agreed)),
        Seal::Poot { rank: led, key, signature } => {
            (rank, leader) = (Some(led), Some(LeaderInfo { key, signature }));
        }
    }
    let identified = |transaction: Transaction| IdentifiedTransaction { hash: transaction.id(), transaction };
    BlockInfo {
        hash,
        height: header.height,
        parent: header.parent,
        transactions_root: header.transactions_root,
        state_root: header.state_root,
        timestamp: header.timestamp,
        proposer: header.proposer,
        difficulty,
        nonce,
        round,
        certificate,
        rank,
        leader,
        confirmations: depth.confirmations,
        confirmed: depth.confirmed,
        transactions: block.transactions.into_iter().map(identified).collect(),
    }
}
