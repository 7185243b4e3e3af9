//! Four operators on loopback: they show what they do, are each other's witnesses, lead in turn, and stand in for one that is
//! killed.

mod common;

use assay_node::{
    api::{
        Client,
        client::ClientError,
        model::{BlockInfo, OperatorInfo, OperatorsInfo, StandingInfo},
    },
    crypto::Keypair,
    native::seams::now,
    types::{Amount, ChainParams, Consensus, Genesis, Height, Payload, PootParams, Task},
};
use assay_testnet::{Plan, Processes, program};
use common::{ASK_MAX, block_at, is_included, payment, rich};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

const CHAIN: &str = "four-operators";
const OPERATORS: usize = 4;
const KILLED: usize = 3;
/// For whatever takes some slots of a second, on a busy machine.
const SOON: Duration = Duration::from_secs(120);

fn secret(n: usize) -> [u8; 32] {
    [100 + n as u8; 32]
}

fn cluster(folder: &Path) -> Processes {
    let poot = PootParams {
        leader_timeout_ms: 1000,
        cooldown_slots: 2,
        period_slots: 3,
        window_periods: 20,
        density_min_permille: 100,
        ..PootParams::default()
    };
    let params = ChainParams { consensus: Consensus::Poot, poot, block_interval_ms: 1000, ..ChainParams::default() };
    let genesis = Genesis {
        chain_id: CHAIN.parse().expect("it is a chain's name"),
        timestamp: now(),
        params,
        accounts: BTreeMap::from([(rich().address(), Amount(1_000_000_000))]),
        validators: Default::default(),
        operators: (0..OPERATORS).map(|n| Keypair::from_secret(secret(n)).public()).collect(),
    };
    let program = program().unwrap_or_else(|error| panic!("{error}"));
    let accounts = (0..OPERATORS).map(secret).collect();
    let plan = Plan { program, folder: folder.to_owned(), genesis, nodes: OPERATORS, hash_rate: 1, accounts };
    Processes::create(&plan).expect("the folder is empty")
}

async fn operators(client: &Client) -> Result<Vec<OperatorInfo>, ClientError> {
    Ok(client.get_json::<OperatorsInfo>("/api/v1/operators", ASK_MAX).await?.operators)
}

fn task(payload: &Payload) -> Option<&'static str> {
    let Payload::Task { proof } = payload else { return None };
    Some(match proof.task {
        Task::Uptime => "uptime",
        Task::Validation { .. } => "validation",
        Task::Storage { .. } => "storage",
        Task::Relay { .. } => "relay",
    })
}

/// Waits until node `n` has confirmed the block at `height`.
async fn confirms(nodes: &mut Processes, n: usize, height: u64) {
    let what = format!("height {height} confirmed");
    let there =
        async |client: &Client| Ok((client.head(ASK_MAX).await?.confirmed_height >= Height(height)).then_some(()));
    nodes.wait(n, &what, SOON, there).await.unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
async fn four_operators_lead_in_turn_and_stand_in_for_one_that_is_killed() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let mut nodes = cluster(folder.path());
    nodes.start_all().expect("the program runs");
    nodes.wait_all_ready(SOON).await.unwrap_or_else(|error| panic!("{error}"));

    // Three tasks a period without a witness would be two: each has been witnessed.
    let all_eligible = async |client: &Client| {
        let all = operators(client).await?;
        let enough = |one: &OperatorInfo| one.standing != StandingInfo::Idle && one.credits >= 9;
        Ok(all.iter().all(enough).then_some(all))
    };
    let all = nodes.wait(0, "credits for all", SOON, all_eligible).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(all.iter().map(|one| one.rank).collect::<Vec<_>>(), [0, 1, 2, 3]);
    let (mut leaders, mut shown) = (BTreeSet::new(), BTreeSet::new());
    let head = nodes.client(0).head(ASK_MAX).await.expect("it runs").height.0;
    for height in 1..=head {
        let block = nodes.client(0).get_json::<BlockInfo>(&format!("/block/{height}"), ASK_MAX).await;
        let block = block.expect("it has it");
        if height + 6 > head {
            leaders.insert(block.proposer);
        }
        shown.extend(block.transactions.iter().filter_map(|one| task(&one.transaction.body.payload)));
    }
    assert!(leaders.len() >= 3, "who has led rests for two slots: {leaders:?}");
    assert_eq!(shown, BTreeSet::from(["relay", "storage", "uptime", "validation"]));

    let transfer = payment(CHAIN, 0);
    let id = nodes.client(1).submit(&transfer, ASK_MAX).await.expect("the account is funded").hash;
    let included = async |client: &Client| Ok(is_included(client, id).await?.then_some(()));
    nodes.wait(2, "the transfer", SOON, included).await.unwrap_or_else(|error| panic!("{error}"));

    nodes.kill(KILLED).expect("it runs");
    let height = nodes.client(0).head(ASK_MAX).await.expect("it runs").height.0 + 10;
    for n in (0..OPERATORS).filter(|n| *n != KILLED) {
        confirms(&mut nodes, n, height).await;
    }
    nodes.start(KILLED).expect("the program runs");
    nodes.wait_ready(KILLED, SOON).await.unwrap_or_else(|error| panic!("{error}"));
    confirms(&mut nodes, KILLED, height).await;
    let mut blocks = Vec::new();
    for n in 0..OPERATORS {
        blocks.push(block_at(nodes.client(n), Height(height)).await.expect("it has it"));
    }
    assert_eq!(blocks, vec![blocks[0]; OPERATORS]);
}
