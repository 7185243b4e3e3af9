//! `assay testnet logs`.

use super::{
    open, say_json,
    terminal::{Color, in_color, interrupted, paint},
};
use crate::{failure::Failure, output::say, testnet_args::LogsArgs};
use assay_testnet::net::LogLine;
use std::{pin::pin, time::Duration};

/// Between two looks for new lines.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Runs the command.
pub async fn main(args: &LogsArgs) -> Result<u8, Failure> {
    let net = open(&args.net)?;
    let nodes = net.select(&args.nodes)?;
    let width = nodes.iter().map(|n| net.state().nodes[*n].name.len()).max().unwrap_or(0);
    let (json, in_color) = (args.net.dir.json, in_color());
    let mut each = |line: &LogLine| {
        if json {
            say_json(line);
        } else {
            let name = paint(&format!("{:width$}", line.node), Some(Color::Node(line.number)), in_color);
            say(format_args!("{name}  {}", line.line));
        }
    };
    let mut follow = net.logs(&nodes, args.since, &mut each)?;
    if !args.follow {
        return Ok(0);
    }
    let mut interrupted = pin!(interrupted());
    loop {
        tokio::select! {
            biased;
            () = &mut interrupted => return Ok(0),
            () = tokio::time::sleep(LOOK_AGAIN) => follow.more(&mut each)?,
        }
    }
}
