//! Crashes: who comes back with its log contradicts nobody, least of all itself.

use super::{cluster::Cluster, support::params};

/// Nodes crash and come back at random, in a network that splits.
fn storm(seed: u64, keeps_logs: bool) -> Cluster {
    let mut cluster = Cluster::new(4, seed);
    cluster.keeps_logs = keeps_logs;
    cluster.network.delay = 10..300;
    for _ in 0..60 {
        let node = cluster.dice.roll(4) as usize;
        if cluster.members[node].is_up {
            cluster.crash(node)
        } else {
            cluster.restart(node)
        }
        let sides = (0..4).map(|_| u8::from(cluster.dice.percent(20))).collect();
        cluster.network.sides = sides;
        let ms = 50 + cluster.dice.roll(1500);
        cluster.run(ms);
    }
    cluster.network.sides = vec![0; 4];
    for node in 0..4 {
        if !cluster.members[node].is_up {
            cluster.restart(node);
        }
    }
    cluster
}

#[test]
fn a_log_keeps_validators_from_contradicting_themselves() {
    for seed in 0..40 {
        let mut cluster = storm(seed, true);
        assert!(cluster.two_tongued().is_empty(), "seed {seed}");
        assert!(cluster.forks.is_empty() && cluster.proofs.is_empty(), "seed {seed}");
        let highest = *cluster.heights().iter().max().expect("there are four");
        let took = cluster.run_until(40_000, |cluster| cluster.heights().iter().all(|height| *height > highest));
        assert!(took.is_some(), "seed {seed}: {:?}", cluster.heights());
    }
}

#[test]
fn without_their_logs_some_contradict_themselves() {
    let two_tongued = (0..40).filter(|seed| !storm(*seed, false).two_tongued().is_empty()).count();
    assert!(two_tongued >= 10, "only {two_tongued} of 40 seeds show that the log matters");
}

#[test]
fn all_crash_at_once_and_go_on() {
    for seed in 0..20 {
        let mut cluster = Cluster::new(4, seed);
        for round in 0..10 {
            cluster.run(700 + seed * 13 + round * 91);
            (0..4).for_each(|node| cluster.crash(node));
            cluster.run(100);
            (0..4).for_each(|node| cluster.restart(node));
        }
        let before = cluster.heights();
        cluster.run(30_000);
        assert!(cluster.heights().iter().zip(&before).all(|(now, then)| *now > then + 5), "seed {seed}: {before:?}");
        assert!(cluster.two_tongued().is_empty() && cluster.forks.is_empty(), "seed {seed}");
    }
}

/// What was under way is said again at once, so that nobody waits until somebody asks for progress.
#[test]
fn after_a_crash_of_all_the_next_block_comes_before_anybody_asks() {
    let asks_after = params().propose_ms + 2 * params().vote_ms;
    for seed in 0..40 {
        let mut cluster = Cluster::new(4, seed);
        cluster.run(1700 + seed * 37);
        (0..4).for_each(|node| cluster.crash(node));
        cluster.run(100);
        (0..4).for_each(|node| cluster.restart(node));
        let before = cluster.heights().into_iter().max();
        let took = cluster.run_until(2 * asks_after, |cluster| cluster.heights().into_iter().max() > before);
        assert!(took.is_some_and(|ms| ms < asks_after), "seed {seed}: {took:?}");
        assert!(cluster.two_tongued().is_empty(), "seed {seed}");
    }
}
