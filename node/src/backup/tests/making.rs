//! A backup of a store is all of it or nothing.

use super::{
    NOW,
    disks::{Failing, damage},
    genesis,
};
use crate::{
    backup::{ArchiveError, BackupError, BackupInfo, Creation, Folder, Terms, copy, create},
    native::{files::SystemFiles, seams},
    seams::{Disk, Files, Space},
    storage::{Rebuild, Settings, Store},
};
use std::path::Path;
use tempfile::TempDir;

const TERMS: Terms = Terms { now: NOW, reserve_bytes: 1000 };

fn open(disk: &Disk, dir: &TempDir) -> Store {
    Store::open(disk, &dir.path().join("db"), genesis("test"), Settings::default()).expect("a new store")
}

fn folder(disk: &Disk, dir: &TempDir) -> Folder {
    Folder::new(disk.files.clone(), dir.path().join("backups"))
}

fn names(dir: &Path) -> Vec<String> {
    SystemFiles.list(dir).unwrap_or_default().into_iter().map(|entry| entry.name).collect()
}

#[test]
fn a_backup_says_what_it_is() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let disk = seams::disk().expect("the default environment");
    let (store, folder) = (open(&disk, &dir), folder(&disk, &dir));
    let mut seen = Vec::new();
    let made = create(&store, &folder, TERMS, &mut |done, total| seen.push((done, total))).expect("there is room");
    let BackupInfo { name, created, chain_id, genesis, schema, height, hash, content_bytes, .. } = made.clone();
    assert_eq!(name, "test-000000000000-20231114T221320000Z.backup");
    let head = store.head().expect("it can be read");
    assert_eq!((created, chain_id.to_string().as_str(), schema), (NOW, "test", 2));
    assert_eq!((height, hash, genesis), (head.height, head.hash, head.hash));
    assert_eq!((seen[0].0, seen.last()), (0, Some(&(content_bytes, content_bytes))));
    assert_eq!(folder.list().expect("it can be read").backups, [made]);
    assert_eq!(names(dir.path()), ["backups", "db"], "the checkpoint is gone");
}

#[test]
fn of_a_backup_that_fails_nothing_is_left() {
    let mut failures = 0;
    for changes in 0.. {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let sound = seams::disk().expect("the default environment");
        let store = open(&sound, &dir);
        let failing = Failing::after(changes);
        let folder = Folder::new(failing.disk().files, dir.path().join("backups"));
        match create(&store, &folder, TERMS, &mut |_, _| {}) {
            Ok(_) => break,
            Err(error) => assert!(matches!(error, BackupError::File { .. }), "{error}"),
        }
        assert!(failing.is_spent());
        // The last change makes a name durable that is there already.
        let is_named = folder.list().expect("it can be read").backups.len() == 1;
        assert_eq!(names(folder.dir()).len(), usize::from(is_named), "{changes} changes worked");
        assert!(!names(dir.path()).contains(&"db.checkpoint".to_owned()), "{changes} changes worked");
        assert_eq!((store.take_trouble(), store.is_open()), (None, true), "the node does not feel it");
        failures += 1;
    }
    assert!(failures > 8, "{failures}");
}

#[test]
fn what_is_given_up_leaves_nothing_and_the_next_one_is_whole() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let disk = seams::disk().expect("the default environment");
    let (store, folder) = (open(&disk, &dir), folder(&disk, &dir));
    let mut creation = Creation::begin(&store, &folder, TERMS).expect("there is room");
    assert!(creation.step().expect("there is room"));
    creation.abandon();
    assert_eq!((names(dir.path()), names(folder.dir())), (vec!["backups".into(), "db".into()], vec![]));
    // As a crash leaves it.
    std::mem::forget(Creation::begin(&store, &folder, TERMS).expect("there is room"));
    assert_eq!(names(dir.path()), ["backups", "db", "db.checkpoint"]);
    assert_eq!(folder.list().expect("it can be read").backups, []);
    let first = create(&store, &folder, TERMS, &mut |_, _| {}).expect("there is room").name;
    let second = create(&store, &folder, TERMS, &mut |_, _| {}).expect("there is room").name;
    assert_ne!(first, second, "two of the same moment and height");
    assert_eq!(
        (names(dir.path()), folder.list().expect("it can be read").backups.len()),
        (vec!["backups".into(), "db".into()], 2)
    );
    folder.clean(&store.genesis().chain_id).expect("it can be removed");
    assert_eq!(names(folder.dir()).len(), 2);
}

#[test]
fn the_node_keeps_its_reserve() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let disk = seams::disk().expect("the default environment");
    let store = open(&disk, &dir);
    let made = |free| {
        let disk = Failing::never(Space { total: 1 << 30, free }).disk();
        create(&store, &folder(&disk, &dir), TERMS, &mut |_, _| {})
    };
    let least = 2 * TERMS.reserve_bytes + (1 << 20);
    let error = made(least - 1).expect_err("there is too little").to_string();
    let error = error.replace(&format!("{}/", dir.path().display()), "");
    insta::assert_snapshot!(error, @"no space is left for backups: 1050575 bytes are free, and 1050576 stay so; remove something or choose another disk");
    assert_eq!(names(dir.path()), ["db"]);
    made(least).expect("there is just enough");
}

#[test]
fn a_store_that_is_closed_or_rebuilt_is_refused() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let disk = seams::disk().expect("the default environment");
    let (store, folder) = (open(&disk, &dir), folder(&disk, &dir));
    let refusal = || create(&store, &folder, TERMS, &mut |_, _| {}).expect_err("it is not whole").to_string();
    store.close();
    insta::assert_snapshot!(refusal(), @"the database cannot be copied: the store is closed after a failure; see the node's log");
    let was = Rebuild { target: None, kept: Vec::new() };
    store.rebuild_in_place(was).expect("there is room");
    insta::assert_snapshot!(refusal(), @"the storage is rebuilding, and a backup is of one that is open; try again when it is");
    assert_eq!(names(dir.path()), ["db", "db.damaged-1"]);
}

#[test]
fn a_copy_is_whole_or_there_is_none() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let disk = seams::disk().expect("the default environment");
    let (store, folder) = (open(&disk, &dir), folder(&disk, &dir));
    let made = create(&store, &folder, TERMS, &mut |_, _| {}).expect("there is room");
    let mut failures = 0;
    for changes in 0.. {
        let to = Folder::new(Failing::after(changes).disk().files, dir.path().join("copies"));
        match copy(&folder, &made.name, &to, &mut |_, _| {}) {
            Ok(copied) => {
                assert_eq!(copied.bytes, made.bytes);
                break;
            }
            Err(error) => assert!(matches!(error, BackupError::File { .. }), "{error}"),
        }
        let is_named = to.list().expect("it can be read").backups.len();
        assert_eq!(names(to.dir()).len(), is_named, "{changes} changes worked");
        failures += 1;
        if is_named == 1 {
            SystemFiles.remove(to.dir()).expect("it is ours");
        }
    }
    assert!(failures > 4, "{failures}");
    damage(&folder.dir().join(&made.name));
    let to = Folder::new(disk.files.clone(), dir.path().join("others"));
    let error = copy(&folder, &made.name, &to, &mut |_, _| {}).expect_err("it is damaged");
    assert!(matches!(error, BackupError::Archive(ArchiveError::File { .. })), "{error}");
    assert_eq!(names(to.dir()).len(), 0);
}
