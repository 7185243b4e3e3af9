//! Faults of the network, as rules that packets go through.

use crate::{cluster::Cluster, net::Rule};
use assay_scenarios::{NodeIndex, PlannedAction};
use std::collections::BTreeSet;

/// The rules of a fault of the network; none for a fault of processes.
pub(super) fn rules(action: &PlannedAction, cluster: &Cluster) -> Vec<Rule> {
    let hosts = |nodes: &[NodeIndex]| nodes.iter().map(|node| cluster.host(node.index())).collect::<BTreeSet<_>>();
    let all: BTreeSet<_> = (0..cluster.len()).map(|node| cluster.host(node)).collect();
    let rest = |own: &BTreeSet<_>| all.difference(own).copied().collect::<BTreeSet<_>>();
    match action {
        PlannedAction::Partition { groups } => {
            groups.iter().map(|group| hosts(group)).map(|group| Rule::Block { to: rest(&group), from: group }).collect()
        }
        PlannedAction::Isolate { nodes } => nodes
            .iter()
            .flat_map(|node| {
                let alone = hosts(&[*node]);
                Rule::partition(&alone, &rest(&alone))
            })
            .collect(),
        PlannedAction::OneWay { from, to } => vec![Rule::Block { from: hosts(from), to: hosts(to) }],
        PlannedAction::Link { between, to, quality } => {
            let loss = f64::from(quality.loss.parts_per_million()) / 1e6;
            let (delay, jitter) = (quality.delay, quality.jitter);
            let degrade = |from, to| Rule::Degrade { from, to, delay, jitter, loss };
            vec![degrade(hosts(between), hosts(to)), degrade(hosts(to), hosts(between))]
        }
        _ => Vec::new(),
    }
}
