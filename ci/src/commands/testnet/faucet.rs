//! `assay testnet faucet`.

use super::{open, say_json, terminal::Line, tokens};
use crate::{failure::Failure, output::say, testnet_args::FaucetArgs};

/// Runs the command.
pub async fn main(args: &FaucetArgs) -> Result<u8, Failure> {
    let net = open(&args.net)?;
    let mut paid = net.pay(args.address, args.amount).await?;
    if args.wait {
        let line = Line::new(args.net.dir.json);
        line.show(format!("{} waits to be confirmed", paid.hash));
        paid = net.wait_paid(paid).await?;
    }
    if args.net.dir.json {
        say_json(&paid);
        return Ok(0);
    }
    let state = match paid.confirmed_at {
        Some(height) => format!("confirmed in block {height}"),
        None => "not confirmed yet".to_owned(),
    };
    say(format_args!("{} tokens to {}, taken in by {}, {state}", tokens(paid.amount), paid.to, paid.node));
    say(format_args!("transaction {}", paid.hash));
    Ok(0)
}
