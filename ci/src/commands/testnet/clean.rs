//! `assay testnet clean`.

use super::{
    root, say_json, short,
    table::{Cell, table},
    terminal::in_color,
};
use crate::{failure::Failure, output::say, testnet_args::CleanArgs};
use assay_testnet::{
    live::{LiveLeftover, live_leftovers},
    net::{Ending, Leftover, leftovers},
};
use serde::Serialize;

#[derive(Serialize)]
struct Entry<'a> {
    #[serde(flatten)]
    leftover: &'a Leftover,
    ending: Option<Ending>,
}

/// What live runs left behind is told with its kind.
#[derive(Serialize)]
struct LiveEntry<'a> {
    #[serde(flatten)]
    leftover: &'a LiveLeftover,
    removed: bool,
}

#[derive(Serialize)]
struct Cleaned<'a> {
    processes: Vec<Entry<'a>>,
    live: Vec<LiveEntry<'a>>,
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
    let live = live_leftovers().await?;
    for leftover in live.iter().filter(|_| args.yes) {
        leftover.end().await?;
    }
    let nothing = found.is_empty() && live.is_empty();
    let remain = !nothing && !args.yes;
    if args.dir.json {
        let live = live.iter().map(|leftover| LiveEntry { leftover, removed: args.yes }).collect();
        say_json(&Cleaned { processes: entries, live });
        return Ok(u8::from(remain));
    }
    if nothing {
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
    if !rows.is_empty() {
        say(table(&["pid", "state", "home", "why"], &rows, in_color()).trim_end());
    }
    let word = if args.yes { "removed" } else { "left over" };
    for leftover in &live {
        match leftover {
            LiveLeftover::Volume { at } => say(format_args!("volume {} of a live run: {word}", short(at))),
            LiveLeftover::Containers { folder, .. } => {
                say(format_args!("containers of the live run in {}: {word}", short(folder)));
            }
        }
    }
    if remain {
        say("'assay testnet clean --yes' ends and removes them");
    }
    Ok(u8::from(remain))
}
