//! `assay testnet dump`.

use super::{open, say_json, short, terminal::Line};
use crate::{failure::Failure, output::say, testnet_args::DumpArgs};

/// Runs the command.
pub async fn main(args: &DumpArgs) -> Result<u8, Failure> {
    let net = open(&args.net)?;
    let line = Line::new(args.net.dir.json);
    line.show("asking the nodes");
    let dumped = net.dump(args.out.as_deref()).await?;
    drop(line);
    if args.net.dir.json {
        say_json(&dumped);
        return Ok(0);
    }
    let (entries, size) = (dumped.entries.len(), dumped.bytes.div_ceil(1024));
    say(format_args!("{}: {entries} files, {size} KiB, no secrets", short(&dumped.path)));
    for missing in &dumped.missing {
        say(format_args!("not in it: {missing}"));
    }
    Ok(0)
}
