//! Hosts that speak libp2p: gossipsub and ping over the simulated transport, noise and yamux.

use crate::common::Notes;
use assay_sim::net::Tcp;
use futures::StreamExt;
use libp2p::{
    Multiaddr, Swarm, Transport,
    core::{multiaddr::Protocol, upgrade},
    gossipsub, identity, noise, ping,
    swarm::{Config, NetworkBehaviour, SwarmEvent},
    yamux,
};
use std::{net::IpAddr, time::Duration};

#[derive(NetworkBehaviour)]
pub struct Behaviour {
    gossip: gossipsub::Behaviour,
    ping: ping::Behaviour,
}

fn swarm(index: u8) -> Swarm<Behaviour> {
    let key = identity::Keypair::ed25519_from_bytes([index + 1; 32]).expect("32 bytes");
    let transport = Tcp::default()
        .upgrade(upgrade::Version::V1Lazy)
        .authenticate(noise::Config::new(&key).expect("a key"))
        .multiplex(yamux::Config::default())
        .timeout(Duration::from_secs(20))
        .boxed();
    let config = gossipsub::ConfigBuilder::default().build().expect("valid");
    let author = gossipsub::MessageAuthenticity::Signed(key.clone());
    let gossip = gossipsub::Behaviour::new(author, config).expect("valid");
    let behaviour = Behaviour { gossip, ping: ping::Behaviour::default() };
    let config = Config::with_tokio_executor().with_idle_connection_timeout(Duration::from_secs(600));
    Swarm::new(transport, behaviour, key.public().to_peer_id(), config)
}

fn at(ip: IpAddr) -> Multiaddr {
    Multiaddr::from(ip).with(Protocol::Tcp(6000))
}

/// Peer number `index`: dials `others` until it is connected to `wanted` peers, publishes each `period`, and notes
/// every message and ping.
pub async fn peer(index: u8, others: Vec<IpAddr>, wanted: usize, period: Duration, notes: Notes) -> String {
    let mut swarm = swarm(index);
    let topic = gossipsub::IdentTopic::new("news");
    swarm.behaviour_mut().gossip.subscribe(&topic).expect("allowed");
    swarm.listen_on(at(IpAddr::from([0, 0, 0, 0]))).expect("an address of ours");
    let mut tick = tokio::time::interval(period);
    for number in 0.. {
        tokio::select! {
            biased;
            _ = tick.tick() => {
                if swarm.connected_peers().count() < wanted {
                    others.iter().for_each(|ip| drop(swarm.dial(at(*ip))));
                }
                let text = format!("message {number} of {index}");
                let _ = swarm.behaviour_mut().gossip.publish(topic.clone(), text);
            }
            event = swarm.select_next_some() => match event {
                SwarmEvent::Behaviour(BehaviourEvent::Gossip(gossipsub::Event::Message { message, .. })) => {
                    notes.add(format!("{index} got {}", String::from_utf8_lossy(&message.data)));
                }
                SwarmEvent::Behaviour(BehaviourEvent::Ping(ping::Event { result: Ok(rtt), .. })) => {
                    notes.add(format!("{index} ping {rtt:?}"));
                }
                SwarmEvent::NewListenAddr { address, .. } => notes.add(format!("{index} listens on {address}")),
                _ => {}
            }
        }
    }
    unreachable!("it counts for ever")
}
