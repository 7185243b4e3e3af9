//! A chain of fast blocks with one rich account, and what live tests ask of its nodes.

#![allow(dead_code, reason = "each test uses its part")]
#![allow(clippy::disallowed_methods, reason = "a live test lays out its chain by the system's clock")]

use assay_node::{
    api::{
        Client,
        client::ClientError,
        model::{BlockInfo, MetricsInfo, TransactionStatus},
    },
    crypto::{Hash, Keypair},
    native::seams::now,
    types::{Amount, Body, ChainParams, Difficulty, Genesis, Height, Nonce, Payload, Transaction},
};
use assay_testnet::{Plan, Processes, program};
use std::{collections::BTreeMap, path::Path, time::Duration};

/// Hashes a second that each node tries.
pub const HASH_RATE: u64 = 1000;
/// How long one question may take.
pub const ASK_MAX: Duration = Duration::from_secs(5);
/// For whatever takes a few blocks; far above what it takes on a busy machine.
pub const SOON: Duration = Duration::from_secs(60);

/// The account that pays for everything.
pub fn rich() -> Keypair {
    Keypair::from_secret([1; 32])
}

/// Nodes that do not run yet, with a block about every `block_interval_ms`.
pub fn cluster(folder: &Path, chain_id: &str, nodes: usize, block_interval_ms: u64) -> Processes {
    let params = ChainParams {
        block_interval_ms,
        confirmations: 6,
        difficulty_start: Difficulty((nodes as u64 * HASH_RATE * block_interval_ms / 1000).max(4)),
        ..ChainParams::default()
    };
    let accounts = BTreeMap::from([(rich().address(), Amount(1_000_000_000))]);
    let genesis = Genesis {
        chain_id: chain_id.parse().expect("it is a chain's name"),
        timestamp: now(),
        params,
        accounts,
        validators: Default::default(),
        operators: Default::default(),
    };
    let program = program().unwrap_or_else(|error| panic!("{error}"));
    let plan = Plan { program, folder: folder.to_owned(), genesis, nodes, hash_rate: HASH_RATE, accounts: Vec::new() };
    Processes::create(&plan).expect("the folder is empty")
}

/// A payment of the rich account to nobody in particular.
pub fn payment(chain_id: &str, nonce: u64) -> Transaction {
    let body = Body {
        chain_id: chain_id.parse().expect("it is a chain's name"),
        sender: rich().public(),
        nonce: Nonce(nonce),
        fee: Amount(10),
        valid_until: Height(10_000_000),
        payload: Payload::Transfer { to: Keypair::from_secret([2; 32]).address(), amount: Amount(1) },
    };
    body.sign(&rich())
}

/// The block on a node's chain at `height`.
pub async fn block_at(client: &Client, height: Height) -> Result<Hash, ClientError> {
    let block: BlockInfo = client.get_json(&format!("/block/{height}"), ASK_MAX).await?;
    Ok(block.hash)
}

/// Whether a transaction is in a node's chain.
pub async fn is_included(client: &Client, hash: Hash) -> Result<bool, ClientError> {
    let found = client.tx(hash, ASK_MAX).await?;
    Ok(found.is_some_and(|found| matches!(found.status, TransactionStatus::Included { .. })))
}

/// A metric without labels.
pub async fn metric(client: &Client, name: &str) -> Result<f64, ClientError> {
    let metrics: MetricsInfo = client.get_json("/api/metrics", ASK_MAX).await?;
    let samples = metrics.metrics.values().flat_map(|metric| &metric.samples);
    let value = samples.filter(|sample| sample.name == name).find_map(|sample| sample.value);
    Ok(value.unwrap_or_else(|| panic!("no metric is named {name}")))
}

/// What a check of `/health` says.
pub async fn check(client: &Client, name: &str) -> Result<String, ClientError> {
    let (_, health) = client.health("/health", ASK_MAX).await?;
    Ok(health.checks.get(name).map(|check| check.detail.clone()).unwrap_or_default())
}
