//! libp2p over the simulated transport.

mod common;
#[path = "common/peers.rs"]
mod peers;

use assay_sim::{WorldConfig, net::Rule};
use common::{Notes, secs, world};
use std::{collections::BTreeSet, time::Duration};

fn run(seed: u64) -> (String, Vec<String>) {
    world(WorldConfig::new(seed), 2, |world, hosts| {
        let notes = Notes::default();
        let addresses: Vec<_> = hosts.iter().map(|host| world.address(*host)).collect();
        for (index, host) in hosts.iter().enumerate() {
            let (others, notes) = (addresses[..index].to_vec(), notes.clone());
            world.boot(*host, move || peers::peer(index as u8, others, 1, secs(2), notes));
        }
        world.run_until(secs(60)).expect("no panic");
        (world.trace().hash_hex(), notes.take())
    })
}

#[test]
fn two_peers_gossip_and_ping_the_same_way_for_a_seed() {
    let (a, b, c) = (run(1), run(1), run(2));
    let got = |who: &str| a.1.iter().filter(|line| line.starts_with(who)).count();
    assert!(got("0 got") > 20 && got("1 got") > 20, "{:?}", a.1);
    assert!(got("1 listens on /ip4/10.0.0.2/tcp/6000") == 1, "{:?}", a.1);
    let pings: Vec<_> = a.1.iter().filter(|line| line.contains("ping")).collect();
    assert!(pings.len() >= 4, "{pings:?}");
    assert_eq!(a, b);
    assert_ne!(a.0, c.0);
}

#[test]
fn gossip_stops_in_a_partition_and_comes_back() {
    world(WorldConfig::new(4), 3, |world, hosts| {
        let notes = Notes::default();
        let addresses: Vec<_> = hosts.iter().map(|host| world.address(*host)).collect();
        for (index, host) in hosts.iter().enumerate() {
            let (others, notes) = (addresses[..index].to_vec(), notes.clone());
            world.boot(*host, move || peers::peer(index as u8, others, 2, secs(2), notes));
        }
        world.run_until(secs(30)).expect("no panic");
        let (left, right) = (BTreeSet::from([hosts[0]]), BTreeSet::from([hosts[1], hosts[2]]));
        let rules = Rule::partition(&left, &right).map(|rule| world.network().add_rule(rule));
        world.run_until(secs(31)).expect("no panic");
        notes.take();
        world.run_until(secs(60)).expect("no panic");
        let during = notes.take();
        assert!(during.iter().any(|line| line.starts_with("2 got")), "the larger side talks: {during:?}");
        assert!(!during.iter().any(|line| line.starts_with("0 got")), "{during:?}");
        for rule in rules {
            let stats = world.network().remove_rule(rule).expect("added");
            assert!(stats.dropped > 0);
        }
        world.run_until(secs(60) + Duration::from_secs(60)).expect("no panic");
        assert!(notes.take().iter().any(|line| line.starts_with("0 got")), "it comes back");
    });
}
