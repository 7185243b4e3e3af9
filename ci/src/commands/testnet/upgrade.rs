//! `assay testnet upgrade`.

use super::{
    open_to_change, say_json, short,
    terminal::{Line, interrupted},
};
use crate::{failure::Failure, output::say, testnet_args::UpgradeArgs};
use assay_testnet::net::Upgraded;

/// Runs the command.
pub async fn main(args: &UpgradeArgs) -> Result<u8, Failure> {
    let mut net = open_to_change(&args.net)?;
    let json = args.net.dir.json;
    let line = Line::new(json);
    line.show("upgrading");
    let mut tell = |Upgraded { node, version, seconds, height, .. }: &Upgraded| {
        if !json {
            line.say(format_args!("{node}: release {version}, well after {seconds:.1} s, at height {height}"));
        }
    };
    let upgraded = net.upgrade(&args.program, args.health_within, interrupted(), &mut tell).await?;
    drop(line);
    if json {
        say_json(&upgraded);
    } else {
        say(format_args!("{} nodes run {}", upgraded.len(), short(&net.state().program)));
    }
    Ok(0)
}
