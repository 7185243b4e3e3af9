//! `assay testnet chaos`.

use super::{open_to_change, say_json, terminal::Line};
use crate::{
    failure::Failure,
    testnet_args::{ChaosArgs, DeedArg},
};
use assay_testnet::net::Deed;

/// Runs the command. After the first node that fails the others are left alone.
pub async fn main(args: &ChaosArgs) -> Result<u8, Failure> {
    let mut net = open_to_change(&args.net)?;
    let nodes = net.select(&args.nodes)?;
    let deed = match args.deed {
        DeedArg::Kill => Deed::Kill,
        DeedArg::Stop => Deed::Stop,
        DeedArg::Pause => Deed::Pause,
        DeedArg::Resume => Deed::Resume,
        DeedArg::Restart => Deed::Restart,
        DeedArg::Start => Deed::Start,
    };
    let line = Line::new(args.net.dir.json);
    let mut all = Vec::new();
    for n in nodes {
        line.show(net.state().nodes[n].name.clone());
        let done = net.chaos(n, deed).await?;
        if !args.net.dir.json {
            line.say(&done);
        }
        all.push(done);
    }
    drop(line);
    if args.net.dir.json {
        say_json(&all);
    }
    Ok(0)
}
