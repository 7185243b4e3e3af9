//! `assay testnet clean`.

use super::{
    root, say_json, short,
    table::{Cell, table},
    terminal::in_color,
};
use crate::{failure::Failure, output::say, testnet_args::CleanArgs};
use assay_testnet::net::{Ending, Leftover, leftovers};
use serde::Serialize;

#[derive(Serialize)]
struct Entry<'a> {
    #[serde(flatten)]
    leftover: &'a Leftover,
    ending: Option<Ending>,
}

/// Runs the command.
pub async fn main(args: &CleanArgs) -> Result<u8, Failure> {
    let root = root(&args.dir)?;
    let found = leftovers(&root)?;
    let mut entries = Vec::new();
    for leftover in &found {
        let ending = if args.yes { Some(leftover.end().await?) } else { None };
        entries.push(Entry { leftover, ending });
    }
    let remain = !found.is_empty() && !args.yes;
    if args.dir.json {
        say_json(&entries);
        return Ok(u8::from(remain));
    }
    if found.is_empty() {
        say(format_args!("nothing is left over in {}", short(root.path())));
        return Ok(0);
    }
    let row = |Entry { leftover, ending }: &Entry<'_>| {
        let word = match ending {
            None => "runs",
            Some(Ending::Stopped) => "stopped in order",
            Some(Ending::Killed) => "killed",
            Some(Ending::Gone) => "had ended",
        };
        let home = leftover.home.as_deref().map(short);
        vec![Cell::new(leftover.process.pid), Cell::new(word), Cell::maybe(home), Cell::new(&leftover.reason)]
    };
    let rows: Vec<_> = entries.iter().map(row).collect();
    say(table(&["pid", "state", "home", "why"], &rows, in_color()).trim_end());
    if remain {
        say("'assay testnet clean --yes' ends them");
    }
    Ok(u8::from(remain))
}
