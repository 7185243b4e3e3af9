//! TCP between hosts under loss, partitions, kills, power cuts and pauses.

mod common;

use assay_sim::{
    HostId,
    net::{Rule, TcpListener, TcpStream},
};
use common::{Notes, PORT, any, echo_server, lossy, pinger, secs, world};
use std::{collections::BTreeSet, net::SocketAddr, time::Duration};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn set(host: HostId) -> BTreeSet<HostId> {
    BTreeSet::from([host])
}

/// Sends `len` bytes while reading them back; returns how many of them were right.
async fn round_trip(server: SocketAddr, len: usize) -> String {
    let stream = TcpStream::connect(server).await.expect("connect");
    let (mut read, mut write) = tokio::io::split(stream);
    let sent: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
    let copy = sent.clone();
    tokio::spawn(async move {
        write.write_all(&copy).await.expect("write");
        std::future::pending::<()>().await;
    });
    let mut got = vec![0; len];
    read.read_exact(&mut got).await.expect("read");
    format!("{} of {len}", got.iter().zip(&sent).filter(|(a, b)| a == b).count())
}

#[test]
fn an_echo_over_lossy_links_gets_every_byte() {
    for seed in 0..5 {
        world(lossy(seed, 0.05), 2, |world, hosts| {
            let server = SocketAddr::new(world.address(hosts[0]), PORT);
            world.boot(hosts[0], echo_server);
            world.boot(hosts[1], move || round_trip(server, 40_000));
            world.run_until(secs(600)).expect("no panic");
            assert_eq!(world.exited(hosts[1]).as_deref(), Some("40000 of 40000"), "seed {seed}");
        });
    }
}

#[test]
fn a_bulk_transfer_to_a_slow_reader_ends() {
    const LEN: usize = 2_000_000;
    async fn slow_sink() -> String {
        let listener = TcpListener::bind(any(PORT)).await.expect("bind");
        let (mut stream, _) = listener.accept().await.expect("accept");
        let mut total = 0;
        let mut buffer = [0; 8192];
        loop {
            match stream.read(&mut buffer).await.expect("read") {
                0 => return total.to_string(),
                count => total += count,
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    for loss in [0.0, 0.02] {
        world(lossy(3, loss), 2, |world, hosts| {
            let server = SocketAddr::new(world.address(hosts[0]), PORT);
            world.boot(hosts[0], slow_sink);
            world.boot(hosts[1], move || async move {
                let mut stream = TcpStream::connect(server).await.expect("connect");
                stream.write_all(&vec![1; LEN]).await.expect("write");
                stream.shutdown().await.expect("shutdown");
                "sent".to_owned()
            });
            world.run_until(secs(900)).expect("no panic");
            assert_eq!(world.exited(hosts[0]), Some(LEN.to_string()), "loss {loss}");
        });
    }
}

#[test]
fn a_connection_lives_through_a_partition() {
    world(lossy(1, 0.0), 2, |world, hosts| {
        let notes = Notes::default();
        let (server, log) = (SocketAddr::new(world.address(hosts[0]), PORT), notes.clone());
        world.boot(hosts[0], echo_server);
        world.boot(hosts[1], move || pinger(server, log));
        world.run_until(secs(10)).expect("no panic");
        let before = notes.len();
        assert!(before >= 9, "{before}");
        let rules = Rule::partition(&set(hosts[0]), &set(hosts[1])).map(|rule| world.network().add_rule(rule));
        world.run_until(secs(100)).expect("no panic");
        assert!(notes.len() <= before + 1, "nothing comes through");
        let hits: u64 = rules.iter().filter_map(|rule| world.network().remove_rule(*rule)).map(|s| s.hits()).sum();
        assert!(hits > 0, "the rules say what they did");
        world.run_until(secs(110)).expect("no panic");
        assert!(notes.len() >= before + 7, "the same connection goes on");
        assert_eq!(world.exited(hosts[1]), None);
    });
}

#[test]
fn one_way_loss_of_acknowledgements_does_not_end_a_connection() {
    world(lossy(1, 0.0), 2, |world, hosts| {
        let server = SocketAddr::new(world.address(hosts[0]), PORT);
        world.boot(hosts[0], || async {
            let listener = TcpListener::bind(any(PORT)).await.expect("bind");
            let (mut stream, _) = listener.accept().await.expect("accept");
            let mut buffer = [0; 64];
            let mut total = 0;
            while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                total += count;
            }
            total.to_string()
        });
        world.boot(hosts[1], move || async move {
            let mut stream = TcpStream::connect(server).await.expect("connect");
            tokio::time::sleep(secs(5)).await;
            stream.write_all(b"one").await.expect("write");
            tokio::time::sleep(secs(2000)).await;
            stream.write_all(b"two").await.expect("the connection is alive");
            "fine".to_owned()
        });
        world.run_until(secs(4)).expect("no panic");
        let rule = world.network().add_rule(Rule::Block { from: set(hosts[0]), to: set(hosts[1]) });
        world.run_until(secs(20)).expect("no panic");
        assert!(world.network().remove_rule(rule).is_some_and(|stats| stats.dropped > 0));
        world.run_until(secs(2100)).expect("no panic");
        assert_eq!(world.exited(hosts[1]).as_deref(), Some("fine"));
        assert_eq!(world.exited(hosts[0]).as_deref(), Some("6"));
    });
}

#[test]
fn a_killed_peer_closes_and_its_port_is_free_at_once() {
    world(lossy(1, 0.0), 2, |world, hosts| {
        let notes = Notes::default();
        let (server, log) = (SocketAddr::new(world.address(hosts[0]), PORT), notes.clone());
        world.boot(hosts[0], echo_server);
        world.boot(hosts[1], move || pinger(server, log));
        world.run_until(Duration::from_millis(5500)).expect("no panic");
        world.kill(hosts[0]);
        world.boot(hosts[0], echo_server);
        world.run_until(secs(8)).expect("the port can be bound again");
        assert!(world.exited(hosts[1]).is_some(), "the peer noticed");
        assert!(notes.len() <= 6);
    });
}

#[test]
fn a_power_cut_is_silent_until_the_reboot_resets() {
    world(lossy(1, 0.0), 2, |world, hosts| {
        let notes = Notes::default();
        let (server, log) = (SocketAddr::new(world.address(hosts[0]), PORT), notes.clone());
        world.boot(hosts[0], echo_server);
        world.boot(hosts[1], move || pinger(server, log));
        world.run_until(Duration::from_millis(5500)).expect("no panic");
        world.power_cut(hosts[0]);
        let sent = world.network().traffic(hosts[0]).packets_sent;
        world.run_until(secs(60)).expect("no panic");
        assert_eq!(world.network().traffic(hosts[0]).packets_sent, sent, "nothing leaves a dead machine");
        assert_eq!(world.exited(hosts[1]), None, "the peer hears nothing");
        world.boot(hosts[0], echo_server);
        world.run_until(secs(63)).expect("no panic");
        assert_eq!(world.exited(hosts[1]).as_deref(), Some("ConnectionReset"));
    });
}

#[test]
fn a_paused_host_keeps_its_connections_and_its_clock_jumps() {
    world(lossy(1, 0.0), 2, |world, hosts| {
        let notes = Notes::default();
        let (server, log) = (SocketAddr::new(world.address(hosts[0]), PORT), notes.clone());
        let ticks = Notes::default();
        let tick_log = ticks.clone();
        world.boot(hosts[0], move || async move {
            tokio::task::spawn_local(async move {
                loop {
                    let before = tokio::time::Instant::now();
                    tokio::time::sleep(secs(1)).await;
                    tick_log.add(format!("{}", before.elapsed().as_secs()));
                }
            });
            echo_server().await
        });
        world.boot(hosts[1], move || pinger(server, log));
        world.run_until(secs(10)).expect("no panic");
        let (before, _) = (notes.len(), ticks.take());
        world.pause(hosts[0]);
        world.run_until(secs(40)).expect("no panic");
        assert!(notes.len() <= before + 1 && ticks.len() == 0, "it stands still");
        assert_eq!(world.exited(hosts[1]), None, "its machine goes on acknowledging");
        world.resume(hosts[0]);
        world.run_until(secs(50)).expect("no panic");
        assert!(notes.len() >= before + 7, "and goes on");
        let ticks = ticks.take();
        assert!(ticks[0].parse::<u64>().is_ok_and(|jump| jump >= 30), "{ticks:?}");
        assert!(ticks[1..].iter().all(|tick| tick == "1"), "{ticks:?}");
    });
}

#[test]
fn a_port_without_a_listener_refuses() {
    world(lossy(1, 0.0), 2, |world, hosts| {
        let server = SocketAddr::new(world.address(hosts[0]), PORT);
        world.boot(hosts[1], move || pinger(server, Notes::default()));
        world.run_until(secs(3)).expect("no panic");
        assert_eq!(world.exited(hosts[1]).as_deref(), Some("connect: ConnectionRefused"));
    });
}

#[test]
fn a_degraded_link_is_slow_and_says_how_often() {
    async fn timed(server: SocketAddr) -> String {
        let start = tokio::time::Instant::now();
        TcpStream::connect(server).await.expect("connect");
        start.elapsed().as_millis().to_string()
    }
    let connect_ms = |degrade: bool| {
        world(lossy(1, 0.0), 2, |world, hosts| {
            let server = SocketAddr::new(world.address(hosts[0]), PORT);
            let (from, to) = (set(hosts[0]), set(hosts[1]));
            let rule = Rule::Degrade { from, to, delay: secs(2), jitter: Duration::from_millis(100), loss: 0.0 };
            let rule = degrade.then(|| world.network().add_rule(rule));
            world.boot(hosts[0], echo_server);
            world.boot(hosts[1], move || timed(server));
            world.run_until(secs(10)).expect("no panic");
            if let Some(rule) = rule {
                let stats = world.network().remove_rule(rule).expect("added");
                assert!(stats.delayed > 0 && stats.dropped == 0, "{stats:?}");
            }
            world.exited(hosts[1]).and_then(|ms| ms.parse::<u64>().ok()).expect("connected")
        })
    };
    let (plain, degraded) = (connect_ms(false), connect_ms(true));
    assert!((40..=70).contains(&plain), "{plain} ms for a round trip of 40 to 42");
    assert!((2040..=2170).contains(&degraded), "{degraded} ms");
}

#[test]
fn equal_seeds_send_equal_packets_over_lossy_links() {
    let run = |seed| {
        world(lossy(seed, 0.05), 3, |world, hosts| {
            let server = SocketAddr::new(world.address(hosts[0]), PORT);
            world.boot(hosts[0], echo_server);
            for host in &hosts[1..] {
                world.boot(*host, move || round_trip(server, 20_000));
            }
            world.run_until(secs(20)).expect("no panic");
            world.power_cut(hosts[1]);
            world.kill(hosts[2]);
            world.run_until(secs(30)).expect("no panic");
            world.trace().hash_hex()
        })
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

/// The stack would keep the address of a connection that is reset before it is set up, for ever.
#[test]
fn a_handshake_that_is_cut_off_leaves_the_port_free() {
    for cut_after_ms in [15, 25, 35, 45, 55] {
        world(lossy(1, 0.0), 2, |world, hosts| {
            let server = SocketAddr::new(world.address(hosts[0]), PORT);
            world.boot(hosts[0], echo_server);
            world.run_until(secs(1)).expect("no panic");
            world.boot(hosts[1], move || async move {
                let outcome = TcpStream::connect(server).await;
                format!("{outcome:?}")
            });
            world.run_until(secs(1) + Duration::from_millis(cut_after_ms)).expect("no panic");
            world.kill(hosts[1]);
            world.run_until(secs(5)).expect("no panic");
            world.kill(hosts[0]);
            world.boot(hosts[0], echo_server);
            world.run_until(secs(6)).unwrap_or_else(|panic| panic!("cut after {cut_after_ms} ms: {panic}"));
        });
    }
}
