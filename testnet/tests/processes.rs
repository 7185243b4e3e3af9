//! Processes that are missing, end on their own, or are let go.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "these tests look at processes and take their ports"
)]

use assay_node::types::{ChainParams, Genesis, Timestamp};
use assay_testnet::{NODES_MAX, Plan, Processes, TestnetError, program};
use std::{net::TcpListener, path::Path, time::Duration};

const SOON: Duration = Duration::from_secs(60);

fn plan(folder: &Path, nodes: usize) -> Plan {
    let genesis = Genesis {
        chain_id: "processes".parse().expect("it is a chain's name"),
        timestamp: Timestamp(1_700_000_000_000),
        params: ChainParams::default(),
        accounts: Default::default(),
        validators: Default::default(),
        operators: Default::default(),
    };
    let program = program().unwrap_or_else(|error| panic!("{error}"));
    Plan { program, folder: folder.to_owned(), genesis, nodes, hash_rate: 1, accounts: Vec::new() }
}

#[test]
fn what_cannot_be_a_cluster_is_refused() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    for nodes in [0, NODES_MAX + 1] {
        let error = Processes::create(&plan(folder.path(), nodes)).expect_err("it is no number of nodes");
        assert!(matches!(error, TestnetError::Nodes { got, .. } if got == nodes));
    }
    let missing = Plan { program: folder.path().join("assay-node"), ..plan(folder.path(), 1) };
    let error = Processes::create(&missing).expect_err("there is no program").to_string();
    assert!(error.ends_with("assay-node is missing; run 'cargo build -p assay-node'"), "{error}");
    Processes::create(&plan(folder.path(), 1)).expect("the folder is empty");
    let error = Processes::create(&plan(folder.path(), 1)).expect_err("the homes exist").to_string();
    assert!(error.ends_with("n0/config.toml exists, and nothing is overwritten; choose another home"), "{error}");
}

#[tokio::test]
async fn a_node_that_ends_on_its_own_is_told_with_its_log() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let mut nodes = Processes::create(&plan(folder.path(), 1)).expect("the folder is empty");
    let error = nodes.wait_ready(0, SOON).await.expect_err("it was not started").to_string();
    assert_eq!(error, "n0 does not run");

    let _taken = TcpListener::bind(nodes.api(0)).expect("the port was free a moment ago");
    nodes.start(0).expect("the program runs");
    let error = nodes.wait_ready(0, SOON).await.expect_err("its port is taken").to_string();
    assert!(error.starts_with("n0 ended with exit status: 1; its last log lines:\n"), "{error}");
    assert!(error.contains(&format!("api.listen = {} is in use by another process", nodes.api(0))), "{error}");
}

#[tokio::test]
async fn no_process_outlives_the_value_that_started_it() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let mut nodes = Processes::create(&plan(folder.path(), 2)).expect("the folder is empty");
    nodes.start_all().expect("the program runs");
    nodes.wait_all_ready(SOON).await.unwrap_or_else(|error| panic!("{error}"));
    let addresses = [nodes.api(0), nodes.api(1)];
    drop(nodes);
    for address in addresses {
        TcpListener::bind(address).expect("nobody listens there any more");
    }
}
