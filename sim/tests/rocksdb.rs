//! A real RocksDB on simulated disks.

mod common;

use assay_sim::{World, WorldConfig, disk::Disk, world::run_on_fresh_thread};
use common::{SharedBuffer, secs, world};
use rocksdb::{DB, Env, FlushOptions, Options, WaitForCompactOptions, WriteOptions};

struct Store {
    db: DB,
    // After the database that uses it.
    _env: Env,
}

impl Store {
    fn open(disk: &Disk) -> Self {
        let env = disk.env();
        let mut options = Options::default();
        options.create_if_missing(true);
        options.set_env(&env);
        options.set_disable_auto_compactions(true);
        Self { db: DB::open(&options, "/data/db").expect("the database opens"), _env: env }
    }

    fn put(&self, key: u32, synced: bool) {
        let mut options = WriteOptions::default();
        options.set_sync(synced);
        self.db.put_opt(key.to_be_bytes(), [7; 200], &options).expect("written");
    }

    fn keys(&self) -> Vec<u32> {
        let all = self.db.iterator(rocksdb::IteratorMode::Start);
        all.map(|entry| u32::from_be_bytes(*entry.expect("readable").0.first_chunk().expect("a key"))).collect()
    }

    fn compact(&self) {
        let mut options = FlushOptions::default();
        options.set_wait(true);
        self.db.flush_opt(&options).expect("flushed");
        self.settle();
        self.db.compact_range::<&[u8], &[u8]>(None, None);
        self.settle();
    }

    /// As the node does: when a flush has returned, RocksDB's own thread is still busy with removing the logs that it made
    /// obsolete, and whoever comes first removes them.
    fn settle(&self) {
        self.db.wait_for_compact(&WaitForCompactOptions::default()).expect("it settles");
    }
}

/// Boots a host that opens the database, does `f` and then holds it open.
fn boot(world: &mut World, host: assay_sim::HostId, f: impl FnOnce(&Store) -> String + 'static) {
    let disk = world.disk(host).clone();
    world.boot(host, move || async move {
        let store = Store::open(&disk);
        let said = f(&store);
        tokio::task::spawn_local(async move {
            std::future::pending::<()>().await;
            drop(store);
        });
        said
    });
    let soon = world.now() + secs(1);
    world.run_until(soon).expect("no panic");
}

fn keys(store: &Store) -> String {
    format!("{:?}", store.keys())
}

#[test]
fn synced_writes_survive_a_power_cut_and_others_do_not() {
    world(WorldConfig::new(1), 1, |world, hosts| {
        boot(world, hosts[0], |store| {
            (0..5).for_each(|key| store.put(key, true));
            (5..9).for_each(|key| store.put(key, false));
            keys(store)
        });
        assert_eq!(world.exited(hosts[0]).as_deref(), Some("[0, 1, 2, 3, 4, 5, 6, 7, 8]"));
        world.power_cut(hosts[0]);
        boot(world, hosts[0], keys);
        assert_eq!(world.exited(hosts[0]).as_deref(), Some("[0, 1, 2, 3, 4]"));
    });
}

#[test]
fn a_kill_keeps_what_was_written() {
    world(WorldConfig::new(1), 1, |world, hosts| {
        boot(world, hosts[0], |store| {
            (0..3).for_each(|key| store.put(key, false));
            String::new()
        });
        world.kill(hosts[0]);
        boot(world, hosts[0], keys);
        assert_eq!(world.exited(hosts[0]).as_deref(), Some("[0, 1, 2]"));
    });
}

#[test]
fn flushes_and_compactions_survive_a_power_cut() {
    world(WorldConfig::new(1), 1, |world, hosts| {
        boot(world, hosts[0], |store| {
            for round in 0..4 {
                (0..50).for_each(|key| store.put(round * 50 + key, true));
                store.compact();
            }
            String::new()
        });
        world.power_cut(hosts[0]);
        boot(world, hosts[0], |store| store.keys().len().to_string());
        assert_eq!(world.exited(hosts[0]).as_deref(), Some("200"));
        let files = world.disk(hosts[0]).files();
        assert!(files.keys().any(|path| path.ends_with(".sst")), "{files:?}");
    });
}

#[test]
fn the_lock_keeps_a_second_database_out() {
    world(WorldConfig::new(1), 1, |world, hosts| {
        let disk = world.disk(hosts[0]).clone();
        boot(world, hosts[0], move |_| {
            let env = disk.env();
            let mut options = Options::default();
            options.set_env(&env);
            DB::open(&options, "/data/db").expect_err("locked").to_string()
        });
        let said = world.exited(hosts[0]).expect("it opened the first");
        assert!(said.contains("held by another handle"), "{said}");
    });
}

/// A run with everything: three hosts, flushes, compactions, a power cut, a kill and reopens.
fn busy_run(seed: u64) -> (String, String) {
    let text = SharedBuffer::default();
    let mut config = WorldConfig::new(seed);
    config.trace = assay_sim::trace::Trace::with_sink(Box::new(text.clone()));
    let hash = run_on_fresh_thread("busy", || {
        let mut world = World::new(config).expect("fresh");
        let hosts: Vec<_> = (0..3).map(|i| world.add_host(&format!("n{i}"))).collect();
        for life in 0..3_u32 {
            for (&host, number) in hosts.iter().zip(0..) {
                boot(&mut world, host, move |store| {
                    for key in 0..300 {
                        store.put(life * 300 + key, key % 3 == number);
                        if key % 64 == 63 {
                            store.compact();
                        }
                    }
                    String::new()
                });
            }
            world.power_cut(hosts[0]);
            world.kill(hosts[1]);
            if life < 2 {
                world.kill(hosts[2]);
            }
        }
        world.trace().hash_hex()
    });
    (hash.expect("no panic"), text.take())
}

#[test]
fn equal_seeds_do_equal_disk_operations() {
    let runs: Vec<_> = std::thread::scope(|scope| {
        #[allow(clippy::disallowed_methods, reason = "runs side by side share nothing")]
        let threads: Vec<_> = [5, 5, 5, 6].map(|seed| scope.spawn(move || busy_run(seed))).into();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    for other in &runs[1..3] {
        let difference = assay_sim::trace::first_difference(runs[0].1.as_bytes(), other.1.as_bytes()).expect("text");
        assert_eq!(difference.map(|d| d.to_string()), None);
        assert_eq!(runs[0].0, other.0);
    }
    assert_ne!(runs[0].0, runs[3].0, "the names of RocksDB's sessions come from the seed");
    assert!(runs[0].1.contains("disk-flush") && runs[0].1.contains("disk-compaction"));
}

/// The binding of RocksDB makes directories on the machine's disk before it opens a database: not on a simulated host.
#[test]
fn a_simulated_database_leaves_nothing_on_the_machine() {
    world(WorldConfig::new(1), 1, |world, hosts| {
        let disk = world.disk(hosts[0]).clone();
        world.boot(hosts[0], move || async move {
            let env = disk.env();
            let mut options = Options::default();
            options.create_if_missing(true);
            options.set_env(&env);
            let db = DB::open(&options, "/assay-simulated/db").expect("the database opens");
            db.put(b"key", b"value").expect("written");
            "done".to_owned()
        });
        world.run_until(secs(1)).expect("no panic");
        assert_eq!(world.exited(hosts[0]).as_deref(), Some("done"));
        assert!(world.disk(hosts[0]).files().keys().any(|path| path.starts_with("/assay-simulated/db")));
    });
    assert!(!std::path::Path::new("/assay-simulated").exists());
}
