//! Four real nodes on loopback: one chain, one transfer, one kill -9.

#![allow(clippy::disallowed_methods, reason = "a live test lays out its chain by the system's clock")]

use assay_node::{
    api::{
        Client,
        client::ClientError,
        model::{BlockInfo, HeadInfo, TransactionInfo, TransactionStatus},
    },
    crypto::{Hash, Keypair},
    native::seams::now,
    types::{Amount, Body, ChainParams, Difficulty, Genesis, Height, Nonce, Payload, Transaction},
};
use assay_testnet::{Plan, Processes, program};
use std::{collections::BTreeMap, time::Duration};

const NODES: usize = 4;
const HASH_RATE: u64 = 1000;
const BLOCK_INTERVAL_MS: u64 = 300;
const ASK_MAX: Duration = Duration::from_secs(5);
/// For whatever takes a few blocks; far above what it takes on a busy machine.
const SOON: Duration = Duration::from_secs(60);

fn genesis(rich: &Keypair) -> Genesis {
    let params = ChainParams {
        block_interval_ms: BLOCK_INTERVAL_MS,
        confirmations: 6,
        difficulty_start: Difficulty(NODES as u64 * HASH_RATE * BLOCK_INTERVAL_MS / 1000),
        ..ChainParams::default()
    };
    let chain_id = "four-nodes".parse().expect("it is a chain's name");
    let accounts = BTreeMap::from([(rich.address(), Amount(1_000_000))]);
    Genesis { chain_id, timestamp: now(), params, accounts, validators: BTreeMap::new(), operators: Default::default() }
}

fn transfer(from: &Keypair, to: &Keypair, amount: u64) -> Transaction {
    let body = Body {
        chain_id: "four-nodes".parse().expect("it is a chain's name"),
        sender: from.public(),
        nonce: Nonce(0),
        fee: Amount(10),
        valid_until: Height(10_000),
        payload: Payload::Transfer { to: to.address(), amount: Amount(amount) },
    };
    body.sign(from)
}

/// The block on node `client`'s chain at `height`.
async fn block_at(client: &Client, height: Height) -> Result<Hash, ClientError> {
    let block: BlockInfo = client.get_json(&format!("/block/{height}"), ASK_MAX).await?;
    Ok(block.hash)
}

/// The height and block that `hash` is confirmed in.
async fn confirmed_in(client: &Client, hash: Hash) -> Result<Option<(Height, Hash)>, ClientError> {
    Ok(match client.tx(hash, ASK_MAX).await? {
        Some(TransactionInfo {
            status: TransactionStatus::Included { height, block, confirmed: true, .. }, ..
        }) => Some((height, block)),
        _ => None,
    })
}

/// Waits until node `n` has confirmed `height`.
async fn confirmed(nodes: &mut Processes, n: usize, height: Height) -> HeadInfo {
    let at_height = async |client: &Client| {
        let head = client.head(ASK_MAX).await?;
        Ok((head.confirmed_height >= height).then_some(head))
    };
    nodes
        .wait(n, &format!("height {height} confirmed"), SOON, at_height)
        .await
        .unwrap_or_else(|error| panic!("{error}"))
}

#[tokio::test]
async fn one_chain_one_transfer_and_nothing_confirmed_is_lost_by_kill_9() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let (rich, poor) = (Keypair::from_secret([1; 32]), Keypair::from_secret([2; 32]));
    let plan = Plan {
        program: program().unwrap_or_else(|error| panic!("{error}")),
        folder: folder.path().to_owned(),
        genesis: genesis(&rich),
        nodes: NODES,
        hash_rate: HASH_RATE,
        accounts: Vec::new(),
    };
    let mut nodes = Processes::create(&plan).expect("the folder is empty");
    nodes.start_all().expect("the program runs");
    nodes.wait_all_ready(SOON).await.unwrap_or_else(|error| panic!("{error}"));

    // A transfer that one node takes is confirmed by all, in the same block.
    let payment = transfer(&rich, &poor, 1234);
    let id = nodes.client(0).submit(&payment, ASK_MAX).await.expect("the account is funded").hash;
    assert_eq!(id, payment.id());
    let mut places = Vec::new();
    for n in 0..NODES {
        let place = nodes.wait(n, "the transfer confirmed", SOON, async |client| confirmed_in(client, id).await).await;
        places.push(place.unwrap_or_else(|error| panic!("{error}")));
    }
    assert_eq!(places, vec![places[0]; NODES]);

    // What the fourth had confirmed before it was killed is there when it is back, and it follows the others again.
    let before = nodes.client(3).head(ASK_MAX).await.expect("it runs").confirmed_height;
    let block_before = block_at(nodes.client(3), before).await.expect("it has its own blocks");
    nodes.kill(3).expect("it runs");
    let others = confirmed(&mut nodes, 0, Height(before.0 + 12)).await;
    nodes.start(3).expect("the program runs");
    nodes.wait_ready(3, SOON).await.unwrap_or_else(|error| panic!("{error}"));
    let caught_up = confirmed(&mut nodes, 3, others.confirmed_height).await;
    assert_eq!(block_at(nodes.client(3), before).await.expect("it has its own blocks"), block_before);
    assert_eq!(confirmed_in(nodes.client(3), id).await.expect("it runs"), Some(places[0]));

    // One chain: all have the same block at the height that the one that was killed has confirmed since.
    let height = caught_up.confirmed_height;
    let mut blocks = Vec::new();
    for n in 0..NODES {
        confirmed(&mut nodes, n, height).await;
        blocks.push(block_at(nodes.client(n), height).await.expect("it has confirmed this height"));
        let balance = nodes.client(n).balance(poor.address(), ASK_MAX).await.expect("it runs");
        assert_eq!(balance.balance, Amount(1234), "n{n}");
    }
    assert_eq!(blocks, vec![blocks[0]; NODES]);

    for n in 0..NODES {
        let status = nodes.stop(n).await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(status.code(), Some(0), "n{n}");
    }
}
