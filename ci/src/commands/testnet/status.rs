//! `assay testnet status`.

use super::{
    open, say_json,
    table::{Cell, table},
    terminal::{Color, in_color, interrupted},
};
use crate::{failure::Failure, output::say, testnet_args::StatusArgs};
use assay_node::api::model::HealthStatus;
use assay_testnet::net::{NodeStatus, RunState, Status};
use std::{io::IsTerminal, pin::pin, time::Duration};

/// Between two pictures.
const REDRAW: Duration = Duration::from_secs(1);

/// Runs the command.
pub async fn main(args: &StatusArgs) -> Result<u8, Failure> {
    let watches = args.watch && !args.net.dir.json && std::io::stdout().is_terminal();
    if !watches {
        let status = open(&args.net)?.status().await;
        if args.net.dir.json {
            say_json(&status);
        } else {
            say(picture(&status, in_color()).trim_end());
        }
        return Ok(u8::from(!status.healthy));
    }
    let mut interrupted = pin!(interrupted());
    // The screen is cleared once; after that each picture is drawn over the one before, so that nothing flickers.
    let mut clear = "\x1b[2J";
    loop {
        // Opened anew each time: other commands start and end nodes meanwhile.
        let status = open(&args.net)?.status().await;
        let picture = picture(&status, in_color());
        say(format_args!("{clear}\x1b[H{}\x1b[K\x1b[J", picture.trim_end().replace('\n', "\x1b[K\n")));
        clear = "";
        tokio::select! {
            biased;
            () = &mut interrupted => return Ok(u8::from(!status.healthy)),
            () = tokio::time::sleep(REDRAW) => {}
        }
    }
}

fn picture(status: &Status, in_color: bool) -> String {
    let head = ["node", "state", "pid", "height", "confirmed", "peers", "waiting", "storage", "health", "api"];
    let rows: Vec<_> = status.nodes.iter().map(row).collect();
    let word = match (status.meant_to_run, status.healthy) {
        (false, _) => "down",
        (true, true) => "well",
        (true, false) => "not well",
    };
    let title = format!("testnet {}: {word}, {}, chain {}\n", status.name, status.consensus, status.chain_id);
    let amiss =
        status.nodes.iter().flat_map(|node| node.amiss.iter().map(move |what| format!("{}: {what}\n", node.name)));
    title + &table(&head, &rows, in_color) + &amiss.collect::<String>()
}

fn row(node: &NodeStatus) -> Vec<Cell> {
    vec![
        Cell::new(&node.name),
        match node.state {
            RunState::Running => Cell::new("running").color(Color::Green),
            RunState::Paused => Cell::new("paused").color(Color::Yellow),
            RunState::Stopped => Cell::new("stopped").color(Color::Yellow),
            RunState::Crashed => Cell::new("crashed").color(Color::Red),
        },
        Cell::maybe(node.pid),
        Cell::maybe(node.height),
        Cell::maybe(node.confirmed_height),
        Cell::maybe(node.peers),
        Cell::maybe(node.waiting),
        health(node.storage),
        health(node.health),
        Cell::new(&node.api),
    ]
}

fn health(status: Option<HealthStatus>) -> Cell {
    match status {
        None => Cell::new("-"),
        Some(HealthStatus::Ok) => Cell::new("ok").color(Color::Green),
        Some(HealthStatus::Degraded) => Cell::new("degraded").color(Color::Yellow),
        Some(HealthStatus::Unavailable) => Cell::new("unavailable").color(Color::Red),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_node::types::{Consensus, Height};

    #[test]
    fn a_picture_has_a_line_for_each_node_and_what_is_amiss_below() {
        let node = |name: &str, state, height: Option<u64>| NodeStatus {
            name: name.into(),
            state,
            pid: height.map(|height| height as u32 + 4000),
            height: height.map(Height),
            confirmed_height: height.map(|height| Height(height.saturating_sub(6))),
            sync: None,
            peers: height.map(|_| 2),
            waiting: height.map(|_| 0),
            storage: height.map(|_| HealthStatus::Ok),
            health: height.map(|_| HealthStatus::Degraded),
            ready: height.is_some(),
            amiss: height.map(|_| "peers: none connected".into()).into_iter().collect(),
            version: None,
            api: "http://127.0.0.1:8000".into(),
        };
        let status = Status {
            name: "dev".into(),
            consensus: Consensus::Pow,
            chain_id: "dev".parse().expect("it is a chain's name"),
            folder: "/nets/dev".into(),
            meant_to_run: true,
            healthy: false,
            nodes: vec![node("n0", RunState::Running, Some(120)), node("n1", RunState::Crashed, None)],
        };
        insta::assert_snapshot!(picture(&status, false), @r"
        testnet dev: not well, pow, chain dev
        node  state     pid  height  confirmed  peers  waiting  storage  health    api
        n0    running  4120     120        114      2        0  ok       degraded  http://127.0.0.1:8000
        n1    crashed     -       -          -      -        -  -        -         http://127.0.0.1:8000
        n0: peers: none connected
        ");
    }
}
