//! What a host sees of time and entropy is a function of the seed; panics are reported.

mod common;

use assay_sim::{HostPanic, WorldConfig};
use common::{Notes, secs, world};
use std::time::{Duration, SystemTime};

/// What a host can observe without talking to anyone.
#[allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "the point of the test")]
async fn observe(notes: Notes) -> String {
    let start = std::time::Instant::now();
    let mut keys = std::collections::HashMap::new();
    keys.extend((0..64).map(|i| (i, ())));
    notes.add(format!("{:?}", keys.keys().collect::<Vec<_>>()));
    let mut bytes = [0_u8; 16];
    // SAFETY: the buffer is ours.
    unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
    notes.add(hex::encode(bytes));
    tokio::time::sleep(Duration::from_millis(1500)).await;
    notes.add(format!("{:?}", start.elapsed()));
    notes.add(format!("{:?}", SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)));
    "observed".to_owned()
}

fn observations(seed: u64) -> Vec<String> {
    world(WorldConfig::new(seed), 2, |world, hosts| {
        let all = [Notes::default(), Notes::default()];
        for (host, notes) in hosts.iter().zip(&all) {
            let notes = notes.clone();
            world.boot(*host, move || observe(notes));
        }
        world.run_until(secs(2)).expect("no panic");
        all.iter().flat_map(Notes::take).collect()
    })
}

#[test]
fn time_and_entropy_are_functions_of_the_seed() {
    let (a, b, c) = (observations(1), observations(1), observations(2));
    assert_eq!(a, b);
    assert_eq!(a[2], "1.5s");
    assert_eq!(a[3], "Ok(1767225601.5s)");
    assert_ne!(a[0], c[0], "the order of a HashMap");
    assert_ne!(a[1], c[1], "getrandom");
    assert_ne!(a[1], a[5], "two hosts");
}

#[test]
fn skew_moves_wall_time_only() {
    world(WorldConfig::new(1), 1, |world, hosts| {
        world.clock(hosts[0]).set_skew_ns(5_000_000_000);
        let notes = Notes::default();
        let log = notes.clone();
        world.boot(hosts[0], move || observe(log));
        world.run_until(secs(2)).expect("no panic");
        let seen = notes.take();
        assert_eq!((seen[2].as_str(), seen[3].as_str()), ("1.5s", "Ok(1767225606.5s)"));
    });
}

#[test]
fn a_panic_is_reported_with_host_place_and_time() {
    let panic: HostPanic = world(WorldConfig::new(1), 2, |world, hosts| {
        world.boot(hosts[0], std::future::pending);
        world.boot(hosts[1], || async {
            tokio::spawn(async {
                tokio::time::sleep(secs(3)).await;
                panic!("height {} went backwards", 7);
            });
            std::future::pending().await
        });
        let panic = world.run_until(secs(10)).expect_err("a task panics");
        assert_eq!((panic.id, panic.host.as_str()), (hosts[1], "n1"));
        assert!(world.now() >= secs(3) && world.now() < secs(4), "it stops soon: {:?}", world.now());
        world.run_until(secs(10)).expect("and goes on when asked");
        assert_eq!(world.panics().len(), 1);
        panic
    });
    assert_eq!((panic.at, panic.message.as_str()), (secs(3), "height 7 went backwards"));
    assert!(panic.location.contains("determinism.rs"), "{panic}");
}

#[test]
fn a_world_needs_a_fresh_thread() {
    let error = assay_sim::World::new(WorldConfig::new(1)).expect_err("this is libtest's thread");
    assert_eq!(error, assay_sim::WorldError::NotFresh);
}

#[test]
fn a_window_longer_than_the_smallest_latency_is_refused() {
    let refused = assay_sim::world::run_on_fresh_thread("refused", || {
        let config = WorldConfig { window: Duration::from_millis(21), ..WorldConfig::new(1) };
        assay_sim::World::new(config).expect_err("the links take 20 ms").to_string()
    });
    let expected = "a window of 21ms is not in whole milliseconds from 1 ms to the smallest latency, 20ms";
    assert_eq!(refused.as_deref(), Ok(expected));
}
