//! The commands about backups.

use super::{
    args::HomeArg,
    backup_args::{BackupCommand, Create, List, Prune, Restore, Verify},
    commands::{print, print_pairs},
    failure::CommandError,
    progress::Line,
};
use crate::{
    backup::{BackupInfo, Keep, Mode},
    native::{
        backups::{self, Backups, BackupsError},
        config_file,
        home::Home,
    },
    types::Timestamp,
};
use serde_json::json;
use std::{
    io::{self, BufRead, IsTerminal, Write},
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

pub fn run(command: BackupCommand) -> Result<(), CommandError> {
    match command {
        BackupCommand::Create(args) => create(&args),
        BackupCommand::List(args) => list(&args),
        BackupCommand::Verify(args) => verify(&args),
        BackupCommand::Restore(args) => restore(&args),
        BackupCommand::Prune(args) => prune(&args),
    }
}

fn open(home: &Path) -> Result<Backups, CommandError> {
    let home = Home::new(home)?;
    let effective = config_file::load(Some(&home.config()), Vec::new())?;
    Ok(Backups::new(home, effective.config)?)
}

fn create(Create { home: HomeArg { home }, url, to, json }: &Create) -> Result<(), CommandError> {
    let backups = open(home)?;
    let mut line = Line::new();
    let made = backups.create(url.as_deref(), &mut |done, total| line.show("back up", done, total))?;
    let copy = to.as_ref().map(|to| backups.copy(&made, to, &mut |done, total| line.show("copy", done, total)));
    let copy = copy.transpose()?;
    drop(line);
    let path = backups.folder().dir().join(&made.name);
    if *json {
        return print_json(&json!({ "path": path, "copy": copy, "backup": made }));
    }
    let mut shown = vec![("backup", path.display().to_string())];
    shown.extend(copy.map(|copy| ("copy", copy.display().to_string())));
    shown.extend(described(&made));
    print_pairs(&shown, false)
}

fn list(List { home: HomeArg { home }, json }: &List) -> Result<(), CommandError> {
    let backups = open(home)?;
    let dir = backups.folder().dir();
    let failed = |cause| BackupsError::Folder { path: dir.to_owned(), cause };
    let listing = backups.folder().list().map_err(failed)?;
    if *json {
        let damaged =
            |(name, error): &(String, crate::backup::ArchiveError)| json!({ "name": name, "cause": error.to_string() });
        let damaged: Vec<_> = listing.damaged.iter().map(damaged).collect();
        return print_json(&json!({ "directory": dir, "backups": listing.backups, "damaged": damaged }));
    }
    if listing.backups.is_empty() && listing.damaged.is_empty() {
        return print(&format!("no backups in {}\n", dir.display()));
    }
    let width = listing.backups.iter().map(|backup| backup.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for BackupInfo { name, height, bytes, created, .. } in &listing.backups {
        text += &format!("{name:width$}  height {height:>9}  {:>10}  {}\n", size(*bytes), time(*created));
    }
    for (_, error) in &listing.damaged {
        text += &format!("{error}\n");
    }
    print(&text)
}

fn verify(Verify { archives, all, home, json }: &Verify) -> Result<(), CommandError> {
    let backups = home.as_ref().map(|home| open(home)).transpose()?;
    let folder = backups.as_ref().map(Backups::folder);
    let mut paths: Vec<_> = archives.iter().map(|typed| backups::archive(typed, folder)).collect();
    if let (true, Some(folder)) = (*all, folder) {
        let failed = |cause| BackupsError::Folder { path: folder.dir().to_owned(), cause };
        let listing = folder.list().map_err(failed)?;
        let names = listing.backups.into_iter().map(|backup| backup.name);
        paths
            .extend(names.chain(listing.damaged.into_iter().map(|(name, _)| name)).map(|name| folder.dir().join(name)));
    }
    let (mut whole, mut damaged) = (Vec::new(), Vec::new());
    for path in &paths {
        let mut line = Line::new();
        match backups::verify(path, &mut |done, total| line.show("verify", done, total)) {
            Ok(backup) => whole.push((path, backup)),
            // Of one alone it is the command's failure.
            Err(error) if paths.len() == 1 && !json => return Err(error.into()),
            Err(error) => damaged.push((path, error.to_string())),
        }
    }
    if *json {
        let whole: Vec<_> = whole.iter().map(|(path, backup)| json!({ "path": path, "backup": backup })).collect();
        let damaged: Vec<_> = damaged.iter().map(|(path, cause)| json!({ "path": path, "cause": cause })).collect();
        print_json(&json!({ "whole": whole, "damaged": damaged }))?;
    } else {
        let told = |path: &Path, BackupInfo { height, hash, .. }: &BackupInfo| {
            format!("{} is whole: height {height}, {hash}\n", path.display())
        };
        let lines: String = whole.iter().map(|(path, backup)| told(path, backup)).collect();
        let damage: String = damaged.iter().map(|(_, cause)| format!("{cause}\n")).collect();
        print(&(lines + &damage))?;
    }
    match damaged.len() {
        0 => Ok(()),
        count => Err(CommandError::SomeDamaged { damaged: count, all: paths.len() }),
    }
}

fn restore(Restore { archive, home: HomeArg { home }, dry_run, yes, json }: &Restore) -> Result<(), CommandError> {
    let backups = open(home)?;
    let archive = backups::archive(archive, Some(backups.folder()));
    let mode = if *dry_run { Mode::DryRun } else { Mode::Replace };
    if mode == Mode::Replace && !yes && backups.has_database() {
        confirm(&format!("this replaces the database of {}, which is kept beside it", home.display()))?;
    }
    let mut line = Line::new();
    let restored = backups.restore(&archive, mode, &mut |at| line.show(at.what, at.done, at.total))?;
    drop(line);
    if *json {
        return print_json(&json!({ "dry_run": dry_run, "backup": restored.backup, "kept": restored.kept }));
    }
    let mut shown = vec![(if *dry_run { "would_restore" } else { "restored" }, archive.display().to_string())];
    shown.extend(described(&restored.backup));
    shown.extend(restored.kept.map(|kept| ("kept", kept.display().to_string())));
    print_pairs(&shown, false)
}

fn prune(Prune { home: HomeArg { home }, keep_days, keep_min, dry_run, json }: &Prune) -> Result<(), CommandError> {
    let backups = open(home)?;
    let Keep { days, min } = backups.keep();
    let keep = Keep { days: keep_days.unwrap_or(days), min: keep_min.map_or(min, |min| min as usize) };
    let mode = if *dry_run { Mode::DryRun } else { Mode::Replace };
    let pruned = backups.prune(keep, mode)?;
    if *json {
        return print_json(&json!({ "dry_run": dry_run, "removed": pruned }));
    }
    let word = if *dry_run { "would remove" } else { "removed" };
    match pruned.is_empty() {
        true => print("nothing to remove\n"),
        false => print(&pruned.iter().map(|backup| format!("{word} {}\n", backup.name)).collect::<String>()),
    }
}

/// Asks on a terminal. Elsewhere nobody could answer.
fn confirm(question: &str) -> Result<(), CommandError> {
    let refused = || CommandError::NotConfirmed(question.to_owned());
    if !io::stdin().is_terminal() {
        return Err(refused());
    }
    write!(io::stderr(), "{question}: type yes to go on: ").and_then(|()| io::stderr().flush())?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if answer.trim() == "yes" { Ok(()) } else { Err(refused()) }
}

fn described(backup: &BackupInfo) -> [(&'static str, String); 5] {
    [
        ("chain", backup.chain_id.to_string()),
        ("height", backup.height.to_string()),
        ("hash", backup.hash.to_string()),
        ("created", time(backup.created)),
        ("size", format!("{}, of a database of {}", size(backup.bytes), size(backup.content_bytes))),
    ]
}

/// A size as people read it.
fn size(bytes: u64) -> String {
    match bytes {
        0..0x10_0000 => format!("{:.1} KiB", bytes as f64 / f64::from(1 << 10)),
        _ => format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20)),
    }
}

/// A time as people read it, in UTC; milliseconds when no calendar has it.
fn time(at: Timestamp) -> String {
    match UNIX_EPOCH.checked_add(Duration::from_millis(at.0)) {
        Some(time) if at.0 < 253_402_300_800_000 => humantime::format_rfc3339_seconds(time).to_string(),
        _ => format!("{} ms", at.0),
    }
}

fn print_json(value: &serde_json::Value) -> Result<(), CommandError> {
    print(&format!("{value:#}\n"))
}
