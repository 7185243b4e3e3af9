//! How fast the kernel is: virtual seconds per second of one core, for idle, chatty and libp2p hosts; and the hash of
//! each run's trace, which is the same every time.
//!
//! `cargo run -p assay-sim --example speed -- [VIRTUAL SECONDS]`

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/common/peers.rs"]
mod peers;

use assay_sim::{HostId, World, WorldConfig, disk::Disk};
use common::{Notes, PORT, echo_server, pinger, world};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

#[allow(clippy::disallowed_methods, reason = "the measure is real time")]
fn measure(name: &str, hosts: u32, virtual_time: Duration, boot: impl FnOnce(&mut World, &[HostId]) + Send) {
    let (wall, packets, hash) = world(WorldConfig::new(1), hosts, |world, ids| {
        boot(world, ids);
        let start = Instant::now();
        world.run_until(virtual_time).expect("no panic");
        let packets: u64 = ids.iter().map(|id| world.network().traffic(*id).packets_sent).sum();
        (start.elapsed(), packets, world.trace().hash_hex())
    });
    let rate = virtual_time.as_secs_f64() / wall.as_secs_f64();
    let (wall, hash) = (wall.as_millis(), &hash[..16]);
    println!("{name:<24} {hosts:>3} hosts {packets:>8} packets {wall:>7} ms {rate:>8.0} x  trace {hash}");
}

fn libp2p(world: &mut World, hosts: &[HostId]) {
    let addresses: Vec<_> = hosts.iter().map(|host| world.address(*host)).collect();
    for (index, host) in hosts.iter().enumerate() {
        let (others, wanted) = (addresses[..index].to_vec(), hosts.len() - 1);
        let period = Duration::from_secs(5);
        world.boot(*host, move || peers::peer(index as u8, others, wanted, period, Notes::default()));
    }
}

/// A synced write of half a kilobyte each second, a flush and a compaction each minute.
async fn store(disk: Disk) {
    let env = disk.env();
    let mut options = rocksdb::Options::default();
    options.create_if_missing(true);
    options.set_env(&env);
    options.set_disable_auto_compactions(true);
    let db = rocksdb::DB::open(&options, "/db").expect("opened");
    let mut synced = rocksdb::WriteOptions::default();
    synced.set_sync(true);
    for number in 0_u64.. {
        tokio::time::sleep(Duration::from_secs(1)).await;
        db.put_opt(number.to_be_bytes(), [7; 500], &synced).expect("written");
        if number % 60 == 59 {
            db.flush().expect("flushed");
            db.compact_range::<&[u8], &[u8]>(None, None);
        }
    }
}

fn main() {
    let seconds = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(600);
    let long = Duration::from_secs(seconds);
    measure("idle", 5, long, |world, hosts| {
        for host in hosts {
            world.boot(*host, || async {
                loop {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            });
        }
    });
    measure("ping each second", 5, long, |world, hosts| {
        let server = SocketAddr::new(world.address(hosts[0]), PORT);
        world.boot(hosts[0], echo_server);
        for host in &hosts[1..] {
            world.boot(*host, move || pinger(server, Notes::default()));
        }
    });
    for count in [5, 10] {
        measure("libp2p, gossip each 5 s", count, long, libp2p);
    }
    measure("the same and RocksDB", 5, long, |world, hosts| {
        libp2p(world, hosts);
        for host in hosts {
            let disk = world.disk(*host).clone();
            world.with_host(*host, || drop(tokio::task::spawn_local(store(disk))));
        }
    });
}
