//! A restore puts a whole chain in its place, or leaves what was there.

use super::{
    NOW,
    disks::{Failing, damage},
    genesis,
};
use crate::{
    backup::{
        Archive, BackupInfo, Folder, Manifest, Mode, RestoreError, Restored, Target, Terms, create, restore,
        writer::Writer,
    },
    native::{files::SystemFiles, seams},
    seams::{Disk, Files, Space},
    storage::{SCHEMA_VERSION, Settings, Store},
    types::Genesis,
};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

struct Place {
    dir: TempDir,
    disk: Disk,
    backup: BackupInfo,
}

impl Place {
    /// A folder with a store at `db`, closed, and a backup of it.
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let disk = seams::disk().expect("the default environment");
        let store =
            Store::open(&disk, &dir.path().join("db"), genesis("test"), Settings::default()).expect("a new store");
        let folder = Folder::new(disk.files.clone(), dir.path().join("backups"));
        let terms = Terms { now: NOW, reserve_bytes: 0 };
        let backup = create(&store, &folder, terms, &mut |_, _| {}).expect("there is room");
        Self { dir, disk, backup }
    }

    fn archive(&self) -> PathBuf {
        self.dir.path().join("backups").join(&self.backup.name)
    }

    fn restore_on(&self, disk: &Disk, genesis: &Genesis, database: &str, mode: Mode) -> Result<Restored, RestoreError> {
        let database = self.dir.path().join(database);
        let target = Target { disk, database: &database, genesis, settings: Settings::default() };
        restore(target, &self.archive(), mode, &mut |_| {})
    }

    fn restore(&self, database: &str, mode: Mode) -> Result<Restored, RestoreError> {
        self.restore_on(&self.disk, &genesis("test"), database, mode)
    }

    fn names(&self) -> Vec<String> {
        let entries = SystemFiles.list(self.dir.path()).expect("it is there");
        entries.into_iter().map(|entry| entry.name).collect()
    }

    /// Writes the archive again with another manifest.
    fn rewrite(&self, change: impl FnOnce(&mut Manifest)) {
        let archive = Archive::open(&self.disk.files, &self.archive()).expect("it is whole");
        let partial = self.dir.path().join("rewritten");
        let mut writer = Writer::new(SystemFiles.create(&partial).expect("it is new")).expect("there is room");
        let (mut contents, mut is_begun) = (archive.contents(), false);
        while let Some(piece) = contents.next_piece().expect("it is whole") {
            if !is_begun {
                writer.begin(&piece.file.name);
            }
            if !piece.data.is_empty() {
                writer.chunk(&piece.data).expect("there is room");
            }
            is_begun = !piece.is_last;
            if piece.is_last {
                writer.end();
            }
        }
        let mut manifest = archive.manifest().clone();
        change(&mut manifest);
        writer.finish(manifest).expect("there is room");
        SystemFiles.remove(&self.archive()).expect("it is ours");
        SystemFiles.rename(&partial, &self.archive()).expect("the name is free");
    }
}

fn head_of(disk: &Disk, database: &Path) -> (u64, crate::crypto::Hash) {
    let store = Store::open(disk, database, genesis("test"), Settings::default()).expect("it is whole");
    let head = store.head().expect("it can be read");
    (head.height.0, head.hash)
}

#[test]
fn a_backup_is_restored_where_nothing_was() {
    let place = Place::new();
    let restored = place.restore("elsewhere", Mode::Replace).expect("it is whole");
    assert_eq!(restored, Restored { backup: place.backup.clone(), kept: None });
    let head = head_of(&place.disk, &place.dir.path().join("elsewhere"));
    assert_eq!(head, (place.backup.height.0, place.backup.hash));
    assert_eq!(place.names(), ["backups", "db", "elsewhere"]);
}

#[test]
fn what_was_there_is_kept_each_time() {
    let place = Place::new();
    for n in 1..=2 {
        let kept = place.dir.path().join(format!("db.replaced-{n}"));
        let dry = place.restore("db", Mode::DryRun).expect("it is whole");
        assert_eq!((dry.kept, kept.exists()), (Some(kept.clone()), false));
        let restored = place.restore("db", Mode::Replace).expect("it is whole");
        assert_eq!(restored.kept, Some(kept.clone()));
        let head = (place.backup.height.0, place.backup.hash);
        assert_eq!((head_of(&place.disk, &kept), head_of(&place.disk, &place.dir.path().join("db"))), (head, head));
    }
    assert_eq!(place.names(), ["backups", "db", "db.replaced-1", "db.replaced-2"]);
}

/// What a restore says, and that it changed nothing.
fn refusal(place: &Place, genesis: &Genesis) -> String {
    let before = place.names();
    let told = [Mode::DryRun, Mode::Replace].map(|mode| {
        let error = place.restore_on(&place.disk, genesis, "db", mode).expect_err("it cannot be taken").to_string();
        error.replace(&format!("{}/", place.dir.path().display()), "")
    });
    assert_eq!((&told[0], before), (&told[1], place.names()));
    told[0].clone()
}

#[test]
fn a_backup_of_another_chain_schema_or_head_is_refused() {
    let place = Place::new();
    insta::assert_snapshot!(refusal(&place, &genesis("other")), @"the backup is of chain test, and the home is of other; use a backup of that chain");
    let other = Genesis { timestamp: crate::types::Timestamp(2), ..genesis("test") };
    insta::assert_snapshot!(refusal(&place, &other), @"the backup is of another test: its first block differs from the one of the home's genesis document; use that chain's");
    place.rewrite(|manifest| manifest.schema = SCHEMA_VERSION + 1);
    insta::assert_snapshot!(refusal(&place, &genesis("test")), @"the backup has schema 3, and this release knows up to 2; use release 0.1.0 or a newer one");
    place.rewrite(|manifest| manifest.schema = SCHEMA_VERSION - 1);
    insta::assert_snapshot!(refusal(&place, &genesis("test")), @"the backup has schema 1, and this release works with 2; restore it with release 0.1.0, then migrate");
    place.rewrite(|manifest| (manifest.schema, manifest.head.height.0) = (SCHEMA_VERSION, 9));
    let error = place.restore("db", Mode::Replace).expect_err("it has another head");
    assert!(matches!(error, RestoreError::OtherHead { .. }), "{error}");
    assert_eq!(place.names(), ["backups", "db"]);
}

#[test]
fn a_damaged_archive_is_refused_and_its_file_named() {
    let place = Place::new();
    damage(&place.archive());
    let told = refusal(&place, &genesis("test")).replace(&place.backup.name, "x.backup");
    insta::assert_snapshot!(told, @"backups/x.backup is damaged in its file 000004.log: a chunk of it has the wrong checksum; use another backup");
}

#[test]
fn a_disk_without_room_is_told_before_anything_is_written() {
    let place = Place::new();
    let needed = place.backup.content_bytes;
    let on = |free| {
        let disk = Failing::never(Space { total: 1 << 30, free }).disk();
        place.restore_on(&disk, &genesis("test"), "db", Mode::Replace)
    };
    let error = on(needed - 1).expect_err("there is too little");
    assert!(matches!(error, RestoreError::NoSpace { free, .. } if free == needed - 1), "{error}");
    assert_eq!(place.names(), ["backups", "db"]);
    on(needed).expect("there is enough");
}

#[test]
fn a_restore_that_fails_leaves_a_whole_database() {
    let mut failures = 0;
    for changes in 0.. {
        let place = Place::new();
        let failing = Failing::after(changes);
        let restored = place.restore_on(&failing.disk(), &genesis("test"), "db", Mode::Replace);
        if restored.is_ok() {
            break;
        }
        // Between two names the next start finishes it.
        let head = head_of(&place.disk, &place.dir.path().join("db"));
        assert_eq!(head, (place.backup.height.0, place.backup.hash), "{changes} changes worked");
        failures += 1;
    }
    assert!(failures > 10, "{failures}");
}
