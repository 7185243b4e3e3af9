//! `assay testnet list`.

use super::{
    root, say_json, short,
    table::{Cell, table},
    terminal::{Color, in_color},
};
use crate::{failure::Failure, output::say, testnet_args::ListArgs};
use assay_node::types::Consensus;
use assay_testnet::net::{Net, NetError};
use serde::Serialize;
use std::path::PathBuf;

#[derive(Serialize)]
struct Entry {
    name: String,
    latest: bool,
    consensus: Option<Consensus>,
    nodes: usize,
    running: usize,
    meant_to_run: bool,
    age_seconds: u64,
    folder: PathBuf,
    error: Option<String>,
}

/// Runs the command.
pub fn main(args: &ListArgs) -> Result<u8, Failure> {
    let root = root(&args.dir)?;
    let latest = root.latest();
    let mut entries = Vec::new();
    for (name, state) in root.nets()? {
        let is_latest = latest.as_ref() == Some(&name);
        let entry = match state.and_then(|_| Net::open(&root, &name)) {
            Ok(net) => of_net(&net, is_latest),
            Err(error) => of_broken(name, root.path().to_owned(), is_latest, &error),
        };
        entries.push(entry);
    }
    if args.dir.json {
        say_json(&entries);
        return Ok(0);
    }
    if entries.is_empty() {
        eprintln!("assay: there is no testnet in {}; 'assay testnet up' starts one", short(root.path()));
        return Ok(0);
    }
    let rows: Vec<_> = entries.iter().map(row).collect();
    say(table(&["name", "consensus", "nodes", "state", "age", "folder", ""], &rows, in_color()).trim_end());
    Ok(0)
}

fn of_net(net: &Net, latest: bool) -> Entry {
    let state = net.state();
    Entry {
        name: state.name.clone(),
        latest,
        consensus: Some(state.consensus),
        nodes: state.nodes.len(),
        running: net.running().len(),
        meant_to_run: state.running,
        age_seconds: net.age().as_secs(),
        folder: net.folder().to_owned(),
        error: None,
    }
}

fn of_broken(name: String, root: PathBuf, latest: bool, error: &NetError) -> Entry {
    Entry {
        folder: root.join(&name),
        name,
        latest,
        consensus: None,
        nodes: 0,
        running: 0,
        meant_to_run: false,
        age_seconds: 0,
        error: Some(error.to_string()),
    }
}

fn row(entry: &Entry) -> Vec<Cell> {
    let Entry { name, latest, consensus, nodes, running, meant_to_run, age_seconds, folder, error } = entry;
    let state = match (error, running, meant_to_run) {
        (Some(_), ..) => Cell::new("broken").color(Color::Red),
        (None, 0, false) => Cell::new("down"),
        (None, running, true) if running == nodes => Cell::new("running").color(Color::Green),
        (None, running, true) => Cell::new(format!("{running} of {nodes} run")).color(Color::Yellow),
        (None, running, false) => Cell::new(format!("{running} left over: 'clean'")).color(Color::Red),
    };
    let note = error.as_deref().unwrap_or(if *latest { "latest" } else { "" });
    vec![
        Cell::new(name),
        Cell::maybe(consensus.map(|consensus| consensus.to_string())),
        Cell::new(nodes),
        state,
        Cell::new(age(*age_seconds)),
        Cell::new(short(folder)),
        Cell::new(note),
    ]
}

/// In the largest unit of which there are some.
fn age(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}
