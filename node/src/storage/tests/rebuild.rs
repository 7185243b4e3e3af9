//! Rebuilding a damaged store: what it takes over, what it has to reach, and cuts at every call.

use super::{
    cut::at_every_call,
    support::{Place, Records, find, flip, genesis, grow, records},
};
use crate::{
    seams::Disk,
    storage::{KEPT_MAX, Rebuild, Salvage, Settings, Store, StoreError, StoredHead, keys},
    types::Height,
};
use std::fs;

const HEIGHT: u64 = 6;

/// A chain whose canonical record at height 3 has a wrong checksum, and the head that it has.
fn damaged() -> (Place, StoredHead) {
    let place = Place::with_chain(HEIGHT);
    let head = place.open().expect("it is whole").head().expect("it can be read");
    damage(&place, 3);
    (place, head)
}

fn damage(place: &Place, height: u64) {
    place.edit([(keys::CANONICAL, keys::height(Height(height)).to_vec(), Some(b"nonsense".to_vec()))]);
}

fn readable(salvage: &Salvage) -> Vec<u64> {
    (0..=HEIGHT + 2).filter(|height| salvage.block_at(Height(*height)).is_some()).collect()
}

fn salvage(store: &Store) -> Salvage {
    let record = store.rebuilding().expect("it can be read").expect("it is being rebuilt");
    store.salvage(&record).expect("enough is left")
}

#[test]
fn every_block_that_can_be_read_is_taken_over() {
    let (place, head) = damaged();
    assert!(place.start().is_err());
    let store = place.rebuild_on(&place.disk).expect("there is room");
    let record = store.rebuilding().expect("it can be read").expect("it is being rebuilt");
    assert_eq!((record.target, record.kept.as_slice()), (Some(head), &["db.damaged-1".to_owned()][..]));
    assert_eq!(store.head().expect("it can be read").height, Height(0));
    assert_eq!(readable(&salvage(&store)), [0, 1, 2, 4, 5, 6]);
    assert_eq!(store.kept().expect("it can be read"), 1);

    drop(store);
    let store = place.start().expect("it is whole as far as it goes");
    assert_eq!(store.rebuilding().expect("it can be read"), Some(record), "a start later it is still being rebuilt");
    store.rebuilt().expect("the disk works");
    drop(store);
    assert_eq!(place.start().expect("it is whole").rebuilding().expect("it can be read"), None);
}

#[test]
fn a_block_of_a_damaged_table_is_all_that_is_lost() {
    let place = Place::with_chain(HEIGHT);
    let block = place.open().expect("it is whole").block_at(Height(4)).expect("it can be read").expect("it is there");
    let bytes = block.header.state_root.0;
    let (table, at) = place
        .files(".sst")
        .into_iter()
        .find_map(|path| Some((path.clone(), find(&path, &bytes)?)))
        .expect("it is in a table");
    flip(&table, at, 1);
    let store = place.rebuild_on(&place.disk).expect("there is room");
    let readable = readable(&salvage(&store));
    assert!(!readable.contains(&4), "{readable:?}");
    // The blocks of one block of the table are lost together; the checksum is of all of them.
    assert!(readable.iter().all(|height| *height <= HEIGHT), "{readable:?}");
}

#[test]
fn after_damage_in_the_log_what_is_behind_it_is_left_out() {
    let place = Place::new();
    let store = place.open().expect("a new store");
    grow(&store, HEIGHT);
    let block = store.block_at(Height(4)).expect("it can be read").expect("it is there");
    drop(store);
    let log = place.files(".log").remove(0);
    flip(&log, find(&log, &block.header.state_root.0).expect("it is in the log"), 1);
    let refused = place.start().expect_err("it is damaged");
    assert_eq!(refused.trouble(), Some(crate::storage::Trouble::Damaged), "{refused}");
    let store = place.rebuild_on(&place.disk).expect("there is room");
    let readable = readable(&salvage(&store));
    assert_eq!(readable[..4], [0, 1, 2, 3]);
    assert!(!readable.contains(&4));
}

#[test]
fn what_was_to_be_reached_outlives_more_damage_and_both_are_read() {
    let (place, head) = damaged();
    let store = place.rebuild_on(&place.disk).expect("there is room");
    grow(&store, 4);
    store.flush().expect("the disk works");
    drop(store);
    damage(&place, 1);
    let store = place.rebuild_on(&place.disk).expect("there is room");
    let record = store.rebuilding().expect("it can be read").expect("it is being rebuilt");
    assert_eq!(record.target, Some(head));
    assert_eq!(record.kept, ["db.damaged-2", "db.damaged-1"]);
    // Height 1 is from the first one, 3 from the second.
    assert_eq!(readable(&salvage(&store)), [0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_head_that_nobody_knows_any_more_stays_unknown() {
    let (place, _) = damaged();
    place.edit([(keys::META, keys::HEAD.to_vec(), None)]);
    let target = |store: &Store| store.rebuilding().expect("it can be read").expect("it is being rebuilt").target;
    let store = place.rebuild_on(&place.disk).expect("there is room");
    assert_eq!(target(&store), None);
    grow(&store, 1);
    drop(store);
    damage(&place, 1);
    let store = place.rebuild_on(&place.disk).expect("there is room");
    assert_eq!(target(&store), None, "what there is by now is not all that there was");
}

#[test]
fn too_many_kept_ones_stop_it_and_change_nothing() {
    let (place, _) = damaged();
    for n in 1..=KEPT_MAX {
        fs::create_dir(place.beside(&format!("db.damaged-{n}"))).expect("it is ours");
    }
    let before = records(&place.db());
    let refused = place.rebuild_on(&place.disk).expect_err("there are too many");
    assert!(matches!(refused, StoreError::TooManyKept { .. }), "{refused}");
    assert_eq!(refused.trouble(), None);
    assert!(refused.to_string().ends_with("look at them, and remove what is not needed"), "{refused}");
    assert_eq!(records(&place.db()), before);
}

/// Either the damaged one is in its place as it was, or a new one that knows where it is kept, as it was.
fn is_one_or_the_other(place: &Place, before: &Records, head: StoredHead, cut: &str) {
    // A start, as far as a damaged database lets it come.
    match place.open() {
        Err(error) => panic!("{cut}: {error}"),
        Ok(store) => match store.rebuilding().expect("it can be read") {
            None => {
                drop(store);
                assert_eq!(records(&place.db()), *before, "{cut}");
            }
            Some(record) => {
                assert_eq!(record.target, Some(head), "{cut}");
                assert_eq!(readable(&salvage(&store)), [0, 1, 2, 4, 5, 6], "{cut}");
                assert_eq!(records(&place.beside(&record.kept[0])), *before, "{cut}");
            }
        },
    }
}

#[test]
fn a_rebuild_that_is_cut_anywhere_loses_nothing() {
    let (template, head) = damaged();
    let before = records(&template.db());
    let prepare = || {
        let place = Place::new();
        super::support::copy(&template.db(), &place.db());
        place
    };
    let work = |place: &Place, disk: &Disk| place.rebuild_on(disk).is_ok();
    at_every_call(prepare, work, |place, cut, is_done| {
        is_one_or_the_other(&place, &before, head, cut);
        if !is_done {
            let store = match place.open().expect("it was opened above") {
                store if store.rebuilding().expect("it can be read").is_some() => store,
                store => {
                    drop(store);
                    place.rebuild_on(&place.disk).expect("nothing fails any more")
                }
            };
            assert_eq!(readable(&salvage(&store)), [0, 1, 2, 4, 5, 6], "{cut}, and begun again");
        }
    });
}

#[test]
fn a_rebuild_of_an_open_store_that_is_cut_anywhere_is_made_by_the_next_try() {
    let (template, head) = damaged();
    let prepare = || {
        let place = Place::new();
        super::support::copy(&template.db(), &place.db());
        place
    };
    // The node's own way: the store is one and the same, and its disk works again at the second try.
    let work = |place: &Place, disk: &Disk| {
        let Ok(store) = Store::open(disk, &place.db(), genesis(), Settings::default()) else { return false };
        let mut tries = 1;
        let was = Rebuild { target: Some(head), kept: Vec::new() };
        while store.rebuild_in_place(was.clone()).is_err() {
            tries += 1;
            if tries > 3 {
                return false;
            }
        }
        drop(store);
        // What is left is looked at on a disk that does not fail.
        let store = place.open().expect("it was just made");
        let record = store.rebuilding().expect("it can be read").expect("it is being rebuilt");
        assert_eq!(record.target, Some(head));
        assert_eq!(readable(&salvage(&store)), [0, 1, 2, 4, 5, 6], "{record:?}");
        true
    };
    at_every_call(prepare, work, |place, cut, _| {
        let names = place.names();
        assert!(!names.iter().any(|name| name.starts_with("db.damaged-3")), "{cut}: {names:?}");
    });
}
