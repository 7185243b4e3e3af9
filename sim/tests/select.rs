//! The order in which `tokio::select!` looks at its branches.

mod common;

use assay_sim::WorldConfig;
use common::{Notes, secs, world};

/// Which of two ready branches each of many selects took.
fn choices(seed: u64) -> Vec<String> {
    world(WorldConfig::new(seed), 1, |world, hosts| {
        let notes = Notes::default();
        let log = notes.clone();
        world.boot(hosts[0], move || async move {
            for _ in 0..64 {
                let taken = tokio::select! {
                    () = std::future::ready(()) => "0",
                    () = std::future::ready(()) => "1",
                };
                log.add(taken);
            }
            String::new()
        });
        world.run_until(secs(1)).expect("no panic");
        notes.take()
    })
}

#[test]
#[cfg_attr(not(tokio_unstable), ignore = "tokio lets its order be seeded in builds with --cfg tokio_unstable only")]
fn is_a_function_of_the_seed() {
    assert_eq!(choices(1).concat(), choices(1).concat());
    assert_ne!(choices(1).concat(), choices(2).concat());
}
