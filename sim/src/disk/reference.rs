//! The disk's model against a simple one: random operations with kills and power cuts, compared after each.

use super::model::{Model, Open, normal};
use proptest::prelude::*;
use std::{collections::BTreeMap, time::Duration};

const NOW: Duration = Duration::ZERO;
const DIRS: [&str; 2] = ["/a", "/b"];
const PATHS: [&str; 6] = ["/a/1", "/a/2", "/a/3", "/b/1", "/b/2", "/a/b"];

#[derive(Clone, Debug)]
enum Op {
    Create(usize),
    Append(usize, Vec<u8>),
    Truncate(usize, u64),
    Sync(usize),
    SyncDir(usize),
    Remove(usize),
    Rename(usize, usize),
    Link(usize, usize),
    Kill,
    PowerCut,
}

/// Every file in full, twice; names in full, twice.
#[derive(Default)]
struct Reference {
    names: BTreeMap<&'static str, usize>,
    durable_names: BTreeMap<&'static str, usize>,
    files: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Reference {
    fn file(&mut self, path: usize) -> Option<&mut (Vec<u8>, Vec<u8>)> {
        self.names.get(PATHS[path]).map(|file| &mut self.files[*file])
    }

    /// Returns false if the operation must fail.
    fn apply(&mut self, op: &Op) -> bool {
        match op {
            Op::Create(path) => match self.file(*path) {
                Some((bytes, _)) => bytes.clear(),
                None => {
                    self.names.insert(PATHS[*path], self.files.len());
                    self.files.push(Default::default());
                }
            },
            Op::Append(path, data) => match self.file(*path) {
                Some((bytes, _)) => bytes.extend(data),
                None => return false,
            },
            Op::Truncate(path, len) => match self.file(*path) {
                Some((bytes, _)) => bytes.resize(*len as usize, 0),
                None => return false,
            },
            Op::Sync(path) => match self.file(*path) {
                Some((bytes, durable)) => durable.clone_from(bytes),
                None => return false,
            },
            Op::SyncDir(dir) => {
                let inside = |path: &&str| path.starts_with(DIRS[*dir]);
                self.durable_names.retain(|path, _| !inside(path));
                self.durable_names.extend(self.names.iter().filter(|(path, _)| inside(path)));
            }
            Op::Remove(path) => return self.names.remove(PATHS[*path]).is_some(),
            Op::Rename(from, to) => match self.names.remove(PATHS[*from]) {
                Some(file) => drop(self.names.insert(PATHS[*to], file)),
                None => return false,
            },
            Op::Link(from, to) => match (self.names.get(PATHS[*from]), self.names.contains_key(PATHS[*to])) {
                (Some(file), false) => drop(self.names.insert(PATHS[*to], *file)),
                _ => return false,
            },
            Op::Kill => {}
            Op::PowerCut => {
                self.names.clone_from(&self.durable_names);
                self.files.iter_mut().for_each(|(bytes, durable)| bytes.clone_from(durable));
            }
        }
        true
    }
}

fn apply(model: &mut Model, op: &Op) -> bool {
    let mut with_file = |path: usize, how, f: &mut dyn FnMut(&mut super::inode::Inode)| {
        let Ok(handle) = model.open(PATHS[path], how, NOW) else { return false };
        let done = model.file_mut(handle).map(f).is_ok();
        model.close(handle);
        done
    };
    match op {
        Op::Create(path) => with_file(*path, Open::Create, &mut |_| {}),
        Op::Append(path, data) => with_file(*path, Open::Read, &mut |file| _ = file.append(data, NOW)),
        Op::Truncate(path, len) => with_file(*path, Open::Read, &mut |file| file.truncate(*len, NOW)),
        Op::Sync(path) => with_file(*path, Open::Read, &mut |file| _ = file.sync()),
        Op::SyncDir(dir) => model.sync_dir(DIRS[*dir]).is_ok(),
        Op::Remove(path) => model.remove(PATHS[*path]).is_ok(),
        Op::Rename(from, to) => model.rename(PATHS[*from], PATHS[*to]).is_ok(),
        Op::Link(from, to) => model.link(PATHS[*from], PATHS[*to]).is_ok(),
        Op::Kill => {
            model.close_all();
            true
        }
        Op::PowerCut => {
            model.power_cut();
            true
        }
    }
}

fn op() -> impl Strategy<Value = Op> {
    let path = || 0..PATHS.len();
    let data = prop::collection::vec(any::<u8>(), 0..20);
    prop_oneof![
        3 => path().prop_map(Op::Create),
        6 => (path(), data).prop_map(|(path, data)| Op::Append(path, data)),
        2 => (path(), 0..30_u64).prop_map(|(path, len)| Op::Truncate(path, len)),
        4 => path().prop_map(Op::Sync),
        3 => (0..DIRS.len()).prop_map(Op::SyncDir),
        2 => path().prop_map(Op::Remove),
        2 => (path(), path()).prop_map(|(from, to)| Op::Rename(from, to)),
        1 => (path(), path()).prop_map(|(from, to)| Op::Link(from, to)),
        1 => Just(Op::Kill),
        2 => Just(Op::PowerCut),
    ]
}

proptest! {
    #[test]
    fn any_operations_leave_what_the_reference_says(ops in prop::collection::vec(op(), 1..60)) {
        let (mut model, mut reference) = (Model::default(), Reference::default());
        DIRS.iter().for_each(|dir| model.make_dir(dir).expect("new"));
        for op in &ops {
            prop_assert_eq!(apply(&mut model, op), reference.apply(op), "{:?}", op);
            let expected: BTreeMap<_, _> =
                reference.names.iter().map(|(path, file)| (*path, &reference.files[*file].0[..])).collect();
            let found = model.files();
            let found: BTreeMap<_, _> =
                found.keys().map(|path| (path.as_str(), model.bytes(path).expect("listed"))).collect();
            prop_assert_eq!(found, expected, "after {:?}", op);
        }
    }
}

#[test]
fn an_unlinked_file_stays_for_its_handle_and_its_bytes_for_a_power_cut() {
    let mut model = Model::default();
    model.make_dir("/a").expect("new");
    let handle = model.open("/a/1", Open::Create, NOW).expect("made");
    model.file_mut(handle).expect("open").append(b"kept", NOW);
    model.file_mut(handle).expect("open").sync();
    model.sync_dir("/a").expect("a directory");
    model.remove("/a/1").expect("there");
    assert_eq!(model.file(handle).expect("open").bytes(), b"kept");
    assert_eq!(model.bytes("/a/1"), None);
    model.power_cut();
    assert_eq!(model.bytes("/a/1"), Some(&b"kept"[..]), "the removal was not synced");
    assert!(model.file(handle).is_err(), "handles do not survive");
}

#[test]
fn locks_end_with_their_process() {
    let mut model = Model::default();
    model.make_dir("/a").expect("new");
    model.lock("/a/LOCK", NOW).expect("free");
    assert_eq!(model.lock("/a/LOCK", NOW), Err(super::DiskError::Locked));
    model.close_all();
    model.lock("/a/LOCK", NOW).expect("free again");
}

#[test]
fn directories_list_their_own_entries_only() {
    let mut model = Model::default();
    model.make_dir("/db/inner").expect("new, with the one above");
    model.open("/db/x", Open::Create, NOW).expect("made");
    model.open("/db/inner/y", Open::Create, NOW).expect("made");
    assert_eq!(model.list("/db").expect("a directory"), ["inner", "x"]);
    assert_eq!(model.list("").expect("the root"), ["db"]);
    assert_eq!(normal("//db/./x/"), "/db/x");
}
