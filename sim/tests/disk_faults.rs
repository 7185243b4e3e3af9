//! What a real RocksDB makes of the faults of a simulated disk.

mod common;

use assay_sim::{
    HostId, World, WorldConfig,
    disk::{Disk, DiskStats, Effect, Fault, FileKind, Operation, When},
};
use common::{secs, world};
use rocksdb::{DB, Env, FlushOptions, Options, WriteOptions};
use std::time::Duration;

struct Store {
    db: DB,
    // After the database that uses it.
    _env: Env,
}

impl Store {
    fn open(disk: &Disk) -> Result<Self, rocksdb::Error> {
        let env = disk.env();
        let mut options = Options::default();
        options.create_if_missing(true);
        options.set_env(&env);
        options.set_disable_auto_compactions(true);
        Ok(Self { db: DB::open(&options, "/data/db")?, _env: env })
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
    format!("{:?}", Store::open(disk).and_then(|store| store.keys()).expect("readable"))
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
