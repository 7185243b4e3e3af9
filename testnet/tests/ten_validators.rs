//! Ten validators on loopback: one is killed, one runs twice and so contradicts itself, and the others finalize.

mod common;

use assay_node::{
    api::{Client, client::ClientError, model::ValidatorsInfo},
    crypto::Keypair,
    native::seams::now,
    types::{Amount, ChainParams, Consensus, Genesis, Height, PosParams, TOKEN},
};
use assay_testnet::{Plan, Processes, program};
use common::{ASK_MAX, block_at, is_included, payment, rich};
use std::{collections::BTreeMap, path::Path, time::Duration};

const CHAIN: &str = "ten-validators";
/// Validators; node `n10` is the twin of `n9`: another machine with the same key.
const VALIDATORS: usize = 10;
const TWIN: usize = 10;
const KILLED: usize = 0;
const BOND: Amount = Amount(5000 * TOKEN.0);
/// For whatever takes some blocks of eleven nodes on a busy machine of two cores.
const SOON: Duration = Duration::from_secs(180);

fn secret(n: usize) -> [u8; 32] {
    [100 + n as u8; 32]
}

fn cluster(folder: &Path) -> Processes {
    let pos = PosParams { epoch_blocks: 20, propose_ms: 2000, vote_ms: 1000, ..PosParams::default() };
    let params = ChainParams { consensus: Consensus::Pos, pos, block_interval_ms: 500, ..ChainParams::default() };
    let key = |n| Keypair::from_secret(secret(n)).public();
    let genesis = Genesis {
        chain_id: CHAIN.parse().expect("it is a chain's name"),
        timestamp: now(),
        params,
        accounts: BTreeMap::from([(rich().address(), Amount(1_000_000_000))]),
        validators: (0..VALIDATORS).map(|n| (key(n), BOND)).collect(),
        operators: Default::default(),
    };
    let accounts = (0..VALIDATORS).chain([VALIDATORS - 1]).map(secret).collect();
    let program = program().unwrap_or_else(|error| panic!("{error}"));
    let plan = Plan { program, folder: folder.to_owned(), genesis, nodes: VALIDATORS + 1, hash_rate: 1, accounts };
    Processes::create(&plan).expect("the folder is empty")
}

async fn validators(client: &Client) -> Result<ValidatorsInfo, ClientError> {
    client.get_json("/api/v1/validators", ASK_MAX).await
}

/// Waits until node `n` has the block at `height`, which is final.
async fn reaches(nodes: &mut Processes, n: usize, height: u64) {
    let what = format!("height {height}");
    let there =
        async |client: &Client| Ok((client.head(ASK_MAX).await?.confirmed_height >= Height(height)).then_some(()));
    nodes.wait(n, &what, SOON, there).await.unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
async fn ten_validators_finalize_with_one_killed_and_one_lying() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let mut nodes = cluster(folder.path());
    nodes.start_all().expect("the program runs");
    nodes.wait_all_ready(SOON).await.unwrap_or_else(|error| panic!("{error}"));
    reaches(&mut nodes, 1, 3).await;

    nodes.kill(KILLED).expect("it runs");
    let killed_at = nodes.client(1).head(ASK_MAX).await.expect("it runs").height.0;
    let transfer = payment(CHAIN, 0);
    let id = nodes.client(1).submit(&transfer, ASK_MAX).await.expect("the account is funded").hash;
    let included = async |client: &Client| Ok(is_included(client, id).await?.then_some(()));
    nodes.wait(2, "the transfer final", SOON, included).await.unwrap_or_else(|error| panic!("{error}"));

    // The twins propose two blocks when it is their turn. Whoever sees both has the proof, and a block takes it in.
    let liar = Keypair::from_secret(secret(VALIDATORS - 1)).address();
    let slashed = async |client: &Client| {
        let bonds = validators(client).await?.bonds;
        let bond = bonds.iter().find(|bond| bond.address == liar).expect("a part of the bond is left");
        Ok((bond.amount < BOND).then_some(bond.amount))
    };
    nodes.wait(1, "the liar slashed", SOON, slashed).await.unwrap_or_else(|error| panic!("{error}"));
    let info = validators(nodes.client(1)).await.expect("it runs");
    let whole = info.bonds.iter().filter(|bond| bond.amount == BOND).count();
    assert_eq!(whole, VALIDATORS - 1, "nobody else is slashed: {:?}", info.bonds);

    // All that run have gone on, with one chain.
    let height = killed_at + 20;
    let mut blocks = Vec::new();
    for n in (0..=TWIN).filter(|n| *n != KILLED) {
        reaches(&mut nodes, n, height).await;
        blocks.push(block_at(nodes.client(n), Height(height)).await.expect("it has it"));
    }
    assert_eq!(blocks, vec![blocks[0]; VALIDATORS]);

    // The one that was killed reads its log, votes again and catches up.
    nodes.start(KILLED).expect("the program runs");
    nodes.wait_ready(KILLED, SOON).await.unwrap_or_else(|error| panic!("{error}"));
    reaches(&mut nodes, KILLED, height).await;
    assert_eq!(block_at(nodes.client(KILLED), Height(height)).await.expect("it has it"), blocks[0]);
}
