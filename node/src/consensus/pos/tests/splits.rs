//! Splits: two thirds go on, less stop, and whatever heals goes on.

use super::cluster::Cluster;

#[test]
fn an_even_split_stops_and_goes_on_when_it_heals() {
    for seed in 0..20 {
        let mut cluster = Cluster::new(4, seed);
        cluster.run(10_000 + seed * 137);
        cluster.network.sides = vec![0, 0, 1, 1];
        // What was under way when it came may still be decided, from messages that had left.
        cluster.run(2_000);
        let before = cluster.heights();
        cluster.run(120_000);
        assert_eq!(cluster.heights(), before, "seed {seed}: neither side has two thirds");
        cluster.network.sides = vec![0; 4];
        let highest = *before.iter().max().expect("there are four");
        let took = cluster.run_until(30_000, |cluster| cluster.heights().iter().all(|height| *height > highest));
        assert!(took.is_some(), "seed {seed}: {:?} after {before:?}", cluster.heights());
        assert!(cluster.forks.is_empty() && cluster.two_tongued().is_empty(), "seed {seed}");
    }
}

#[test]
fn three_of_four_go_on_and_the_fourth_follows() {
    for seed in 0..20 {
        let mut cluster = Cluster::new(4, seed);
        cluster.run(5_000 + seed * 211);
        cluster.network.sides = vec![0, 0, 0, 1];
        cluster.run(60_000);
        let heights = cluster.heights();
        assert!(heights[0] > heights[3] + 15, "seed {seed}: {heights:?}");
        cluster.network.sides = vec![0; 4];
        let took = cluster.run_until(30_000, |cluster| cluster.height(3) >= cluster.height(0));
        assert!(took.is_some(), "seed {seed}: {:?}", cluster.heights());
        assert!(cluster.forks.is_empty() && cluster.two_tongued().is_empty(), "seed {seed}");
    }
}

#[test]
fn splits_that_come_and_go_never_fork_the_chain() {
    for seed in 0..20 {
        let mut cluster = Cluster::new(7, seed);
        for _ in 0..20 {
            let sides = (0..7).map(|_| cluster.dice.roll(2) as u8).collect();
            cluster.network.sides = sides;
            let ms = 500 + cluster.dice.roll(5_000);
            cluster.run(ms);
        }
        cluster.network.sides = vec![0; 7];
        let highest = *cluster.heights().iter().max().expect("there are seven");
        let took = cluster.run_until(30_000, |cluster| cluster.heights().iter().all(|height| *height > highest));
        assert!(took.is_some(), "seed {seed}: {:?}", cluster.heights());
        assert!(cluster.forks.is_empty() && cluster.two_tongued().is_empty(), "seed {seed}");
    }
}
