//! Looking changes nothing, beside a store that is open too; compacting does, and loses nothing.

use super::support::{Place, genesis, grow, records};
use crate::{
    storage::{Settings, Store, StoreError, keys},
    types::Height,
};
use std::fs;

fn look(place: &Place) -> Result<Store, StoreError> {
    Store::look(&place.disk, &place.db(), genesis(), Settings::default())
}

#[test]
fn a_look_beside_an_open_store_sees_what_is_durable_and_changes_nothing() {
    let place = Place::with_chain(2);
    let store = place.open().expect("it is whole");
    grow(&store, 4);
    let files = || {
        let paths = place.files("");
        paths.into_iter().map(|path| (fs::read(&path).expect("it is there"), path)).collect::<Vec<_>>()
    };
    let before = files();
    let seen = look(&place).expect("it can be read meanwhile");
    assert_eq!(seen.head().expect("it can be read").height, Height(4));
    assert!(!seen.is_open() && seen.flush().is_err(), "nothing can be written");
    seen.load().expect("it is sound");
    let stats = seen.stats().expect("it can be read");
    assert_eq!((stats.schema, stats.head.height), (2, Height(4)));
    assert!(stats.log_bytes > 0 && stats.total_bytes > stats.log_bytes);
    let blocks = stats.families.iter().find(|family| family.name == keys::BLOCKS).expect("it is one of them");
    assert_eq!((blocks.records_estimate, blocks.tables.values().sum::<u64>()), (5, 1));
    assert!(seen.inspect(&mut |_| {}).expect("it can be read").findings.listed.is_empty());
    assert!(files() == before, "nothing changed");
    grow(&store, 5);
    assert_eq!(seen.head().expect("it can be read").height, Height(4), "it is of its moment");
}

#[test]
fn a_look_makes_nothing() {
    let place = Place::new();
    assert!(matches!(look(&place), Err(StoreError::Absent { .. })));
    assert!(place.names().is_empty());
    fs::create_dir(place.db()).expect("it is ours");
    assert!(matches!(look(&place), Err(StoreError::Absent { .. })));
    assert!(place.files("").is_empty());
}

#[test]
fn compacting_leaves_one_table_a_family_and_every_record() {
    let place = Place::new();
    let store = place.open().expect("a new store");
    for height in [2, 4, 6] {
        grow(&store, height);
        store.flush().expect("the disk works");
    }
    drop(store);
    let before = records(&place.db());
    let store = place.open().expect("it is whole");
    let tables = |store: &Store| -> u64 {
        let families = store.families().expect("it can be read");
        families.iter().map(|family| family.tables.values().sum::<u64>()).sum()
    };
    assert!(tables(&store) > 7, "{}", tables(&store));
    store.compact(&mut |_| {}).expect("there is room");
    assert_eq!(tables(&store), 7);
    drop(store);
    assert_eq!(records(&place.db()), before);
    assert!(look(&place).expect("it is whole").compact(&mut |_| {}).is_err(), "not for a reader");
}

#[test]
fn compacting_a_damaged_table_fails() {
    let place = Place::new();
    let store = place.open().expect("a new store");
    for height in [2, 4] {
        grow(&store, height);
        store.flush().expect("the disk works");
    }
    let block = store.block_at(Height(1)).expect("it can be read").expect("it is there");
    drop(store);
    let bytes = block.header.state_root.0;
    let find = |path: std::path::PathBuf| Some((path.clone(), super::support::find(&path, &bytes)?));
    let (table, at) = place.files(".sst").into_iter().find_map(find).expect("it is in a table");
    super::support::flip(&table, at, 1);
    let store = place.open().expect("opening does not read so far");
    let failed = store.compact(&mut |_| {}).expect_err("it cannot be read");
    assert_eq!(failed.trouble(), Some(crate::storage::Trouble::Damaged), "{failed}");
}
