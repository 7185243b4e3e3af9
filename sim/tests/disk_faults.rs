//! What a real RocksDB makes of the faults of a simulated disk.

mod common;

use assay_sim::{
    HostId, World, WorldConfig,
    disk::{Disk, DiskStats, Effect, Fault, FileKind, Operation, When},
    trace::{Trace, first_difference},
};
use common::{SharedBuffer, secs, world};
use rocksdb::{DB, DBRecoveryMode, Env, FlushOptions, Options, WriteOptions, checkpoint::Checkpoint};
use std::time::Duration;

struct Store {
    db: DB,
    // After the database that uses it.
    _env: Env,
}

impl Store {
    fn open(disk: &Disk) -> Result<Self, rocksdb::Error> {
        Self::open_at(disk, "/data/db", DBRecoveryMode::PointInTime)
    }

    fn open_at(disk: &Disk, path: &str, mode: DBRecoveryMode) -> Result<Self, rocksdb::Error> {
        let env = disk.env();
        let mut options = Options::default();
        options.create_if_missing(true);
        options.set_env(&env);
        options.set_disable_auto_compactions(true);
        options.set_wal_recovery_mode(mode);
        // Side by side, they would meet a fault on reads in any order.
        options.set_max_file_opening_threads(1);
        Ok(Self { db: DB::open(&options, path)?, _env: env })
    }

    /// A synced write.
    fn put(&self, key: u32) -> Result<(), rocksdb::Error> {
        let mut options = WriteOptions::default();
        options.set_sync(true);
        self.db.put_opt(key.to_be_bytes(), [7; 200], &options)
    }

    fn keys(&self) -> Result<Vec<u32>, rocksdb::Error> {
        let all = self.db.iterator(rocksdb::IteratorMode::Start);
        all.map(|entry| Ok(u32::from_be_bytes(*entry?.0.first_chunk().expect("a key")))).collect()
    }

    fn flush(&self) {
        let mut options = FlushOptions::default();
        options.set_wait(true);
        self.db.flush_opt(&options).expect("flushed");
    }
}

/// Boots a host that does `f` and closes everything, after a kill if it is up; returns what it says.
fn life(world: &mut World, host: HostId, f: impl FnOnce(&Disk) -> String + 'static) -> String {
    world.kill(host);
    let disk = world.disk(host).clone();
    world.boot(host, move || async move { f(&disk) });
    let soon = world.now() + secs(1);
    world.run_until(soon).expect("no panic");
    world.exited(host).expect("it ended").to_owned()
}

fn keys(disk: &Disk) -> String {
    keys_of(&Store::open(disk).expect("it opens"))
}

fn keys_of(store: &Store) -> String {
    format!("{:?}", store.keys().expect("readable"))
}

/// Every entry with its value, a line each.
fn contents(store: &Store) -> String {
    let all = store.db.iterator(rocksdb::IteratorMode::Start);
    all.map(|entry| format!("{:?}\n", entry.expect("readable"))).collect()
}

fn wal_sync(when: When, effect: Effect) -> Fault {
    Fault { operation: Operation::Sync, files: [FileKind::Wal].into(), when, effect }
}

#[test]
fn a_full_disk_refuses_and_keeps_what_it_has() {
    let (said, after) = world(WorldConfig::new(1), 1, |world, hosts| {
        let said = life(world, hosts[0], |disk| {
            let store = Store::open(disk).expect("a new one");
            let used: u64 = disk.files().values().sum();
            disk.set_quota(Some(used + 1000));
            let error = (0..100).find_map(|key| store.put(key).err().map(|error| (key, error)));
            assert_eq!(disk.free_bytes(), Some(0), "what fits is written");
            let (key, error) = error.expect("1000 bytes hold no 100 records");
            format!("{key} {error}")
        });
        world.power_cut(hosts[0]);
        world.disk(hosts[0]).set_quota(None);
        (said, life(world, hosts[0], keys))
    });
    assert!(said.starts_with("4 ") && said.contains("No space left"), "{said}");
    assert_eq!(after, "[0, 1, 2, 3]");
}

#[test]
fn a_write_whose_sync_fails_is_refused_and_the_others_stay() {
    for effect in [Effect::Eio, Effect::FailedSync] {
        let (said, after) = world(WorldConfig::new(1), 1, |world, hosts| {
            let said = life(world, hosts[0], move |disk| {
                let store = Store::open(disk).expect("a new one");
                let fault = disk.inject(wal_sync(When::Nth(3), effect));
                let done: Vec<_> = (0..4).map(|key| store.put(key).is_ok()).collect();
                assert_eq!(disk.fault_hits(fault), 1);
                format!("{done:?} {}", disk.remove_fault(fault))
            });
            world.power_cut(hosts[0]);
            (said, life(world, hosts[0], keys))
        });
        // After a failed write RocksDB takes no more until it is opened again.
        assert_eq!(said, "[true, true, false, false] 1", "{effect:?}");
        assert!(["[0, 1]", "[0, 1, 2]"].contains(&after.as_str()), "{effect:?}: {after}");
    }
}

#[test]
fn a_flipped_bit_in_a_table_is_found_on_reading() {
    let (before, after) = world(WorldConfig::new(1), 1, |world, hosts| {
        life(world, hosts[0], |disk| {
            let store = Store::open(disk).expect("a new one");
            (0..50).for_each(|key| store.put(key).expect("written"));
            store.flush();
            String::new()
        });
        let before = life(world, hosts[0], keys);
        let files = world.disk(hosts[0]).files();
        let table = files.keys().find(|path| FileKind::of(path) == FileKind::Sst).expect("flushed");
        world.disk(hosts[0]).flip_bit(table, 20, 3).expect("there is such a byte");
        let after = life(world, hosts[0], |disk| match Store::open(disk).and_then(|store| store.keys()) {
            Ok(keys) => format!("{} keys", keys.len()),
            Err(error) => error.to_string(),
        });
        (before, after)
    });
    assert_eq!(before, format!("{:?}", (0..50).collect::<Vec<_>>()));
    assert!(after.starts_with("Corruption"), "{after}");
}

#[test]
fn an_unreadable_table_and_a_lost_tail_are_errors() {
    let (unreadable, short) = world(WorldConfig::new(1), 1, |world, hosts| {
        life(world, hosts[0], |disk| {
            let store = Store::open(disk).expect("a new one");
            store.put(1).expect("written");
            store.flush();
            String::new()
        });
        let read = |disk: &Disk| match Store::open(disk).and_then(|store| store.keys()) {
            Ok(keys) => format!("{} keys", keys.len()),
            Err(error) => error.to_string(),
        };
        let disk = world.disk(hosts[0]).clone();
        let files = [FileKind::Sst].into();
        let fault = Fault { operation: Operation::Read, files, when: When::Always, effect: Effect::Eio };
        let fault = disk.inject(fault);
        let unreadable = life(world, hosts[0], read);
        assert!(disk.remove_fault(fault) > 0);
        let table = disk.files().into_keys().find(|path| path.ends_with(".sst")).expect("flushed");
        disk.truncate_tail(&table, 30).expect("it is longer");
        (unreadable, life(world, hosts[0], read))
    });
    assert!(unreadable.contains("input/output error"), "{unreadable}");
    assert!(short.starts_with("Corruption"), "{short}");
}

#[test]
fn a_store_that_is_closed_while_its_disk_fails_gives_its_lock_back() {
    let said = world(WorldConfig::new(1), 1, |world, hosts| {
        life(world, hosts[0], |disk| {
            let store = Store::open(disk).expect("a new one");
            store.put(1).expect("written");
            let files = FileKind::ALL.into();
            let fault = Fault { operation: Operation::Any, files, when: When::Always, effect: Effect::Eio };
            let fault = disk.inject(fault);
            drop(store);
            assert!(Store::open(disk).is_err(), "everything fails");
            assert!(disk.remove_fault(fault) > 0);
            keys(disk)
        })
    });
    assert_eq!(said, "[1]");
}

/// Unsynced writes, slow syncs and a torn power cut: the hash of the trace, the length of the log and the counts.
fn torn_run(seed: u64) -> (String, u64, DiskStats) {
    world(WorldConfig::new(seed), 1, |world, hosts| {
        let disk = world.disk(hosts[0]).clone();
        disk.set_torn_writes(true);
        let slow = disk.inject(wal_sync(When::Always, Effect::Slow(Duration::from_millis(30))));
        let held = disk.clone();
        world.boot(hosts[0], move || async move {
            let store = Store::open(&held).expect("a new one");
            store.put(0).expect("written");
            (1..9_u32).for_each(|key| store.db.put(key.to_be_bytes(), [7; 200]).expect("written"));
            std::future::pending::<()>().await;
            drop(store);
            String::new()
        });
        world.run_until(secs(1)).expect("no panic");
        world.power_cut(hosts[0]);
        assert_eq!(disk.remove_fault(slow), disk.stats().slowed.as_millis() as u64 / 30);
        let log = disk.files().into_iter().find(|(path, _)| FileKind::of(path) == FileKind::Wal).expect("a log");
        let kept = life(world, hosts[0], keys);
        assert!("[0, 1, 2, 3, 4, 5, 6, 7, 8]".starts_with(kept.trim_end_matches(']')), "{kept}");
        (world.trace().hash_hex(), log.1, disk.stats())
    })
}

#[test]
fn a_torn_log_is_read_up_to_the_tear_which_the_seed_decides() {
    let (one, again, other) = (torn_run(1), torn_run(1), torn_run(2));
    assert_eq!(one, again);
    assert_ne!(one.1, other.1, "the seeds tear at different places");
    assert!(one.2.slowed >= Duration::from_millis(30));
}

#[test]
fn a_flush_that_finds_the_disk_full_loses_nothing() {
    let (said, after) = world(WorldConfig::new(1), 1, |world, hosts| {
        let said = life(world, hosts[0], |disk| {
            let store = Store::open(disk).expect("a new one");
            (0..20).for_each(|key| store.put(key).expect("written"));
            disk.set_quota(Some(disk.files().values().sum()));
            store.db.flush().expect_err("no room for a table").to_string()
        });
        world.power_cut(hosts[0]);
        world.disk(hosts[0]).set_quota(None);
        (said, life(world, hosts[0], keys))
    });
    assert!(said.contains("No space left"), "{said}");
    assert_eq!(after, format!("{:?}", (0..20).collect::<Vec<_>>()));
}

fn wal_fault(operation: Operation, when: When, effect: Effect) -> Fault {
    Fault { operation, ..wal_sync(when, effect) }
}

#[test]
fn a_misdirected_write_to_the_log_is_found_when_it_is_opened_again() {
    let (said, strict, lenient) = world(WorldConfig::new(1), 1, |world, hosts| {
        let said = life(world, hosts[0], |disk| {
            let store = Store::open(disk).expect("a new one");
            let fault = disk.inject(wal_fault(Operation::Append, When::Nth(4), Effect::Misdirected));
            (0..6).for_each(|key| store.put(key).expect("it says so"));
            format!("{}", disk.remove_fault(fault))
        });
        let strict =
            life(world, hosts[0], |disk| match Store::open_at(disk, "/data/db", DBRecoveryMode::AbsoluteConsistency) {
                Ok(_) => "opened".to_owned(),
                Err(error) => error.to_string(),
            });
        (said, strict, life(world, hosts[0], keys))
    });
    assert_eq!(said, "1");
    assert!(strict.starts_with("Corruption"), "{strict}");
    assert!("[0, 1, 2".starts_with(lenient.trim_end_matches(']')), "what it hit and all behind it is gone: {lenient}");
}

#[test]
fn a_sync_that_lies_loses_acknowledged_writes_at_a_power_cut_and_not_at_a_kill() {
    let lives = |power_cut| {
        world(WorldConfig::new(1), 1, move |world, hosts| {
            let said = life(world, hosts[0], |disk| {
                let store = Store::open(disk).expect("a new one");
                store.put(0).expect("written");
                let (operation, effect) = (Operation::Any, Effect::LyingSync);
                let files = FileKind::ALL.into();
                disk.inject(Fault { operation, files, when: When::Always, effect });
                (1..4).for_each(|key| store.put(key).expect("it says so"));
                keys_of(&store)
            });
            if power_cut {
                world.power_cut(hosts[0]);
            }
            (said, life(world, hosts[0], keys))
        })
    };
    let all = "[0, 1, 2, 3]".to_owned();
    assert_eq!(lives(true), (all.clone(), "[0]".to_owned()));
    assert_eq!(lives(false), (all.clone(), all));
}

#[test]
fn rot_and_scrambling_under_a_host_that_is_up_are_found() {
    let (up, reopened) = world(WorldConfig::new(1), 1, |world, hosts| {
        let (disk, held) = (world.disk(hosts[0]).clone(), world.disk(hosts[0]).clone());
        world.boot(hosts[0], move || async move {
            let store = Store::open(&held).expect("a new one");
            (0..50).for_each(|key| store.put(key).expect("written"));
            store.flush();
            tokio::time::sleep(secs(2)).await;
            store.keys().expect_err("its table is rotten").to_string()
        });
        world.run_until(secs(1)).expect("no panic");
        let hit = disk.rot("/data/db", &[FileKind::Sst].into(), 100, "table").expect("it is longer");
        assert!(hit.iter().all(|(path, _)| FileKind::of(path) == FileKind::Sst));
        world.run_until(secs(3)).expect("no panic");
        let up = world.exited(hosts[0]).expect("it has read");
        let mut rng = world.stream("scramble", "n0");
        let (manifest, _) = disk.pick(FileKind::Manifest, &mut rng).expect("there is one");
        disk.scramble(&manifest, &mut rng).expect("there is one");
        let reopen = |disk: &Disk| Store::open(disk).err().map_or("opened".to_owned(), |error| error.to_string());
        (up, life(world, hosts[0], reopen))
    });
    assert!(up.starts_with("Corruption"), "{up}");
    assert!(reopened.starts_with("Corruption"), "{reopened}");
}

#[test]
fn what_a_slow_disk_owes_is_the_same_each_time_and_costs_no_time_twice() {
    let run = || {
        world(WorldConfig::new(1), 1, |world, hosts| {
            life(world, hosts[0], |disk| {
                let store = Store::open(disk).expect("a new one");
                let slow = Effect::Slow(Duration::from_millis(30));
                disk.inject(wal_sync(When::Always, slow));
                let table = Fault { files: [FileKind::Sst].into(), ..wal_sync(When::Always, slow) };
                disk.inject(Fault { operation: Operation::Change, ..table });
                store.put(1).expect("written");
                let put = disk.take_latency();
                store.flush();
                let flush = disk.take_latency();
                assert_eq!(disk.stats().slowed, put + flush);
                format!("{} {}", put.as_millis(), flush.as_millis())
            })
        })
    };
    let said = run();
    let (put, flush) = said.split_once(' ').expect("two figures");
    assert_eq!(put, "30");
    assert!(flush.parse::<u64>().expect("a figure") >= 90, "a table is made, written and synced by a job: {flush}");
    assert_eq!(run(), said);
}

#[test]
fn a_checkpoint_survives_a_power_cut_and_opens_elsewhere() {
    let (said, after) = world(WorldConfig::new(1), 1, |world, hosts| {
        let said = life(world, hosts[0], |disk| {
            let store = Store::open(disk).expect("a new one");
            (0..20).for_each(|key| store.put(key).expect("written"));
            store.flush();
            (20..30).for_each(|key| store.put(key).expect("written"));
            let checkpoint = Checkpoint::new(&store.db).expect("it is open");
            checkpoint.create_checkpoint("/data/copy").expect("there is room");
            let before = contents(&store);
            store.put(30).expect("written");
            before
        });
        world.power_cut(hosts[0]);
        let after = life(world, hosts[0], |disk| {
            disk.rename("/data/copy", "/data/moved").expect("the name is free");
            let copy = Store::open_at(disk, "/data/moved", DBRecoveryMode::AbsoluteConsistency).expect("it is whole");
            assert_eq!(Store::open(disk).and_then(|store| store.keys()).expect("the original").len(), 31);
            contents(&copy)
        });
        (said, after)
    });
    assert_eq!(said.lines().count(), 30);
    assert_eq!(said, after);
}

/// A run with every fault that there is: the trace, its hash and the counts.
fn troubled_run(seed: u64) -> (String, String, DiskStats) {
    let text = SharedBuffer::default();
    let mut config = WorldConfig::new(seed);
    config.trace = Trace::with_sink(Box::new(text.clone()));
    let (hash, stats) = world(config, 1, |world, hosts| {
        let disk = world.disk(hosts[0]).clone();
        disk.set_torn_writes(true);
        let fault = |operation, files: &[FileKind], when, effect| {
            let files = files.iter().copied().collect();
            disk.inject(Fault { operation, files, when, effect })
        };
        let all = FileKind::ALL;
        let slow = fault(Operation::Any, &all, When::Always, Effect::Slow(Duration::from_millis(1)));
        for round in 0..3_u32 {
            life(world, hosts[0], move |disk| {
                let store = Store::open(disk).expect("nothing is broken yet");
                for key in 0..120 {
                    store.put(round * 120 + key).expect("written");
                    if key % 30 == 29 {
                        store.flush();
                        disk.take_latency();
                    }
                }
                String::new()
            });
        }
        // Opens, writes until the disk is full, and reads.
        let troubled = |disk: &Disk| {
            let Ok(store) = Store::open(disk) else { return "closed".to_owned() };
            disk.set_quota(Some(disk.files().values().sum::<u64>() + 4000));
            let written = (1000..1040).filter(|key| store.put(*key).is_ok()).count();
            assert!(written < 40, "4000 bytes hold so many records: {written}");
            let read = store.keys().map(|keys| keys.len());
            disk.set_quota(None);
            disk.take_latency();
            format!("{written} {read:?}")
        };
        for (operation, files, when, effect) in [
            (Operation::Append, &[FileKind::Wal][..], When::Nth(5), Effect::Misdirected),
            (Operation::Sync, &[FileKind::Wal], When::Nth(7), Effect::FailedSync),
            (Operation::Any, &all, When::Always, Effect::LyingSync),
            (Operation::Read, &[FileKind::Sst], When::Nth(20), Effect::Eio),
        ] {
            let set = fault(operation, files, when, effect);
            life(world, hosts[0], troubled);
            world.power_cut(hosts[0]);
            assert!(disk.remove_fault(set) > 0, "{effect:?} met nothing");
        }
        disk.rot("/data/db", &[FileKind::Sst].into(), 30, "tables").expect("there are tables");
        life(world, hosts[0], troubled);
        disk.scramble("/data/db/CURRENT", &mut world.stream("scramble", "n0")).expect("there is one");
        assert_eq!(life(world, hosts[0], troubled), "closed");
        world.kill(hosts[0]);
        disk.wipe("/data/db").expect("it is down");
        life(world, hosts[0], troubled);
        assert!(disk.remove_fault(slow) > 0);
        (world.trace().hash_hex(), disk.stats())
    });
    (text.take(), hash, stats)
}

#[test]
fn equal_seeds_fail_equally_with_all_faults_at_once() {
    let runs: Vec<_> = std::thread::scope(|scope| {
        #[allow(clippy::disallowed_methods, reason = "runs side by side share nothing")]
        let threads: Vec<_> = [5, 5, 5, 6].map(|seed| scope.spawn(move || troubled_run(seed))).into();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    for other in &runs[1..3] {
        let difference = first_difference(runs[0].0.as_bytes(), other.0.as_bytes()).expect("text");
        assert_eq!(difference.map(|d| d.to_string()), None);
        assert_eq!((&runs[0].1, runs[0].2), (&other.1, other.2));
    }
    assert_ne!(runs[0].1, runs[3].1);
}
