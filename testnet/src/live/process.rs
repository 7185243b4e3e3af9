//! Nodes as processes of this machine, with relays between them.

use super::{
    backend::{Backend, Exit},
    machine::Machine,
    relay::{Latency, LinkRule, Relays, RuleId},
    volume::Volume,
};
use crate::{Plan, Processes, TestnetError, process::Ended};
use assay_node::{config::Config, native::home::Home};
use assay_scenarios::{PlannedAction, Scenario};
use libp2p::{Multiaddr, multiaddr::Protocol};
use rustix::process::Signal;
use std::net::SocketAddr;

/// Bytes of a volume, of which the image takes only what is written. RocksDB sets 282 MiB aside for each of its logs, so a
/// small one would be full from the start.
pub(crate) const VOLUME_BYTES: u64 = 1 << 30;

/// A cluster of processes.
pub(crate) struct LiveProcesses {
    processes: Processes,
    machines: Vec<Machine>,
    relays: Relays,
}

impl LiveProcesses {
    /// Lays the cluster of `plan` out, with `tune` applied to all settings. Nothing runs yet. With `volumes` each node has
    /// a disk of its own.
    ///
    /// # Errors
    /// When the system refuses.
    pub async fn create(
        plan: &Plan,
        latency: Latency,
        seed: u64,
        volumes: bool,
        tune: impl Fn(&mut Config),
    ) -> Result<Self, TestnetError> {
        let mut processes = Processes::create(plan)?;
        let mut targets = Vec::new();
        for node in 0..processes.count() {
            processes.configure(node, |config| targets.extend(socket(&config.p2p.listen)))?;
        }
        let relays = Relays::start(&targets, latency, seed).await?;
        let mut machines = Vec::new();
        for node in 0..processes.count() {
            processes.configure(node, |config| {
                tune(config);
                config.storage.path = "volume/db".into();
                for address in &mut config.p2p.bootstrap {
                    *address = through(&relays, node, &targets, address);
                }
            })?;
            machines.push(machine(processes.home(node), volumes)?);
        }
        Ok(Self { processes, machines, relays })
    }
}

fn machine(home: &std::path::Path, volumes: bool) -> Result<Machine, TestnetError> {
    let data = home.join("volume");
    let volume = volumes.then(|| Volume::create(&home.join("volume.img"), &data, VOLUME_BYTES)).transpose()?;
    std::fs::create_dir_all(&data).map_err(TestnetError::system(format!("cannot make {}", data.display())))?;
    Ok(Machine::new(Home::new(home)?, data, home.join("backups"), volume))
}

fn socket(address: &Multiaddr) -> Option<SocketAddr> {
    assay_node::native::seams::socket_address(address)
}

/// The address of a peer with the port of the relay that leads `node` there.
fn through(relays: &Relays, node: usize, targets: &[SocketAddr], address: &Multiaddr) -> Multiaddr {
    let target = socket(address).and_then(|address| targets.iter().position(|target| *target == address));
    let port = relays.port(node, target.expect("every bootstrap peer is a node of the cluster"));
    address.iter().map(|part| if matches!(part, Protocol::Tcp(_)) { Protocol::Tcp(port) } else { part }).collect()
}

impl Backend for LiveProcesses {
    const NAME: &'static str = "process";

    fn refusal(action: &PlannedAction) -> Option<String> {
        match action {
            PlannedAction::Link { quality, .. } if quality.loss.parts_per_million() > 0 => {
                Some("a relay between processes carries streams: it delays, and cannot lose packets".into())
            }
            _ => None,
        }
    }

    fn refusal_of(scenario: &Scenario) -> Option<String> {
        let lossy = scenario.network.loss.parts_per_million() > 0;
        lossy.then(|| "`loss` in [network]: a relay between processes carries streams, and cannot lose packets".into())
    }

    fn count(&self) -> usize {
        self.processes.count()
    }

    fn api(&self, node: usize) -> SocketAddr {
        self.processes.api(node)
    }

    fn machine(&mut self, node: usize) -> &mut Machine {
        &mut self.machines[node]
    }

    async fn start(&mut self, nodes: &[usize]) -> Result<(), TestnetError> {
        nodes.iter().try_for_each(|node| self.processes.start(*node))
    }

    async fn kill(&mut self, nodes: &[usize]) -> Result<(), TestnetError> {
        nodes.iter().try_for_each(|node| self.processes.kill(*node))
    }

    async fn ask_to_stop(&mut self, node: usize) -> Result<(), TestnetError> {
        self.processes.signal(node, Signal::TERM)
    }

    async fn pause(&mut self, node: usize, still: bool) -> Result<(), TestnetError> {
        self.processes.signal(node, if still { Signal::STOP } else { Signal::CONT })
    }

    async fn exited(&mut self, node: usize) -> Result<Option<Exit>, TestnetError> {
        let ended = self.processes.take_ended(node)?;
        Ok(ended.map(|Ended { status, log }| Exit {
            in_order: status.success(),
            reason: format!("it ended with {status}: {}", log.lines().last().unwrap_or("it has logged nothing")),
        }))
    }

    async fn add_rule(&mut self, rule: LinkRule) -> Result<RuleId, TestnetError> {
        Ok(self.relays.add(rule))
    }

    async fn remove_rule(&mut self, rule: RuleId) -> Result<u64, TestnetError> {
        Ok(self.relays.remove(rule))
    }

    async fn end(&mut self) -> Result<(), TestnetError> {
        for node in 0..self.count() {
            if self.processes.process(node).is_some() {
                self.processes.kill(node)?;
            }
        }
        Ok(())
    }
}
