//! From schema 1 to this release's: whole, refused, and cut at every call.

use super::{
    cut::at_every_call,
    support::{Place, Records, copy, genesis, grow, records},
};
use crate::{
    native::files::SystemFiles,
    seams::{Appender, Disk, Entry, Files, Space},
    storage::{KEPT_MAX, Migration, Plan, SCHEMA_VERSION, Settings, StoreError, Trouble, keys},
    types::{Amount, Genesis, Height},
};
use std::{fs, io, path::Path, sync::Arc};

const HEIGHT: u64 = 4;

/// A database as release 0.1 wrote it: the records of today's without their checksums.
fn of_schema_1() -> Place {
    let place = Place::with_chain(HEIGHT);
    let edits = records(&place.db()).into_iter().map(|((family, key), mut value)| {
        let family = keys::FAMILIES.into_iter().find(|name| *name == family).expect("it is one of them");
        match (family, key.as_slice()) {
            (keys::META, keys::SCHEMA) => value = 1_u32.to_le_bytes().to_vec(),
            _ => value.truncate(value.len() - 4),
        }
        (family, key, Some(value))
    });
    place.edit(edits.collect::<Vec<_>>());
    place
}

fn begin(place: &Place, disk: &Disk) -> Result<Option<Migration>, StoreError> {
    Migration::begin(disk, &place.db(), genesis(), Settings::default())
}

fn look(place: &Place, genesis: Genesis) -> Result<Plan, StoreError> {
    let migration = Migration::look(&place.disk, &place.db(), genesis, Settings::default())?;
    migration.expect("its schema is older").plan(&mut |_| {})
}

fn migrate(place: &Place, disk: &Disk) -> Result<(), StoreError> {
    let Some(migration) = begin(place, disk)? else { return Ok(()) };
    let plan = migration.plan(&mut |_| {})?;
    migration.run(&plan, &mut |_| {}).map(drop)
}

fn refusal<T>(result: Result<T, StoreError>) -> StoreError {
    match result {
        Ok(_) => panic!("it is refused"),
        Err(error) => error,
    }
}

#[test]
fn all_of_it_comes_over_and_the_old_one_is_kept() {
    let place = of_schema_1();
    let before = records(&place.db());
    let refused = refusal(place.start()).to_string();
    assert_eq!(refused, "the data directory has schema 1, and this release works with 2; run 'assay-node db migrate'");
    let mut parts = Vec::new();
    let migration = begin(&place, &place.disk).expect("it can be read").expect("its schema is older");
    let plan = migration.plan(&mut |_| {}).expect("it can be read");
    let kept = migration.run(&plan, &mut |progress| parts.push(progress.part)).expect("there is room");
    assert_eq!((plan.from, plan.to, plan.records), (1, 2, before.len() as u64));
    assert_eq!(kept, place.beside(&plan.kept));
    assert_eq!(records(&kept), before);
    assert_eq!(place.names(), ["db", "db.migrated-1"]);

    let store = place.start().expect("it is of this schema");
    assert_eq!(store.inspect(&mut |_| {}).expect("it can be read").findings.listed, []);
    grow(&store, HEIGHT + 1);
    assert_eq!(store.head().expect("it can be read").height, Height(HEIGHT + 1));
    drop(store);
    assert!(begin(&place, &place.disk).expect("it can be read").is_none(), "there is nothing left to do");
}

#[test]
fn a_look_changes_nothing() {
    let place = of_schema_1();
    let files = |place: &Place| {
        let paths = place.files("");
        paths.into_iter().map(|path| (fs::read(&path).expect("it is there"), path)).collect::<Vec<_>>()
    };
    let before = files(&place);
    let plan = look(&place, genesis()).expect("it can be read");
    assert_eq!((plan.kept.as_str(), plan.steps), ("db.migrated-1", vec!["gives each value a checksum"]));
    assert!(plan.needed_bytes > plan.bytes && plan.disk.free > 0);
    assert!(files(&place) == before && place.names() == ["db"]);
}

#[test]
fn what_cannot_be_migrated_is_refused_and_left_as_it_is() {
    let place = of_schema_1();
    let other = Genesis { accounts: [(crate::crypto::Address([1; 20]), Amount(1))].into(), ..genesis() };
    assert!(matches!(refusal(look(&place, other)), StoreError::OtherGenesis(_)));

    let in_use = begin(&place, &place.disk).expect("it can be read");
    assert!(matches!(refusal(begin(&place, &place.disk)), StoreError::InUse { .. }));
    drop(in_use);

    for (schema, expected) in [
        (7_u32, "the data directory has schema 7, and this release knows up to 2; use a newer release"),
        (0, "the data directory has schema 0, which no release has written; restore a backup of it"),
    ] {
        let copied = Place::new();
        copy(&place.db(), &copied.db());
        copied.edit([(keys::META, keys::SCHEMA.to_vec(), Some(schema.to_le_bytes().to_vec()))]);
        assert_eq!(refusal(begin(&copied, &copied.disk)).to_string(), expected);
    }

    let nothing = Place::new();
    assert!(matches!(refusal(begin(&nothing, &nothing.disk)), StoreError::Absent { .. }));
    assert!(nothing.names().is_empty(), "nothing is made");

    for n in 1..=KEPT_MAX {
        fs::create_dir(place.beside(&format!("db.migrated-{n}"))).expect("it is ours");
    }
    assert!(matches!(refusal(migrate(&place, &place.disk)), StoreError::TooManyKept { .. }));
}

#[test]
fn damage_is_found_before_the_old_one_is_moved() {
    // A table that cannot be read, and a record that is not there: only the copy's own check sees that.
    let unreadable = of_schema_1();
    let table = unreadable.files(".sst").remove(0);
    let len = fs::metadata(&table).expect("it is there").len() as usize;
    for at in 0..len / 2 {
        super::support::flip(&table, at, 1);
    }
    let incomplete = of_schema_1();
    incomplete.edit([(keys::NODES, keys::node(&root(HEIGHT)), None)]);
    for place in [unreadable, incomplete] {
        let refused = refusal(migrate(&place, &place.disk));
        assert_eq!(refused.trouble(), Some(Trouble::Damaged), "{refused}");
        assert_eq!(place.names(), ["db"]);
    }
}

fn root(height: u64) -> jmt::storage::NodeKey {
    jmt::storage::NodeKey::new(height, std::iter::empty().collect())
}

/// The system's files on a disk with no room.
struct Narrow;

impl Files for Narrow {
    fn space(&self, _: &Path) -> io::Result<Space> {
        Ok(Space { total: 1 << 30, free: 1 << 20 })
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        SystemFiles.list(dir)
    }
    fn entry(&self, path: &Path) -> io::Result<Entry> {
        SystemFiles.entry(path)
    }
    fn read(&self, path: &Path, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        SystemFiles.read(path, offset, len)
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn Appender>> {
        SystemFiles.create(path)
    }
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        SystemFiles.create_dir(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        SystemFiles.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        SystemFiles.remove(path)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        SystemFiles.sync_dir(dir)
    }
}

#[test]
fn without_room_it_does_not_begin() {
    let place = of_schema_1();
    let disk = Disk { env: place.disk.env.clone(), files: Arc::new(Narrow) };
    let refused = refusal(migrate(&place, &disk));
    assert!(matches!(refused, StoreError::NoRoom { free: 1_048_576, .. }), "{refused}");
    assert_eq!(place.names(), ["db"]);
}

/// Either the old one is there as it was, or the new one whole with the old one beside it.
fn is_one_or_the_other(place: &Place, before: &Records, after: &Records, cut: &str) {
    match place.start() {
        Ok(store) => {
            drop(store);
            assert_eq!(records(&place.db()), *after, "{cut}");
            assert_eq!(records(&place.beside("db.migrated-1")), *before, "{cut}");
        }
        Err(StoreError::OlderSchema { found: 1, known: SCHEMA_VERSION }) => {
            assert_eq!(records(&place.db()), *before, "{cut}");
            assert!(!place.beside("db.migrated-1").exists(), "{cut}");
        }
        Err(error) => panic!("{cut}: {error}"),
    }
}

#[test]
fn a_migration_that_is_cut_anywhere_leaves_the_old_one_or_the_new_one() {
    let template = of_schema_1();
    let before = records(&template.db());
    let done = Place::new();
    copy(&template.db(), &done.db());
    migrate(&done, &done.disk).expect("there is room");
    let after = records(&done.db());
    let prepare = || {
        let place = Place::new();
        copy(&template.db(), &place.db());
        place
    };
    let work = |place: &Place, disk: &Disk| migrate(place, disk).is_ok();
    at_every_call(prepare, work, |place, cut, _| {
        is_one_or_the_other(&place, &before, &after, cut);
        migrate(&place, &place.disk).expect("nothing fails any more");
        is_one_or_the_other(&place, &before, &after, &format!("{cut}, and begun again"));
        assert!(place.start().is_ok(), "{cut}, and begun again");
        assert_eq!(place.names(), ["db", "db.migrated-1"], "{cut}, and begun again");
    });
}
