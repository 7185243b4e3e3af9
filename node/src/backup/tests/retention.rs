//! Names, lists, and which archives are to go.

use super::{NOW, disks::Memory, manifest};
use crate::{
    backup::{Folder, Keep, folder::Place, writer::Writer},
    types::{ChainId, Height, Timestamp},
};
use std::sync::Arc;

const DAY_MS: u64 = 24 * 3600 * 1000;

fn folder() -> (Memory, Folder) {
    let files = Memory::default();
    (files.clone(), Folder::new(Arc::new(files), "/backups".into()))
}

/// Begins an archive and writes all but its name.
fn write(folder: &Folder, chain: &str, height: u64, created: Timestamp) -> (String, std::path::PathBuf) {
    let manifest = manifest(chain, height, created);
    let Place { name, partial, out } =
        folder.begin(&manifest.chain_id, Height(height), created).expect("a name is free");
    let mut writer = Writer::new(out).expect("memory takes all");
    writer.begin("CURRENT");
    writer.chunk(b"MANIFEST-000005\n").expect("memory takes all");
    writer.end();
    writer.finish(manifest).expect("memory takes all");
    (name, partial)
}

fn make(folder: &Folder, chain: &str, height: u64, created: Timestamp) -> String {
    let (name, partial) = write(folder, chain, height, created);
    folder.publish(&name, &partial).expect("the name is free");
    name
}

fn listed(folder: &Folder) -> Vec<String> {
    folder.list().expect("it can be read").backups.into_iter().map(|backup| backup.name).collect()
}

#[test]
fn a_backup_is_listed_from_its_last_byte_on() {
    let (files, folder) = folder();
    assert_eq!(listed(&folder), Vec::<String>::new());
    let (name, partial) = write(&folder, "test", 5, NOW);
    assert_eq!(listed(&folder), Vec::<String>::new());
    folder.publish(&name, &partial).expect("the name is free");
    assert_eq!(listed(&folder), [name.as_str()]);
    write(&folder, "test", 6, NOW);
    write(&folder, "other", 6, NOW);
    folder.clean(&"test".parse().expect("it is a chain id")).expect("it can be removed");
    let other = "/backups/other-000000000006-20231114T221320000Z.backup.partial".to_owned();
    assert_eq!(files.names(), [other, format!("/backups/{name}")], "another chain's are not touched");
}

#[test]
fn backups_of_one_moment_have_names_of_their_own() {
    let (_, folder) = folder();
    let under_way = write(&folder, "test", 5, NOW);
    let names = [make(&folder, "test", 5, NOW), make(&folder, "test", 5, NOW)];
    folder.publish(&under_way.0, &under_way.1).expect("the name was kept for it");
    insta::assert_snapshot!(listed(&folder).join("\n"), @r"
    test-000000000005-20231114T221320000Z.backup
    test-000000000005-20231114T221320000Z-3.backup
    test-000000000005-20231114T221320000Z-2.backup
    ");
    assert!(!names.contains(&under_way.0));
}

#[test]
fn damaged_ones_are_told_and_neither_counted_nor_removed() {
    let (files, folder) = folder();
    let old = make(&folder, "test", 1, Timestamp(NOW.0 - 90 * DAY_MS));
    let damaged = make(&folder, "test", 2, Timestamp(NOW.0 - 80 * DAY_MS));
    files.with(|files| files.get_mut(&folder.dir().join(&damaged)).expect("it is there").pop());
    let listing = folder.list().expect("it can be read");
    assert_eq!(listing.damaged.iter().map(|(name, _)| name).collect::<Vec<_>>(), [&damaged]);
    let chain: ChainId = "test".parse().expect("it is a chain id");
    let outdated = |min| folder.outdated(&chain, Keep { days: 30, min }, NOW).expect("it can be read");
    assert_eq!(outdated(1), []);
    assert_eq!(outdated(0).into_iter().map(|backup| backup.name).collect::<Vec<_>>(), [old]);
}

/// Heights of those that are to go, of backups that were made so many days ago.
fn outdated(ages: &[u64], keep: Keep) -> Vec<u64> {
    let (_, folder) = folder();
    for age in ages {
        make(&folder, "test", 1000 - age, Timestamp(NOW.0 - age * DAY_MS));
        make(&folder, "other", 1000 - age, Timestamp(NOW.0 - age * DAY_MS));
    }
    let chain: ChainId = "test".parse().expect("it is a chain id");
    let outdated = folder.outdated(&chain, keep, NOW).expect("it can be read");
    assert!(outdated.iter().all(|backup| backup.chain_id == chain));
    outdated.into_iter().map(|backup| backup.height.0).collect()
}

#[test]
fn old_ones_go_and_the_newest_stay_however_old_they_are() {
    let ages = [0, 1, 29, 30, 31, 60];
    assert_eq!(outdated(&ages, Keep { days: 30, min: 2 }), [969, 940]);
    assert_eq!(outdated(&ages, Keep { days: 1, min: 2 }), [971, 970, 969, 940]);
    assert_eq!(outdated(&ages, Keep { days: 1, min: 5 }), [940]);
    assert_eq!(outdated(&ages, Keep { days: 1, min: 9 }), [0_u64; 0]);
    assert_eq!(outdated(&[40, 50, 60], Keep { days: 30, min: 2 }), [940]);
    assert_eq!(outdated(&[], Keep { days: 1, min: 1 }), [0_u64; 0]);
}

#[test]
fn one_from_the_future_is_new() {
    let (_, folder) = folder();
    make(&folder, "test", 1, Timestamp(NOW.0 + 400 * DAY_MS));
    let chain: ChainId = "test".parse().expect("it is a chain id");
    assert_eq!(folder.outdated(&chain, Keep { days: 1, min: 0 }, NOW).expect("it can be read"), []);
}
