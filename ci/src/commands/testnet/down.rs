//! `assay testnet down`.

use super::{open_to_change, say_json, short, terminal::Line};
use crate::{failure::Failure, output::say, testnet_args::DownArgs};
use assay_testnet::net::{Ending, Wipe};
use serde::Serialize;

#[derive(Serialize)]
struct Outcome<'a> {
    name: &'a str,
    nodes: Vec<NodeOutcome<'a>>,
    wiped: bool,
}

#[derive(Serialize)]
struct NodeOutcome<'a> {
    name: &'a str,
    ending: Ending,
}

/// Runs the command.
pub async fn main(args: &DownArgs) -> Result<u8, Failure> {
    let net = open_to_change(&args.net)?;
    let (name, folder) = (net.state().name.clone(), net.folder().to_owned());
    let line = Line::new(args.net.dir.json);
    line.show(format!("ending testnet {name}"));
    let down = net.down(if args.wipe { Wipe::Remove } else { Wipe::Keep }).await?;
    drop(line);
    if args.net.dir.json {
        let nodes = down.nodes.iter().map(|(name, ending)| NodeOutcome { name, ending: *ending }).collect();
        say_json(&Outcome { name: &name, nodes, wiped: args.wipe });
        return Ok(0);
    }
    let of = |wanted: Ending| {
        let names: Vec<_> = down.nodes.iter().filter(|(_, it)| *it == wanted).map(|(name, _)| name.as_str()).collect();
        (!names.is_empty()).then(|| names.join(", "))
    };
    let parts = [
        of(Ending::Stopped).map(|names| format!("{names} stopped in order")),
        of(Ending::Killed).map(|names| format!("{names} did not end in time and had to be killed")),
        of(Ending::Gone).map(|names| format!("{names} did not run")),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    say(format_args!("testnet {name} is down: {}; no process and no port is left", parts.join("; ")));
    let folder = short(&folder);
    say(match args.wipe {
        true => format!("{folder} is removed"),
        false => format!("its data is in {folder}: 'assay testnet up --name {name}' goes on, 'down --wipe' removes it"),
    });
    Ok(0)
}
