//! `assay testnet backup` and `restore`.

use super::{
    open, open_to_change, say_json, short,
    table::{Cell, table},
    terminal::{Line, in_color},
};
use crate::{
    failure::Failure,
    output::say,
    testnet_args::{BackupArgs, RestoreArgs},
};
use assay_testnet::net::{BackedUp, NetError, RestoreKind, Restored};

/// Runs `backup`.
pub async fn create(args: &BackupArgs) -> Result<u8, Failure> {
    let net = open(&args.net)?;
    let mut all = Vec::new();
    let line = Line::new(args.net.dir.json);
    for n in net.select(&args.nodes)? {
        line.show(format!("backing up {}", net.state().nodes[n].name));
        all.push(net.backup(n).await?);
    }
    drop(line);
    if args.net.dir.json {
        say_json(&all);
        return Ok(0);
    }
    let row = |BackedUp { node, path, backup }: &BackedUp| {
        vec![Cell::new(node), Cell::new(backup.height), Cell::new(kib(backup.bytes)), Cell::new(short(path))]
    };
    let rows: Vec<_> = all.iter().map(row).collect();
    say(table(&["node", "height", "size", "archive"], &rows, in_color()).trim_end());
    Ok(0)
}

/// Runs `restore`.
pub async fn restore(args: &RestoreArgs) -> Result<u8, Failure> {
    let mut net = open_to_change(&args.net)?;
    let selected = net.select(std::slice::from_ref(&args.node))?;
    let &[n] = selected.as_slice() else {
        return Err(NetError::Usage("one node at a time is restored; name one".into()).into());
    };
    let kind = if args.dry_run { RestoreKind::DryRun } else { RestoreKind::Replace };
    let line = Line::new(args.net.dir.json);
    line.show(format!("restoring {}", args.node));
    let restored = net.restore(n, args.archive.as_deref(), kind).await?;
    drop(line);
    if args.net.dir.json {
        say_json(&restored);
        return Ok(0);
    }
    let Restored { node, archive, backup, kept, outcome } = &restored;
    let word = if args.dry_run { "would be restored" } else { "restored" };
    say(format_args!("{node}: {word} to height {} from {archive}", backup.height));
    if let Some(kept) = kept {
        say(format_args!("{node}: the database that was there is kept: {}", short(kept)));
    }
    say(format_args!("{node}: {outcome}"));
    Ok(0)
}

fn kib(bytes: u64) -> String {
    format!("{} KiB", bytes.div_ceil(1024))
}
