//! The order in which `tokio::select!` looks at its branches: the one source of chance that stays open.

mod common;

use assay_sim::WorldConfig;
use common::{Notes, secs, world};
use std::future::ready;

/// Which of two ready branches each of many selects took.
fn choices(order: Order) -> Vec<String> {
    world(WorldConfig::new(1), 1, |world, hosts| {
        let notes = Notes::default();
        let log = notes.clone();
        world.boot(hosts[0], move || async move {
            for _ in 0..64 {
                log.add(match order {
                    Order::Written => biased().await,
                    Order::Drawn => unbiased().await,
                });
            }
            String::new()
        });
        world.run_until(secs(1)).expect("no panic");
        notes.take()
    })
}

#[derive(Clone, Copy)]
enum Order {
    Written,
    Drawn,
}

async fn biased() -> &'static str {
    tokio::select! {
        biased;
        () = ready(()) => "0",
        () = ready(()) => "1",
    }
}

async fn unbiased() -> &'static str {
    tokio::select! {
        () = ready(()) => "0",
        () = ready(()) => "1",
    }
}

/// Why `ci/check-files` asks for `biased`. When this fails, tokio has changed, and the rule may go.
#[test]
fn only_a_biased_select_is_a_function_of_the_seed() {
    assert_eq!(choices(Order::Written), choices(Order::Written));
    assert_ne!(choices(Order::Drawn), choices(Order::Drawn), "they agree by chance once in 2^64 times");
}
