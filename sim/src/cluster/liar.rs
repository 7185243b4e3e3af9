//! A liar in a node's place: what it is made from, and the host that it runs on.

use super::{
    seams::{self, Machine},
    spec::{NodeSpec, Spec},
};
use crate::{
    HostId, World,
    liars::{self, Setup},
};
use assay_node::{Metrics, Node, OffenceLabels, p2p::scores};
use assay_scenarios::{Lie, LieKind};
use std::{
    cell::Cell,
    collections::BTreeMap,
    fmt,
    net::{IpAddr, SocketAddr},
    rc::Rc,
    time::Duration,
};

/// What a liar did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// Messages, answers and connections, each one a deed.
    pub deeds: u64,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the liar is taken off the network after {} deeds", self.deeds)
    }
}

/// What a node has done so far against peers that break the rules.
pub(super) fn defence(metrics: &Metrics) -> String {
    let mut told = vec![format!("{} bans", metrics.bans.get())];
    for offence in scores::NAMES {
        let count = metrics.offences.get(&OffenceLabels { offence }).map_or(0, |counter| counter.get());
        if count > 0 {
            told.push(format!("{count} times {offence}"));
        }
    }
    let proved = metrics.equivocations.get();
    if proved > 0 {
        told.push(format!("{proved} proofs that a validator contradicted itself"));
    }
    let dropped = [
        ("messages", &metrics.gossip_dropped),
        ("requests", &metrics.requests_dropped),
        ("API connections", &metrics.http_connections_refused),
    ];
    let dropped = dropped.iter().map(|(what, counter)| (what, counter.get())).filter(|(_, count)| *count > 0);
    told.extend(dropped.map(|(what, count)| format!("{count} {what} dropped")));
    told.join(", ")
}

/// The liars of a run.
pub(super) struct Liars {
    specs: Vec<NodeSpec>,
    addresses: Vec<IpAddr>,
    hash_rate: u64,
    deeds: BTreeMap<usize, Rc<Cell<u64>>>,
}

impl Liars {
    pub fn new(spec: &Spec, addresses: &[IpAddr]) -> Self {
        let specs = (0..spec.nodes).map(|node| spec.node(node, addresses)).collect();
        Self { specs, addresses: addresses.to_vec(), hash_rate: spec.hash_rate, deeds: BTreeMap::new() }
    }

    /// A liar starts on the host of `node`, which is down.
    pub fn begin(&mut self, world: &mut World, host: HostId, node: usize, lie: Lie, until: Duration) {
        let spec = self.specs[node].clone();
        let apis = (0..self.specs.len()).filter(|other| *other != node).map(|other| Spec::api(self.addresses[other]));
        let victim = lie.victim.map_or(0, |victim| victim.index());
        let setup = Setup {
            lie,
            // It is not among its own peers.
            victim: victim - usize::from(victim > node),
            identity: spec.identity(),
            account: spec.account(),
            hash_rate: self.hash_rate * u64::from(lie.power),
            listen: spec.config.p2p.listen.clone(),
            peers: spec.config.p2p.bootstrap.clone(),
            apis: apis.collect::<Vec<SocketAddr>>(),
            until,
            stream: world.stream("liar", world.name(host)),
            deeds: self.deeds.entry(node).or_default().clone(),
        };
        let machine = Machine::of(world, host);
        let twin =
            lie.victim.filter(|_| lie.kind == LieKind::Twin).map(|victim| spec.twin(&self.specs[victim.index()]));
        let node = twin.unwrap_or_else(|| spec.follower());
        world.boot(host, move || run(machine, spec, node, setup));
    }

    pub fn told(&self, node: usize) -> Told {
        Told { deeds: self.deeds.get(&node).map_or(0, |deeds| deeds.get()) }
    }

    pub fn has_lied(&self, node: usize) -> bool {
        self.deeds.contains_key(&node)
    }
}

/// The main of a liar's host: an honest node under another name, on the data that is there, and the liar beside it.
async fn run(machine: Machine, spec: NodeSpec, node: assay_node::Setup, setup: Setup) -> String {
    let seams = match seams::simulated(machine, spec.config.api.listen).await {
        Ok(seams) => seams,
        Err(error) => return format!("cannot bind {}: {error}", spec.config.api.listen),
    };
    let follower = match Node::start(node, seams).await {
        Ok(node) => node,
        Err(error) => return format!("a liar's own node cannot start: {error}"),
    };
    liars::run(setup, follower.view().clone()).await;
    "the lie is over".to_owned()
}
