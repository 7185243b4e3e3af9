//! `assay testnet up`.

use super::{
    root, say_json, short,
    table::{Cell, table},
    terminal::{Line, in_color, interrupted},
    tokens,
};
use crate::{failure::Failure, output::say, testnet_args::UpArgs};
use assay_testnet::net::{Account, Accounts, Existing, Net, Origin, State, Up, UpOptions, up};
use serde::Serialize;
use std::path::PathBuf;

#[derive(Serialize)]
struct Outcome<'a> {
    origin: &'a str,
    ready_in_seconds: f64,
    folder: &'a std::path::Path,
    net: &'a State,
    accounts_file: PathBuf,
    accounts: &'a Accounts,
}

/// Runs the command.
pub async fn main(args: UpArgs) -> Result<u8, Failure> {
    let root = root(&args.dir)?;
    let options = UpOptions {
        name: args.name,
        nodes: args.nodes,
        consensus: args.consensus.map(Into::into),
        ports: args.ports,
        block_interval: args.block_interval,
        accounts: args.accounts,
        program: args.program,
        existing: if args.fresh { Existing::Remove } else { Existing::StartAgain },
    };
    let line = Line::new(args.dir.json);
    line.show(format!("starting testnet {}", options.name));
    let mut tell = |ready: usize, of: usize| line.show(format!("{ready} of {of} nodes ready"));
    let Up { net, origin, ready_in } = up(&root, options, interrupted(), &mut tell).await?;
    drop(line);
    let accounts = net.accounts()?;
    let ready_in_seconds = (ready_in.as_secs_f64() * 100.0).round() / 100.0;
    if args.dir.json {
        say_json(&Outcome {
            origin: match origin {
                Origin::New => "new",
                Origin::Again => "again",
            },
            ready_in_seconds,
            folder: net.folder(),
            net: net.state(),
            accounts_file: net.accounts_file(),
            accounts: &accounts,
        });
        return Ok(0);
    }
    let State { name, consensus, chain_id, nodes, .. } = net.state();
    let count = if nodes.len() == 1 { "1 node".to_owned() } else { format!("{} nodes", nodes.len()) };
    let data = match origin {
        Origin::New => "a new chain",
        Origin::Again => "with its data",
    };
    say(format_args!(
        "testnet {name} is up: {count}, {consensus}, chain {chain_id}, {data}; ready in {ready_in_seconds:.1} s"
    ));
    say("");
    say(endpoints(&net));
    say(funded(&accounts));
    say(format_args!("accounts: {} (mode 0600)", short(&net.accounts_file())));
    say("next: assay testnet status --watch, load --rate 20 --for 10s, chaos kill n0, logs -f, down");
    Ok(0)
}

fn endpoints(net: &Net) -> String {
    let row = |node: &assay_testnet::net::NodeState| {
        let pid = node.process.as_ref().map(|process| process.pid);
        vec![
            Cell::new(&node.name),
            Cell::maybe(pid),
            Cell::new(format!("http://{}", node.api)),
            Cell::new(node.p2p),
            Cell::new(short(&node.log)),
        ]
    };
    let rows: Vec<_> = net.state().nodes.iter().map(row).collect();
    table(&["node", "pid", "api", "peers", "log"], &rows, in_color())
}

fn funded(accounts: &Accounts) -> String {
    let row = |account: &Account| {
        vec![
            Cell::new(&account.name),
            Cell::new(tokens(account.balance)),
            Cell::new(account.address),
            Cell::new(&account.secret),
        ]
    };
    let rows: Vec<_> = [&accounts.faucet].into_iter().chain(&accounts.accounts).map(row).collect();
    table(&["account", "tokens", "address", "secret"], &rows, in_color())
}
