//! The disk without RocksDB: against the reference, and what one operation or fault does.

use super::{
    Disk, DiskError, Effect, Fault, FileKind, Operation, SLOW_MAX, When,
    model::{Model, Open, normal},
    reference::{Op, PATHS, Reference, SEED},
};
use crate::{HostId, clock::HostClock, entropy, trace::Trace};
use proptest::prelude::*;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

fn disk_of(seed: u64) -> Disk {
    Disk::new(seed, HostId::from_index(0), Arc::new(HostClock::new(Duration::ZERO)), Trace::new())
}

fn fault(operation: Operation, effect: Effect) -> Fault {
    Fault { operation, files: FileKind::ALL.into(), when: When::Always, effect }
}

/// Runs `f` while the fault is set.
fn struck<T>(disk: &Disk, operation: Operation, effect: Effect, f: impl FnOnce(&Disk) -> T) -> T {
    let fault = disk.inject(fault(operation, effect));
    let result = f(disk);
    disk.remove_fault(fault);
    result
}

/// Does something to the file of that path; an error if there is none.
fn with_file(
    disk: &Disk,
    path: &str,
    f: impl FnOnce(super::model::Handle) -> Result<(), DiskError>,
) -> Result<(), DiskError> {
    let handle = disk.open(path, Open::Read)?;
    let done = f(handle);
    disk.close(handle);
    done
}

fn rename(disk: &Disk, from: &str, to: &str) -> Result<(), DiskError> {
    disk.change_names("rename", from, to, |model, from, to, _| model.rename(from, to))
}

fn make_dir(disk: &Disk, path: &str) -> Result<(), DiskError> {
    // The reference makes one directory at a time.
    let above = path.rsplit_once('/').map_or("", |(above, _)| above);
    if !disk.entry(above)?.is_dir {
        return Err(DiskError::NotADirectory);
    }
    disk.change_names("make-dir", path, "", |model, path, _, _| model.make_dir(path))
}

fn end_of_process(disk: &Disk, power_cut: bool) {
    disk.fence();
    disk.recover(power_cut);
}

/// Returns false if the operation failed.
fn apply(disk: &Disk, op: &Op) -> bool {
    let path = |path: &usize| PATHS[*path];
    let done = match op {
        Op::Create(file) => disk.open(path(file), Open::Create).map(|handle| disk.close(handle)),
        Op::CreateNew(file) => disk.create_new(path(file)).map(drop),
        Op::Append(file, data) => with_file(disk, path(file), |handle| disk.append(handle, data)),
        Op::Misdirect(file, data) => struck(disk, Operation::Append, Effect::Misdirected, |disk| {
            with_file(disk, path(file), |handle| disk.append(handle, data))
        }),
        Op::Truncate(file, len) => with_file(disk, path(file), |handle| disk.truncate(handle, *len)),
        Op::Sync(file) => with_file(disk, path(file), |handle| disk.sync(handle)),
        Op::FailSync(file) => struck(disk, Operation::Sync, Effect::FailedSync, |disk| {
            with_file(disk, path(file), |handle| match disk.sync(handle) {
                Err(DiskError::SyncFailed) => Ok(()),
                other => panic!("a sync that a fault struck: {other:?}"),
            })
        }),
        Op::LyingSync(file) => struck(disk, Operation::Any, Effect::LyingSync, |disk| {
            with_file(disk, path(file), |handle| disk.sync(handle))
        }),
        Op::SyncDir(dir) => disk.sync_dir(path(dir)),
        Op::LyingSyncDir(dir) => struck(disk, Operation::SyncDir, Effect::LyingSync, |disk| disk.sync_dir(path(dir))),
        Op::MakeDir(dir) => make_dir(disk, path(dir)),
        Op::RemoveDir(dir) => disk.change_names("remove-dir", path(dir), "", |model, dir, _, _| model.remove_dir(dir)),
        Op::Unlink(file) => disk.change_names("remove", path(file), "", |model, path, _, _| model.remove(path)),
        Op::Remove(file) => disk.remove(path(file)),
        Op::Rename(from, to) => rename(disk, path(from), path(to)),
        Op::Move(from, to) => disk.rename(path(from), path(to)),
        Op::Link(from, to) => {
            disk.change_names("link", path(from), path(to), |model, from, to, _| model.link(from, to))
        }
        Op::Kill => {
            end_of_process(disk, false);
            Ok(())
        }
        Op::PowerCut => {
            end_of_process(disk, true);
            Ok(())
        }
        Op::TornCut => {
            disk.set_torn_writes(true);
            end_of_process(disk, true);
            disk.set_torn_writes(false);
            Ok(())
        }
        Op::Wipe(dir) => {
            end_of_process(disk, false);
            disk.wipe(path(dir))
        }
        Op::Quota(quota) => {
            disk.set_quota(*quota);
            Ok(())
        }
        Op::FlipBit(file, offset) => disk.flip_bit(path(file), *offset, 3),
    };
    done.is_ok()
}

fn op() -> impl Strategy<Value = Op> {
    // Often the same two files, so that much happens to one.
    let path = || prop_oneof![2 => Just(3), 1 => Just(4), 2 => 0..PATHS.len()];
    let data = || prop::collection::vec(any::<u8>(), 0..20);
    prop_oneof![
        4 => path().prop_map(Op::Create),
        1 => path().prop_map(Op::CreateNew),
        8 => (path(), data()).prop_map(|(path, data)| Op::Append(path, data)),
        2 => (path(), data()).prop_map(|(path, data)| Op::Misdirect(path, data)),
        2 => (path(), 0..30_u64).prop_map(|(path, len)| Op::Truncate(path, len)),
        5 => path().prop_map(Op::Sync),
        2 => path().prop_map(Op::FailSync),
        2 => path().prop_map(Op::LyingSync),
        4 => path().prop_map(Op::SyncDir),
        1 => path().prop_map(Op::LyingSyncDir),
        2 => path().prop_map(Op::MakeDir),
        1 => path().prop_map(Op::RemoveDir),
        2 => path().prop_map(Op::Unlink),
        1 => path().prop_map(Op::Remove),
        3 => (path(), path()).prop_map(|(from, to)| Op::Rename(from, to)),
        2 => (path(), path()).prop_map(|(from, to)| Op::Move(from, to)),
        1 => (path(), path()).prop_map(|(from, to)| Op::Link(from, to)),
        1 => Just(Op::Kill),
        2 => Just(Op::PowerCut),
        1 => Just(Op::TornCut),
        1 => path().prop_map(Op::Wipe),
        1 => prop::option::of(0..60_u64).prop_map(Op::Quota),
        1 => (path(), 0..40_u64).prop_map(|(path, offset)| Op::FlipBit(path, offset)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]
    #[test]
    fn any_operations_leave_what_the_reference_says(ops in prop::collection::vec(op(), 1..60)) {
        let (disk, mut reference) = (disk_of(SEED), Reference::default());
        // The first three paths are directories at the start, the next two files.
        let start = [Op::MakeDir(0), Op::MakeDir(1), Op::MakeDir(2), Op::Create(3), Op::Create(4), Op::SyncDir(0)];
        let ops: Vec<_> = start.into_iter().chain(ops).collect();
        for op in &ops {
            prop_assert_eq!(apply(&disk, op), reference.apply(op), "{:?}", op);
            let found = disk.files();
            let found: BTreeMap<_, _> =
                found.into_keys().map(|path| (path.clone(), disk.read(&path).expect("listed"))).collect();
            prop_assert_eq!(found, reference.contents(), "after {:?}", op);
            prop_assert_eq!(disk.free_bytes().unwrap_or(u64::MAX), reference.free(), "after {:?}", op);
            let dirs = PATHS.map(|path| disk.entry(path).is_ok_and(|entry| entry.is_dir));
            prop_assert_eq!(dirs, PATHS.map(|path| reference.is_dir(path)), "after {:?}", op);
        }
    }
}

const NOW: Duration = Duration::ZERO;

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
    assert_eq!(model.lock("/a/LOCK", NOW), Err(DiskError::Locked));
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

/// A disk with a file of these bytes, durable.
fn with_bytes(seed: u64, path: &str, bytes: &[u8]) -> Disk {
    let disk = disk_of(seed);
    let mut file = disk.create_new(path).expect("new");
    file.append(bytes).and_then(|()| file.sync()).expect("no fault");
    disk.sync_dir("/").expect("the root");
    disk
}

#[test]
fn a_misdirected_write_lies_over_old_bytes_and_leaves_zeros() {
    let written = |seed| {
        let disk = with_bytes(seed, "/x", &[1; 100]);
        struck(&disk, Operation::Append, Effect::Misdirected, |disk| {
            with_file(disk, "/x", |handle| disk.append(handle, &[2; 10])).expect("it says so");
        });
        let bytes = disk.read("/x").expect("there");
        end_of_process(&disk, true);
        assert_eq!(disk.read("/x").as_deref(), Some(&bytes[..100]), "what it hit is durable, the zeros are not");
        bytes
    };
    let bytes = written(1);
    let at = bytes.iter().position(|byte| *byte == 2).expect("it lies somewhere");
    assert_eq!((&bytes[at..at + 10], &bytes[100..]), (&[2; 10][..], &[0; 10][..]));
    assert_eq!(bytes.iter().filter(|byte| **byte == 1).count(), 90);
    assert_eq!(bytes, written(1));
    assert!((2..6).any(|seed| bytes != written(seed)), "the seed decides where");
}

#[test]
fn what_a_lying_sync_promised_is_lost_unless_an_honest_one_follows() {
    for honest in [false, true] {
        let disk = with_bytes(1, "/x", b"old");
        let write = |handle| disk.append(handle, b"new").and_then(|()| disk.sync(handle));
        struck(&disk, Operation::Any, Effect::LyingSync, |disk| {
            with_file(disk, "/x", write).expect("it says so");
            disk.create_new("/y").map(drop).and_then(|()| disk.sync_dir("/")).expect("it says so");
            assert_eq!(disk.sync_dir("/none"), Err(DiskError::NotFound));
        });
        if honest {
            with_file(&disk, "/x", |handle| disk.sync(handle)).and_then(|()| disk.sync_dir("/")).expect("no fault");
        }
        end_of_process(&disk, true);
        let expected: &[u8] = if honest { b"oldnew" } else { b"old" };
        assert_eq!(disk.read("/x").as_deref(), Some(expected));
        assert_eq!(disk.read("/y").is_some(), honest);
    }
}

#[test]
fn latency_adds_up_until_it_is_taken_and_ends_with_the_process() {
    let disk = disk_of(1);
    let slow = Effect::Slow(Duration::from_millis(40));
    struck(&disk, Operation::Change, slow, |disk| disk.create_dir("/a").and_then(|()| disk.create_dir("/b")))
        .expect("slow is not broken");
    assert_eq!(disk.take_latency(), Duration::from_millis(80));
    assert_eq!(disk.take_latency(), Duration::ZERO);
    struck(&disk, Operation::Any, slow, |disk| disk.read_at("/a", 0, 1)).expect_err("a directory");
    end_of_process(&disk, false);
    assert_eq!((disk.take_latency(), disk.stats().slowed), (Duration::ZERO, Duration::from_millis(120)));
}

#[test]
#[should_panic(expected = "slower than")]
fn a_single_operation_is_slowed_down_by_so_much_at_most() {
    disk_of(1).inject(fault(Operation::Any, Effect::Slow(SLOW_MAX + Duration::from_nanos(1))));
}

#[test]
fn rot_flips_different_bits_of_the_kind_as_the_seed_says() {
    let sst = [FileKind::Sst].into();
    let rotten = |seed, purpose: &[&str]| {
        let disk = with_bytes(seed, "/1.sst", &[0; 30]);
        for (path, len) in [("/2.sst", 10), ("/3.sst", 0), ("/4.log", 100)] {
            disk.create_new(path).expect("new").append(&vec![0; len]).expect("no fault");
        }
        disk.change_names("link", "/1.sst", "/5.sst", |model, from, to, _| model.link(from, to)).expect("free");
        let hit: Vec<_> = purpose.iter().map(|purpose| disk.rot("/", &sst, 40, purpose).expect("bits")).collect();
        let ones = |path| disk.read(path).expect("there").iter().map(|byte| byte.count_ones()).sum::<u32>();
        (hit, ones("/1.sst") + ones("/2.sst"), ones("/4.log"))
    };
    let one = rotten(1, &["a"]);
    assert_eq!((one.0[0].len(), one.1, one.2), (40, 40, 0));
    let first_names = ["/1.sst", "/2.sst"];
    assert!(one.0[0].iter().all(|(path, _)| first_names.contains(&path.as_str())), "each file once: {:?}", one.0);
    assert_eq!(rotten(1, &["a"]), one);
    assert_ne!(rotten(2, &["a"]).0, one.0);
    assert_ne!(rotten(1, &["b"]).0, one.0);
    let twice = rotten(1, &["a", "a"]).0;
    assert_eq!(twice[0], one.0[0]);
    assert_ne!(twice[1], one.0[0], "the second time is another");
    let disk = with_bytes(1, "/1.sst", &[0; 4]);
    assert_eq!(disk.rot("/", &sst, 33, "a"), Err(DiskError::BeyondEnd));
    assert_eq!(disk.rot("/", &[FileKind::Wal].into(), 1, "a"), Err(DiskError::NotFound));
    assert_eq!(disk.rot("/", &sst, 32, "a").map(|hit| hit.len()), Ok(32));
    assert_eq!(disk.read("/1.sst").as_deref(), Some(&[255; 4][..]));
    assert_eq!(disk.rot("/in", &sst, 1, "a"), Err(DiskError::NotFound), "it is elsewhere");
    disk.create_dir("/in").expect("new");
    disk.change_names("link", "/1.sst", "/in/1.sst", |model, from, to, _| model.link(from, to)).expect("free");
    assert_eq!(disk.rot("/in", &sst, 1, "a").expect("it is there too")[0].0, "/in/1.sst");
}

#[test]
fn a_scrambled_file_is_damaged_all_over() {
    let disk = with_bytes(1, "/CURRENT", &[0; 40]);
    let mut rng = entropy::stream(1, "scramble", "");
    assert_eq!(disk.scramble("/CURRENT", &mut rng), Ok(3));
    let bytes = disk.read("/CURRENT").expect("there");
    assert!(bytes.chunks(16).all(|piece| piece.iter().map(|byte| byte.count_ones()).sum::<u32>() == 1), "{bytes:?}");
    end_of_process(&disk, true);
    assert_eq!(disk.read("/CURRENT"), Some(bytes), "it is at rest");
    let (path, offset) = disk.pick(FileKind::Current, &mut rng).expect("there is one");
    assert!(path == "/CURRENT" && offset < 40);
    assert_eq!(disk.pick(FileKind::Wal, &mut rng), None);
    assert_eq!(disk.scramble("/none", &mut rng), Err(DiskError::NotFound));
}

#[test]
fn a_volume_is_lost_only_under_a_host_that_is_down() {
    let disk = with_bytes(1, "/x", b"kept");
    disk.create_dir("/data/db").expect("new");
    disk.create_new("/data/db/1.sst").map(drop).and_then(|()| disk.sync_dir("/data/db")).expect("no fault");
    disk.attach();
    assert_eq!(disk.wipe("/data"), Err(DiskError::InUse));
    end_of_process(&disk, false);
    disk.wipe("/data").expect("down");
    assert_eq!(disk.entry("/data"), Err(DiskError::NotFound));
    end_of_process(&disk, true);
    assert_eq!(disk.files().into_keys().collect::<Vec<_>>(), ["/x"]);
    assert_eq!(disk.wipe("/x"), Err(DiskError::NotADirectory));
    disk.wipe("/").expect("the root");
    assert_eq!((disk.files(), disk.list("/")), (BTreeMap::new(), Ok(Vec::new())));
}

#[test]
fn a_renamed_directory_keeps_what_was_durable_below_it() {
    let disk = disk_of(1);
    disk.create_dir("/a/in").expect("new");
    for path in ["/a/in/1", "/a/in/2"] {
        let mut file = disk.create_new(path).expect("new");
        file.append(path.as_bytes()).and_then(|()| file.sync()).expect("no fault");
        if path.ends_with('1') {
            disk.sync_dir("/a/in").expect("there");
        }
    }
    disk.rename("/a", "/b").expect("free");
    assert_eq!(disk.files().into_keys().collect::<Vec<_>>(), ["/b/in/1", "/b/in/2"]);
    end_of_process(&disk, true);
    assert_eq!(disk.files().into_keys().collect::<Vec<_>>(), ["/b/in/1"], "one name was synced");
    assert_eq!(disk.read("/b/in/1").as_deref(), Some(&b"/a/in/1"[..]));
}
