//! Replacing a directory, cut at every call.

use super::{cut::at_every_call, support::Place};
use crate::{
    native::files::SystemFiles,
    storage::{
        KEPT_MAX, StoreError,
        folders::{self, Reason, Settled},
    },
};
use std::fs;

fn write(path: &std::path::Path, text: &str) {
    fs::create_dir_all(path).expect("it is ours");
    fs::write(path.join("file"), text).expect("it is ours");
}

fn read(path: &std::path::Path) -> Option<String> {
    fs::read_to_string(path.join("file")).ok()
}

#[test]
fn there_is_the_old_one_or_the_new_one_and_the_old_one_beside_it() {
    let prepare = || {
        let place = Place::new();
        write(&place.db(), "old");
        place
    };
    let work = |place: &Place, disk: &crate::seams::Disk| {
        let replace = || {
            let staging = folders::staging(&*disk.files, &place.db())?;
            write(&staging, "new");
            folders::replace(&*disk.files, &place.db(), Reason::Migrated)
        };
        replace().is_ok()
    };
    at_every_call(prepare, work, |place, cut, is_done| {
        let settled = folders::settle(&SystemFiles, &place.db()).expect("nothing fails any more");
        let kept = read(&place.beside("db.migrated-1"));
        match read(&place.db()).as_deref() {
            Some("old") => assert_eq!((kept, is_done), (None, false), "{cut}"),
            Some("new") => assert_eq!(kept.as_deref(), Some("old"), "{cut}"),
            other => panic!("{cut}: {other:?}, {settled:?}"),
        }
        assert!(!place.beside("db.new").exists(), "{cut}");
        assert_eq!(folders::settle(&SystemFiles, &place.db()).expect("it is settled"), Settled::Nothing);
    });
}

#[test]
fn settling_is_cut_and_goes_on_the_next_time() {
    for is_replaced in [false, true] {
        let prepare = || {
            let place = Place::new();
            write(&place.beside("db.new"), "new");
            write(&place.beside(if is_replaced { "db.damaged-1" } else { "db" }), "old");
            place
        };
        let work = |place: &Place, disk: &crate::seams::Disk| folders::settle(&*disk.files, &place.db()).is_ok();
        at_every_call(prepare, work, |place, cut, _| {
            folders::settle(&SystemFiles, &place.db()).expect("nothing fails any more");
            let expected = if is_replaced { "new" } else { "old" };
            assert_eq!(read(&place.db()).as_deref(), Some(expected), "{cut}");
            assert!(!place.beside("db.new").exists(), "{cut}");
        });
    }
}

#[test]
fn nothing_is_kept_of_nothing_and_only_so_much_of_something() {
    let place = Place::new();
    let make = |text: &str| {
        let staging = folders::staging(&SystemFiles, &place.db()).expect("there is room");
        write(&staging, text);
        folders::replace(&SystemFiles, &place.db(), Reason::Damaged)
    };
    assert_eq!(make("0").expect("there is room"), None);
    for n in 1..=KEPT_MAX {
        let kept = make(&n.to_string()).expect("there is room").expect("something was there");
        assert_eq!(kept, place.beside(&format!("db.damaged-{n}")));
    }
    let refused = make("more").expect_err("there are too many");
    assert!(matches!(refused, StoreError::TooManyKept { count: KEPT_MAX, .. }), "{refused}");
    assert_eq!(read(&place.db()), Some(KEPT_MAX.to_string()), "it is as it was");
    assert_eq!(folders::kept(&SystemFiles, &place.db()).expect("it can be read"), KEPT_MAX);
    fs::remove_dir_all(place.beside("db.damaged-3")).expect("it is ours");
    assert_eq!(make("again").expect("there is one less"), Some(place.beside("db.damaged-3")));

    let listed = folders::list_kept(&SystemFiles, &place.db()).expect("it can be read");
    assert_eq!(listed.len(), KEPT_MAX);
    assert_eq!((listed[2].name.as_str(), listed[2].bytes), ("db.damaged-3", 1));
}
