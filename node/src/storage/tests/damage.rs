//! Each kind of damage, where it is met, and what is lost: nothing without a word.

use super::support::{Place, copy, find, flip, grow, records};
use crate::{
    crypto::Hash,
    storage::{Audit, StoreError, Trouble, keys},
    types::Height,
};
use std::{fs, path::Path};

fn damaged(result: Result<impl std::fmt::Debug, StoreError>, what: &str) -> String {
    match result {
        Err(error) if error.trouble() == Some(Trouble::Damaged) => error.to_string(),
        other => panic!("{what}: {other:?}"),
    }
}

/// A start, and if that finds nothing a reading of everything.
fn found(place: &Place) -> Result<(), StoreError> {
    let store = place.start()?;
    let mut audit = Audit::begin(&store)?;
    while !audit.step(&store, 1 << 20)? {}
    Ok(())
}

#[test]
fn without_a_current_manifest_it_is_damaged_and_not_made_anew() {
    let cases: [(&str, Option<&str>); 5] = [
        ("missing", None),
        ("empty", Some("")),
        ("garbage", Some("garbage")),
        ("another name", Some("garbage\n")),
        ("pointing to nothing", Some("MANIFEST-999999\n")),
    ];
    for (what, text) in cases {
        let place = Place::with_chain(3);
        let current = place.db().join("CURRENT");
        match text {
            None => fs::remove_file(&current).expect("it is there"),
            Some(text) => fs::write(&current, text).expect("it is ours"),
        }
        let tables = place.files(".sst").len();
        damaged(place.start(), what);
        assert_eq!(place.files(".sst").len(), tables, "{what}: nothing is removed");
    }
}

#[test]
fn no_flipped_bit_of_the_manifest_loses_anything_without_a_word() {
    let place = Place::with_chain(3);
    let manifest = place.files("").into_iter().find(|path| path.to_string_lossy().contains("MANIFEST"));
    let manifest = manifest.expect("there is one");
    let copied = Place::new();
    for (at, bits) in bits_to_flip(&log_records(&manifest)) {
        fs::remove_dir_all(copied.db()).ok();
        copy(&place.db(), &copied.db());
        flip(&copied.db().join(manifest.file_name().expect("it has a name")), at, bits);
        damaged(copied.start(), &format!("bits {bits:#x} of byte {at}"));
    }
}

#[test]
fn a_flipped_bit_of_a_table_is_met_by_reading_and_by_the_audit() {
    // A table that a start does not read.
    let place = Place::with_chain(3);
    let store = place.open().expect("it is whole");
    let id = store.block_at(Height(2)).expect("it can be read").expect("it is there").transactions[0].id();
    drop(store);
    // What it shares with the key before it is not repeated.
    let find = |path: std::path::PathBuf| Some((path.clone(), find(&path, &id.0[8..])?));
    let (table, at) = place.files(".sst").into_iter().find_map(find).expect("the index is in a table");
    flip(&table, at, 0x10);
    let store = place.start().expect("a start does not read it");
    damaged(store.locate(&id), "a read");
    assert!(store.take_trouble().is_some_and(|(trouble, _)| trouble == Trouble::Damaged));
    drop(store);
    damaged(found(&place), "the audit");
}

#[test]
fn a_table_that_is_cut_or_gone_is_damage() {
    for is_gone in [false, true] {
        let place = Place::with_chain(3);
        let table = place.files(".sst").remove(0);
        match is_gone {
            true => fs::remove_file(&table).expect("it is there"),
            false => fs::write(&table, &fs::read(&table).expect("it is there")[..10]).expect("it is ours"),
        }
        damaged(found(&place), if is_gone { "gone" } else { "cut" });
    }
}

/// Where each record of a log begins and ends: a header of checksum (4 bytes), length (2) and type (1), then the payload.
/// None here crosses a block of 32 KiB.
fn log_records(path: &Path) -> Vec<(usize, usize)> {
    let bytes = fs::read(path).expect("it is there");
    let mut found = Vec::new();
    let mut at = 0;
    while at + 7 <= bytes.len() {
        let len = usize::from(u16::from_le_bytes([bytes[at + 4], bytes[at + 5]]));
        found.push((at, at + 7 + len));
        at += 7 + len;
    }
    assert_eq!(at, bytes.len(), "the form is another");
    found
}

/// Each bit of the header and one of each byte of the payload's begin, of three records out of `count`: the first, one in
/// the middle and the last.
fn bits_to_flip(records: &[(usize, usize)]) -> Vec<(usize, u8)> {
    let chosen = [records[0], records[records.len() / 2], records[records.len() - 1]];
    let of_record = |(begin, end): (usize, usize)| {
        let header = (begin..begin + 7).flat_map(|at| (0..8).map(move |bit| (at, 1 << bit)));
        let payload = (begin + 7..end).step_by(13).map(|at| (at, 1 << (at % 8)));
        header.chain(payload).collect::<Vec<_>>()
    };
    chosen.into_iter().flat_map(of_record).collect()
}

#[test]
fn no_flipped_bit_of_a_log_shortens_it_without_a_word() {
    let place = Place::new();
    let store = place.open().expect("a new store");
    grow(&store, 4);
    drop(store);
    let log = place.files(".log").remove(0);
    let records = log_records(&log);
    assert!(records.len() >= 5, "{records:?}");
    let copied = Place::new();
    for (at, bits) in bits_to_flip(&records) {
        fs::remove_dir_all(copied.db()).ok();
        copy(&place.db(), &copied.db());
        flip(&copied.db().join(log.file_name().expect("it has a name")), at, bits);
        damaged(copied.start(), &format!("bits {bits:#x} of byte {at} in {records:?}"));
    }
}

#[test]
fn a_log_that_is_cut_at_its_tail_loses_the_last_record_only() {
    let place = Place::new();
    let store = place.open().expect("a new store");
    grow(&store, 4);
    drop(store);
    let log = place.files(".log").remove(0);
    let (whole, records) = (fs::read(&log).expect("it is there"), log_records(&log));
    let (begin, end) = *records.last().expect("there are some");
    for len in [begin, begin + 3, begin + 7, begin + 20, end - 1] {
        fs::write(&log, &whole[..len]).expect("it is ours");
        let store = place.start().expect("a cut tail is what a crash leaves");
        assert_eq!(store.head().expect("it can be read").height, Height(3), "{len} of {end}");
        grow(&store, 5);
        drop(store);
        fs::remove_dir_all(place.db()).expect("it is ours");
        let store = place.open().expect("a new store");
        grow(&store, 4);
        drop(store);
        assert_eq!(fs::read(&log).map(|log| log.len()).ok(), Some(whole.len()), "the same chain has the same log");
    }
}

#[test]
fn a_value_of_another_key_is_noticed() {
    let place = Place::with_chain(3);
    let records = records(&place.db());
    for family in [keys::BLOCKS, keys::CANONICAL, keys::TRANSACTIONS, keys::UNDO, keys::VALUES, keys::NODES] {
        let of_family: Vec<_> = records.iter().filter(|((of, _), _)| of == family).collect();
        let [((_, a), value_a), .., ((_, b), value_b)] = &of_family[..] else { panic!("{family} has too few") };
        let copied = Place::new();
        copy(&place.db(), &copied.db());
        copied.edit([(family, a.clone(), Some((*value_b).clone())), (family, b.clone(), Some((*value_a).clone()))]);
        let text = damaged(found(&copied), family);
        assert!(text.ends_with("its checksum is wrong"), "{family}: {text}");
    }
}

#[test]
fn a_missing_record_of_the_head_is_damage() {
    let place = Place::with_chain(3);
    let head = place.open().expect("it is whole").head().expect("it can be read").hash;
    for (family, key) in [
        (keys::META, keys::HEAD.to_vec()),
        (keys::META, keys::GENESIS.to_vec()),
        (keys::BLOCKS, head.0.to_vec()),
        (keys::CANONICAL, keys::height(Height(2)).to_vec()),
        (keys::NODES, keys::node(&jmt::storage::NodeKey::new(3, std::iter::empty().collect()))),
    ] {
        let copied = Place::new();
        copy(&place.db(), &copied.db());
        copied.edit([(family, key.clone(), None)]);
        damaged(copied.start(), &keys::shown(family, &key));
    }
    assert_ne!(head, Hash::default());
}
