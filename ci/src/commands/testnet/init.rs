//! `assay testnet init`.

use super::{
    say_json, short,
    table::{Cell, table},
    terminal::in_color,
};
use crate::{failure::Failure, output::say, testnet_args::InitArgs};
use assay_testnet::{
    Owner,
    net::{InitOptions, init},
};

/// Runs the command.
pub fn main(args: &InitArgs) -> Result<u8, Failure> {
    let made = init(&InitOptions {
        profile: args.profile.into(),
        folder: args.folder.clone(),
        host_template: args.host_template.clone(),
        block_interval: args.block_interval,
        accounts: args.accounts,
    })?;
    if args.json {
        say_json(&made);
        return Ok(0);
    }
    say(format_args!("made {} for chain {}", short(&made.folder), made.chain_id));
    let rows: Vec<_> = made
        .nodes
        .iter()
        .map(|node| {
            let role = if node.produces { "produces blocks" } else { "follows the chain" };
            vec![Cell::new(&node.name), Cell::new(role), Cell::new(&node.host), Cell::new(short(&node.home))]
        })
        .collect();
    say(table(&["node", "role", "host", "home"], &rows, in_color()).trim_end());
    say(format_args!("accounts: {} (mode 0600)", short(&made.accounts)));
    say("each home is for one container: mount it as the node's home, and a volume of its own at /data");
    let Owner { user, group } = made.owner;
    say(format_args!("its user has to be {user}:{group}, which the homes are of: with testnet/compose"));
    say(format_args!("  printf 'ASSAY_UID={user}\nASSAY_GID={group}\n' >testnet/compose/.env"));
    Ok(0)
}
