//! `assay testnet`: one module a command. What they print is here and nowhere else; what they do is in `assay_testnet::net`.

mod backup;
mod chaos;
mod clean;
mod down;
mod dump;
mod faucet;
mod init;
mod list;
mod load;
mod logs;
mod status;
mod table;
mod terminal;
mod up;
mod upgrade;

use crate::{
    failure::Failure,
    output::say,
    testnet_args::{DirArg, NetArg, TestnetArgs, TestnetCommand},
};
use assay_node::types::{Amount, TOKEN};
use assay_testnet::net::{Net, Root};
use serde::Serialize;
use std::path::Path;

/// Runs the command.
pub fn main(args: TestnetArgs) -> Result<u8, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        Failure::Infrastructure(format!("cannot set up the process: {error}; check the limits of this user"))
    })?;
    runtime.block_on(async {
        match args.command {
            TestnetCommand::Up(args) => up::main(args).await,
            TestnetCommand::Status(args) => status::main(&args).await,
            TestnetCommand::Logs(args) => logs::main(&args).await,
            TestnetCommand::Load(args) => load::main(&args).await,
            TestnetCommand::Faucet(args) => faucet::main(&args).await,
            TestnetCommand::Chaos(args) => chaos::main(&args).await,
            TestnetCommand::Backup(args) => backup::create(&args).await,
            TestnetCommand::Restore(args) => backup::restore(&args).await,
            TestnetCommand::Upgrade(args) => upgrade::main(&args).await,
            TestnetCommand::Dump(args) => dump::main(&args).await,
            TestnetCommand::Down(args) => down::main(&args).await,
            TestnetCommand::List(args) => list::main(&args),
            TestnetCommand::Clean(args) => clean::main(&args).await,
            TestnetCommand::Init(args) => init::main(&args),
        }
    })
}

fn root(DirArg { dir, .. }: &DirArg) -> Result<Root, Failure> {
    Ok(Root::new(dir)?)
}

/// The net, to look at.
fn open(NetArg { name, dir }: &NetArg) -> Result<Net, Failure> {
    Ok(Net::open(&root(dir)?, name)?)
}

/// The net, to change.
fn open_to_change(NetArg { name, dir }: &NetArg) -> Result<Net, Failure> {
    Ok(Net::open_to_change(&root(dir)?, name)?)
}

fn say_json(value: &impl Serialize) {
    say(serde_json::to_string(value).expect("what is told has a JSON form"));
}

/// A path as people type it: relative to the working directory when it is below.
fn short(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    let below = here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned));
    below.as_deref().unwrap_or(path).display().to_string()
}

/// An amount in tokens, without zeros that say nothing.
fn tokens(Amount(amount): Amount) -> String {
    let (whole, part) = (amount / TOKEN.0, amount % TOKEN.0);
    let part = format!("{part:06}");
    let part = part.trim_end_matches('0');
    if part.is_empty() { whole.to_string() } else { format!("{whole}.{part}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_told_in_tokens() {
        let told = [0, 1, 1_000_000, 1_500_000, 1_000_000_000_000].map(|amount| tokens(Amount(amount)));
        assert_eq!(told, ["0", "0.000001", "1", "1.5", "1000000"]);
    }
}
