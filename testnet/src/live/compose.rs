//! Nodes as containers, hardened as those of `testnet/compose`, with packet filters in their networks.
//!
//! Each node has the internal network of the peers, with an address of its own there, and a bridge, over which its API is
//! reached. Its data and backups are directories of this machine.

use super::{
    backend::{Backend, Exit},
    engine::{self, Engine},
    machine::Machine,
    process::VOLUME_BYTES,
    relay::{LinkRule, RuleId},
    volume::{self, Volume},
};
use crate::{Owner, Plan, TestnetError, plan::Place};
use assay_node::config::Config;
use assay_scenarios::{PlannedAction, Scenario};
use futures::future::try_join_all;
use libp2p::{Multiaddr, multiaddr::Protocol};
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

/// Where peers listen in a container.
const P2P_PORT: u16 = 6000;
/// Where the API is in a container.
const API_PORT: u16 = 8000;
/// Networks that are tried before none is free.
const NETWORKS_MAX: u8 = 64;
/// The last byte of the first node's address.
const FIRST_HOST: usize = 10;
/// How long the end of a container that was killed may take.
const END_MAX: Duration = Duration::from_secs(10);
/// Everything of a run has this label, with its project.
pub(super) const LABEL: &str = "assay.live";
/// The label of a run's folder.
pub(super) const FOLDER_LABEL: &str = "assay.live.folder";

struct Active {
    from: BTreeSet<usize>,
    to: BTreeSet<usize>,
}

/// A cluster of containers.
pub(crate) struct LiveContainers {
    engine: Engine,
    project: String,
    folder: PathBuf,
    file: PathBuf,
    network: [u8; 3],
    places: Vec<Place>,
    machines: Vec<Machine>,
    /// Nodes whose container was started before.
    started: BTreeSet<usize>,
    /// Nodes whose container is meant to run.
    running: BTreeSet<usize>,
    rules: BTreeMap<RuleId, Active>,
    next_rule: u64,
    is_up: bool,
}

impl LiveContainers {
    /// Lays the cluster of `plan` out and makes its containers, from `image`. Nothing runs yet.
    ///
    /// # Errors
    /// When there is no engine, or the system refuses.
    pub async fn create(
        plan: &Plan,
        image: &str,
        volumes: bool,
        tune: impl Fn(&mut Config),
    ) -> Result<Self, TestnetError> {
        let engine = Engine::find().await?;
        let project = format!("assay-live-{}", std::process::id());
        let places = plan.lay_out()?;
        let owner = Owner::of_containers();
        let mut machines = Vec::new();
        for (node, place) in places.iter().enumerate() {
            write_config(node, places.len(), place, &tune)?;
            machines.push(machine(place, volumes, owner)?);
        }
        let network = network(&engine, &project).await?;
        let folder = plan.folder.clone();
        let file = folder.join("compose.json");
        let mut cluster = Self {
            engine,
            project,
            file,
            network,
            places,
            machines,
            started: BTreeSet::new(),
            running: BTreeSet::new(),
            rules: BTreeMap::new(),
            next_rule: 0,
            is_up: true,
            folder,
        };
        let text = serde_json::to_string_pretty(&cluster.document(image, owner)).expect("it is JSON");
        let written = fs::write(&cluster.file, text);
        written.map_err(TestnetError::system(format!("cannot write {}", cluster.file.display())))?;
        // JSON is YAML.
        let made = cluster.compose(&["up", "--no-start"]).await;
        if made.is_err() {
            cluster.take_down().await?;
        }
        made?;
        Ok(cluster)
    }

    async fn compose(&self, arguments: &[&str]) -> Result<String, TestnetError> {
        self.engine.compose(&self.project, &self.file, arguments).await
    }

    fn container(&self, node: usize) -> String {
        format!("{}-n{node}", self.project)
    }

    fn address(&self, node: usize) -> Ipv4Addr {
        let [a, b, c] = self.network;
        Ipv4Addr::new(a, b, c, (FIRST_HOST + node) as u8)
    }

    /// The document that Compose reads.
    fn document(&self, image: &str, owner: Owner) -> Value {
        let mut services = Map::new();
        let mut networks = Map::from_iter([("p2p".to_owned(), json!({ "external": true, "name": self.project }))]);
        for (node, (place, machine)) in self.places.iter().zip(&self.machines).enumerate() {
            let bridge = format!("api-{}", place.name);
            let options = json!({ "com.docker.network.bridge.enable_ip_masquerade": "false" });
            networks.insert(bridge.clone(), json!({ "driver_opts": options }));
            let bind = |from: &Path, to: &str, read_only: bool| json!({ "type": "bind", "source": from, "target": to, "read_only": read_only });
            services.insert(
                place.name.clone(),
                json!({
                    "image": image,
                    "container_name": self.container(node),
                    "labels": { LABEL: self.project, FOLDER_LABEL: self.folder },
                    "user": format!("{}:{}", owner.user, owner.group),
                    "command": ["run", "--home", "/home/assay"],
                    "restart": "no",
                    "read_only": true,
                    "cap_drop": ["ALL"],
                    "security_opt": ["no-new-privileges:true"],
                    "mem_limit": "512m",
                    "pids_limit": 256,
                    "ulimits": { "nofile": { "soft": 16384, "hard": 16384 }, "core": 0 },
                    "stop_signal": "SIGTERM",
                    "stop_grace_period": "10s",
                    "healthcheck": {
                        "test": ["CMD", "/assay-node", "health", "--home", "/home/assay", "--timeout", "2"],
                        "interval": "3s", "timeout": "5s", "start_period": "30s", "retries": 5,
                    },
                    "logging": { "driver": "json-file", "options": { "max-size": "20m", "max-file": "2" } },
                    "networks": { "p2p": { "ipv4_address": self.address(node) }, bridge: {} },
                    "ports": [format!("{}:{API_PORT}", place.api)],
                    "volumes": [
                        bind(machine.home.path(), "/home/assay", true),
                        bind(&machine.data, "/data", false),
                        bind(&machine.backups, "/backups", false),
                    ],
                }),
            );
        }
        json!({ "version": "2.4", "services": services, "networks": networks })
    }

    /// Starts a container that has run before. Its network is new, and gets the filters that are on.
    async fn start_again(&self, node: usize) -> Result<(), TestnetError> {
        self.engine.docker(&["start", &self.container(node)]).await?;
        for (id, rule) in self.rules.iter().filter(|(_, rule)| rule.to.contains(&node)) {
            self.filter(node, "-A", &rule.from, *id).await?;
        }
        Ok(())
    }

    async fn kill_one(&self, node: usize) -> Result<(), TestnetError> {
        let name = self.container(node);
        if let Err(error) = self.engine.docker(&["kill", &name]).await {
            // It may have ended by itself a moment before.
            let state = self.engine.docker(&["inspect", "-f", "{{.State.Running}}", &name]).await?;
            return if state == "false" { Ok(()) } else { Err(error) };
        }
        let ended = tokio::time::timeout(END_MAX, self.engine.docker(&["wait", &name])).await;
        let what = format!("the end of {name}");
        ended.map_err(|_| TestnetError::TooLate { what, bound: END_MAX, last: "it runs".into() })??;
        Ok(())
    }

    /// Filters of one rule at one receiver.
    async fn filter(&self, node: usize, change: &str, from: &BTreeSet<usize>, id: RuleId) -> Result<(), TestnetError> {
        let name = self.container(node);
        let process = self.engine.docker(&["inspect", "-f", "{{.State.Pid}}", &name]).await?;
        for sender in from.iter().filter(|sender| **sender != node) {
            let (address, note) = (self.address(*sender).to_string(), format!("assay {}", id.0));
            let rule = ["-s", &address, "-j", "DROP", "-m", "comment", "--comment", &note];
            let enter = ["-t", &process, "-n", "iptables", "-w", change, "INPUT"];
            engine::run("nsenter", &[enter.as_slice(), &rule].concat()).await?;
        }
        Ok(())
    }

    /// Packets that the filters of a rule have dropped at one receiver.
    async fn dropped(&self, node: usize, id: RuleId) -> Result<u64, TestnetError> {
        let name = self.container(node);
        let process = self.engine.docker(&["inspect", "-f", "{{.State.Pid}}", &name]).await?;
        let listed = engine::run("nsenter", &["-t", &process, "-n", "iptables", "-w", "-nvxL", "INPUT"]).await?;
        Ok(packets(&listed, id))
    }

    /// Removes containers and networks; homes, data and logs stay.
    async fn take_down(&mut self) -> Result<(), TestnetError> {
        if !std::mem::take(&mut self.is_up) {
            return Ok(());
        }
        for (node, place) in self.places.iter().enumerate() {
            let logs = self.engine.logs(&self.container(node), "all").await?;
            let written = fs::write(&place.log, logs);
            written.map_err(TestnetError::system(format!("cannot write {}", place.log.display())))?;
        }
        self.compose(&["down", "--timeout", "0"]).await?;
        self.engine.docker(&["network", "rm", &self.project]).await?;
        Ok(())
    }
}

impl Drop for LiveContainers {
    fn drop(&mut self) {
        if self.is_up {
            // The run was cut off: nobody waits for it, and what cannot be removed is found by its label.
            let file = self.file.to_string_lossy().into_owned();
            let folder = self.folder.display().to_string();
            let down = |program: &str, first: &[&str]| {
                let all = [first, &["-p", &self.project, "-f", &file, "down", "--timeout", "0"]].concat();
                std::process::Command::new(program).args(all).output().is_ok_and(|output| output.status.success())
            };
            if !down("docker", &["compose"]) && !down("docker-compose", &[]) {
                eprintln!("assay: containers of {folder} are left: 'assay testnet clean --yes' removes them");
            }
            let _removed = std::process::Command::new("docker").args(["network", "rm", &self.project]).output();
        }
    }
}

/// Settings for a container.
fn write_config(node: usize, nodes: usize, place: &Place, tune: &impl Fn(&mut Config)) -> Result<(), TestnetError> {
    let path = place.home.config();
    let failed = || TestnetError::system(format!("cannot change {}", path.display()));
    let text = fs::read_to_string(&path).map_err(failed())?;
    let mut config: Config = toml::from_str(&text).map_err(|error| failed()(std::io::Error::other(error)))?;
    tune(&mut config);
    config.api.listen = SocketAddr::from(([0, 0, 0, 0], API_PORT));
    config.p2p.listen = Multiaddr::empty().with(Protocol::Ip4([0, 0, 0, 0].into())).with(Protocol::Tcp(P2P_PORT));
    config.storage.path = "/data/db".into();
    config.backup.path = "/backups".into();
    let others = (0..nodes).filter(|other| *other != node);
    for (other, address) in others.zip(&mut config.p2p.bootstrap) {
        let peer = address.iter().find(|part| matches!(part, Protocol::P2p(_)));
        let named = Multiaddr::empty().with(Protocol::Dns4(format!("n{other}").into())).with(Protocol::Tcp(P2P_PORT));
        *address = named.with(peer.expect("a bootstrap address ends with its peer"));
    }
    fs::write(&path, toml::to_string(&config).expect("settings have a TOML form")).map_err(failed())
}

fn machine(place: &Place, volumes: bool, owner: Owner) -> Result<Machine, TestnetError> {
    let (data, backups) = (place.home.path().join("data"), place.home.path().join("backups"));
    let volume =
        volumes.then(|| Volume::create(&place.home.path().join("data.img"), &data, VOLUME_BYTES)).transpose()?;
    for directory in [&data, &backups] {
        let made = fs::create_dir_all(directory);
        made.map_err(TestnetError::system(format!("cannot make {}", directory.display())))?;
    }
    let mut machine = Machine::new(place.home.clone(), data, backups, volume);
    machine.owner = Some(owner);
    machine.give_away(place.home.path())?;
    Ok(machine)
}

/// Makes the network of the peers, and returns the first three bytes of its addresses.
async fn network(engine: &Engine, project: &str) -> Result<[u8; 3], TestnetError> {
    let mut last = None;
    for third in 0..NETWORKS_MAX {
        let bytes = [10, 213, third];
        let subnet = format!("10.213.{third}.0/24");
        let label = format!("{LABEL}={project}");
        let arguments = ["network", "create", "--internal", "--label", &label, "--subnet", &subnet, project];
        match engine.docker(&arguments).await {
            Ok(_) => return Ok(bytes),
            // Somebody else has it: another run, or the machine's own network.
            Err(error) => last = Some(error),
        }
    }
    Err(last.expect("at least one was tried"))
}

/// Why there can be no packet filters in the networks of containers; none when there can.
fn no_filters() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("packet filters in the networks of containers take root".into());
    }
    let missing = ["nsenter", "iptables"].into_iter().find(|program| !volume::is_installed(program));
    missing.map(|program| format!("packet filters in the networks of containers take {program}: install it"))
}

/// The packets of a rule in a listing of `iptables -nvxL`.
fn packets(listed: &str, id: RuleId) -> u64 {
    let note = format!("/* assay {} */", id.0);
    let own = listed.lines().filter(|line| line.contains(&note));
    own.filter_map(|line| line.split_whitespace().next()?.parse::<u64>().ok()).sum()
}

impl Backend for LiveContainers {
    const NAME: &'static str = "compose";

    fn refusal(action: &PlannedAction) -> Option<String> {
        match action {
            PlannedAction::Link { .. } => {
                Some("links between containers are cut, not slowed: use '--on process' for delays".into())
            }
            PlannedAction::Partition { .. }
            | PlannedAction::Isolate { .. }
            | PlannedAction::OneWay { .. }
            | PlannedAction::PowerCut { .. } => no_filters(),
            _ => None,
        }
    }

    fn refusal_of(scenario: &Scenario) -> Option<String> {
        let lossy = scenario.network.loss.parts_per_million() > 0;
        lossy.then(|| "`loss` in [network]: links between containers are cut, not lossy".into())
    }

    fn count(&self) -> usize {
        self.places.len()
    }

    fn api(&self, node: usize) -> SocketAddr {
        self.places[node].api
    }

    fn machine(&mut self, node: usize) -> &mut Machine {
        &mut self.machines[node]
    }

    async fn start(&mut self, nodes: &[usize]) -> Result<(), TestnetError> {
        let (again, first): (Vec<usize>, Vec<usize>) = nodes.iter().partition(|node| self.started.contains(node));
        if !first.is_empty() {
            // The older Compose connects a container to its networks when it starts it for the first time.
            let names = first.iter().map(|node| self.places[*node].name.as_str());
            self.compose(&["start"].into_iter().chain(names).collect::<Vec<_>>()).await?;
        }
        try_join_all(again.into_iter().map(|node| self.start_again(node))).await?;
        self.started.extend(nodes);
        self.running.extend(nodes);
        Ok(())
    }

    async fn kill(&mut self, nodes: &[usize]) -> Result<(), TestnetError> {
        self.running.retain(|node| !nodes.contains(node));
        try_join_all(nodes.iter().map(|node| self.kill_one(*node))).await.map(drop)
    }

    async fn ask_to_stop(&mut self, node: usize) -> Result<(), TestnetError> {
        self.engine.docker(&["kill", "-s", "TERM", &self.container(node)]).await.map(drop)
    }

    async fn pause(&mut self, node: usize, still: bool) -> Result<(), TestnetError> {
        self.engine.docker(&[if still { "pause" } else { "unpause" }, &self.container(node)]).await.map(drop)
    }

    async fn exited(&mut self, node: usize) -> Result<Option<Exit>, TestnetError> {
        if !self.running.contains(&node) {
            return Ok(None);
        }
        let name = self.container(node);
        let state = self.engine.docker(&["inspect", "-f", "{{.State.Running}} {{.State.ExitCode}}", &name]).await?;
        let Some(code) = state.strip_prefix("false ") else { return Ok(None) };
        self.running.remove(&node);
        let log = self.engine.logs(&name, "1").await?;
        let reason = format!("its container ended with status {code}: {}", log.trim());
        Ok(Some(Exit { in_order: code == "0", reason }))
    }

    async fn add_rule(&mut self, rule: LinkRule) -> Result<RuleId, TestnetError> {
        let LinkRule::Cut { from, to } = rule else { unreachable!("slow links are refused before the run begins") };
        let id = RuleId(self.next_rule);
        self.next_rule += 1;
        for node in to.iter().filter(|node| self.running.contains(node)) {
            self.filter(*node, "-A", &from, id).await?;
        }
        self.rules.insert(id, Active { from, to });
        Ok(id)
    }

    async fn remove_rule(&mut self, rule: RuleId) -> Result<u64, TestnetError> {
        let Some(Active { from, to }) = self.rules.remove(&rule) else { return Ok(0) };
        let mut hits = 0;
        for node in to.iter().filter(|node| self.running.contains(node)) {
            hits += self.dropped(*node, rule).await?;
            self.filter(*node, "-D", &from, rule).await?;
        }
        Ok(hits)
    }

    async fn end(&mut self) -> Result<(), TestnetError> {
        self.take_down().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_of_a_rule_are_counted() {
        let listed = "\
Chain INPUT (policy ACCEPT 10 packets, 840 bytes)
    pkts      bytes target     prot opt in     out     source               destination
       7      420 DROP       all  --  *      *       10.213.0.10          0.0.0.0/0            /* assay 3 */
       2      120 DROP       all  --  *      *       10.213.0.11          0.0.0.0/0            /* assay 3 */
       9      540 DROP       all  --  *      *       10.213.0.11          0.0.0.0/0            /* assay 31 */";
        assert_eq!(packets(listed, RuleId(3)), 9);
        assert_eq!(packets(listed, RuleId(4)), 0);
    }
}
