//! The disk's model against a simple one: random operations with faults, kills and power cuts, compared after each.
//!
//! The reference keeps every file in full and says of each byte whether the next sync writes it. So equality means that
//! what was synced is back after a power cut, what was not may be gone, and nothing else ever appears: but for zeros
//! where a failed sync lost bytes that a later one wrote beyond.

use super::{
    damage::fit,
    inode::Inode,
    model::{Model, Open, normal},
};
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

const NOW: Duration = Duration::ZERO;
const DIRS: [&str; 2] = ["/a", "/b"];
const PATHS: [&str; 6] = ["/a/1", "/a/2", "/a/3", "/b/1", "/b/2", "/a/b"];

#[derive(Clone, Debug)]
enum Op {
    Create(usize),
    Append(usize, Vec<u8>),
    Truncate(usize, u64),
    Sync(usize),
    FailSync(usize),
    SyncDir(usize),
    Remove(usize),
    Rename(usize, usize),
    Link(usize, usize),
    Kill,
    PowerCut,
    /// The number decides how much of each file's pending bytes survives.
    TornCut(u64),
    Quota(Option<u64>),
    FlipBit(usize, u64),
}

/// A byte, and whether the next sync writes it.
type Cached = (u8, bool);

#[derive(Default)]
struct File {
    cached: Vec<Cached>,
    durable: Vec<u8>,
}

impl File {
    fn pending(&self) -> usize {
        self.cached.iter().filter(|(_, pending)| *pending).count()
    }

    fn write(&mut self, data: impl IntoIterator<Item = u8>) {
        self.cached.extend(data.into_iter().map(|byte| (byte, true)));
    }

    fn sync(&mut self) {
        self.durable.resize(self.cached.len(), 0);
        for ((byte, pending), durable) in self.cached.iter_mut().zip(&mut self.durable) {
            if std::mem::take(pending) {
                *durable = *byte;
            }
        }
    }

    fn tear(&mut self, number: u64) {
        let start = self.cached.len() - self.pending();
        let kept = torn_length(number, self.pending() as u64) as usize;
        if self.durable.len() <= start && kept > 0 {
            self.durable.resize(start, 0);
            self.durable.extend(self.cached[start..start + kept].iter().map(|(byte, _)| byte));
        }
    }
}

fn torn_length(number: u64, pending: u64) -> u64 {
    number % (pending + 1)
}

/// Every file in full, twice; names in full, twice.
#[derive(Default)]
struct Reference {
    names: BTreeMap<&'static str, usize>,
    durable_names: BTreeMap<&'static str, usize>,
    files: Vec<File>,
    quota: Option<u64>,
}

impl Reference {
    fn file(&mut self, path: usize) -> Option<&mut File> {
        self.names.get(PATHS[path]).map(|file| &mut self.files[*file])
    }

    fn free(&self) -> u64 {
        let named: BTreeSet<_> = self.names.values().collect();
        let used: usize = named.into_iter().map(|file| self.files[*file].cached.len()).sum();
        self.quota.map_or(u64::MAX, |quota| quota.saturating_sub(used as u64))
    }

    fn power_cut(&mut self) {
        self.names.clone_from(&self.durable_names);
        for File { cached, durable } in &mut self.files {
            *cached = durable.iter().map(|byte| (*byte, false)).collect();
        }
    }

    /// Returns false if the operation must fail.
    fn apply(&mut self, op: &Op) -> bool {
        let free = self.free();
        match op {
            Op::Create(path) => match self.file(*path) {
                Some(file) => file.cached.clear(),
                None => {
                    self.names.insert(PATHS[*path], self.files.len());
                    self.files.push(Default::default());
                }
            },
            Op::Append(path, data) => match self.file(*path) {
                Some(file) => {
                    let fits = free.min(data.len() as u64) as usize;
                    file.write(data[..fits].iter().copied());
                    return fits == data.len();
                }
                None => return false,
            },
            Op::Truncate(path, len) => match self.file(*path) {
                Some(file) => {
                    let growth = (*len as usize).saturating_sub(file.cached.len());
                    if growth as u64 > free {
                        return false;
                    }
                    file.cached.truncate(*len as usize);
                    file.write(vec![0; growth]);
                }
                None => return false,
            },
            Op::Sync(path) => match self.file(*path) {
                Some(file) => file.sync(),
                None => return false,
            },
            Op::FailSync(path) => match self.file(*path) {
                Some(file) => file.cached.iter_mut().for_each(|(_, pending)| *pending = false),
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
            Op::PowerCut => self.power_cut(),
            Op::TornCut(number) => {
                let named: BTreeSet<_> = self.durable_names.values().copied().collect();
                named.into_iter().for_each(|file| self.files[file].tear(*number));
                self.power_cut();
            }
            Op::Quota(quota) => self.quota = *quota,
            Op::FlipBit(path, offset) => match self.file(*path) {
                Some(File { cached, durable }) if (*offset as usize) < cached.len() => {
                    cached[*offset as usize].0 ^= 8;
                    if let Some(byte) = durable.get_mut(*offset as usize) {
                        *byte ^= 8;
                    }
                }
                _ => return false,
            },
        }
        true
    }
}

fn with_file(model: &mut Model, path: usize, f: &mut dyn FnMut(&mut Inode)) -> bool {
    let Ok(handle) = model.open(PATHS[path], Open::Read, NOW) else { return false };
    let done = model.file_mut(handle).map(f).is_ok();
    model.close(handle);
    done
}

fn apply(model: &mut Model, op: &Op) -> bool {
    match op {
        Op::Create(path) => match model.open(PATHS[*path], Open::Create, NOW) {
            Ok(handle) => {
                model.close(handle);
                true
            }
            Err(_) => false,
        },
        Op::Append(path, data) => {
            let (fits, all) = fit(model, data);
            with_file(model, *path, &mut |file| _ = file.append(fits, NOW)) && all
        }
        Op::Truncate(path, len) => {
            let known = model.bytes(PATHS[*path]).map(|bytes| bytes.len() as u64);
            known.is_some_and(|known| model.free().is_none_or(|free| len.saturating_sub(known) <= free))
                && with_file(model, *path, &mut |file| file.truncate(*len, NOW))
        }
        Op::FailSync(path) => with_file(model, *path, &mut |file| file.fail_sync()),
        Op::FlipBit(path, offset) => model.named_mut(PATHS[*path]).is_ok_and(|file| file.flip(*offset, 3)),
        Op::Quota(quota) => {
            model.set_quota(*quota);
            true
        }
        Op::TornCut(number) => {
            model.tear(|_, pending| torn_length(*number, pending), |_, _, _| {});
            model.power_cut();
            true
        }
        Op::Sync(path) => with_file(model, *path, &mut |file| _ = file.sync()),
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
        1 => any::<u64>().prop_map(Op::TornCut),
        1 => prop::option::of(0..60_u64).prop_map(Op::Quota),
        2 => path().prop_map(Op::FailSync),
        1 => (path(), 0..40_u64).prop_map(|(path, offset)| Op::FlipBit(path, offset)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]
    #[test]
    fn any_operations_leave_what_the_reference_says(ops in prop::collection::vec(op(), 1..60)) {
        let (mut model, mut reference) = (Model::default(), Reference::default());
        DIRS.iter().for_each(|dir| model.make_dir(dir).expect("new"));
        for op in &ops {
            prop_assert_eq!(apply(&mut model, op), reference.apply(op), "{:?}", op);
            let expected: BTreeMap<_, Vec<u8>> = reference
                .names
                .iter()
                .map(|(path, file)| (*path, reference.files[*file].cached.iter().map(|(byte, _)| *byte).collect()))
                .collect();
            let found = model.files();
            let found: BTreeMap<_, _> =
                found.keys().map(|path| (path.as_str(), model.bytes(path).expect("listed").to_vec())).collect();
            prop_assert_eq!(found, expected, "after {:?}", op);
            prop_assert_eq!(model.free().unwrap_or(u64::MAX), reference.free(), "after {:?}", op);
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
