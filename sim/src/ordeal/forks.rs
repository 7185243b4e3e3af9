//! Whether a split really split the chain, and who gave way.

use super::chains::{Chains, Reorg};
use assay_node::types::Height;
use assay_scenarios::{NodeIndex, PlannedAction, PlannedFault};
use std::time::Duration;

/// The chains of the two sides when a split ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fork {
    at: Duration,
    /// The last block that both have.
    common: Height,
    /// For each side its nodes and how many blocks it has above.
    sides: Vec<(String, u64)>,
}

/// The forks of a run.
#[derive(Debug, Default)]
pub(super) struct Forks(Vec<Fork>);

impl Forks {
    /// A fault is over. When it was a split and the sides have blocks of their own, tells how many.
    pub fn split_ended(&mut self, fault: &PlannedFault, at: Duration, chains: &Chains) -> Option<String> {
        let groups = match &fault.action {
            PlannedAction::Partition { groups } => groups.clone(),
            PlannedAction::OneWay { from, to } => vec![from.clone(), to.clone()],
            PlannedAction::Isolate { nodes } => {
                let all = 0..chains.nodes() as u16;
                let others = all.map(NodeIndex).filter(|node| !nodes.contains(node)).collect();
                nodes.iter().map(|node| vec![*node]).chain([others]).collect()
            }
            _ => return None,
        };
        let tip =
            |group: &[NodeIndex]| group.iter().map(|node| node.index()).max_by_key(|node| chains.of(*node).height());
        let tips: Vec<_> = groups.iter().filter_map(|group| Some((group, tip(group)?))).collect();
        let (_, first) = *tips.first()?;
        let common = tips.iter().map(|(_, tip)| chains.of(*tip).common(chains.of(first))).min()?;
        let sides: Vec<_> = tips
            .iter()
            .map(|(group, tip)| {
                let names: Vec<_> = group.iter().map(NodeIndex::to_string).collect();
                (names.join(" "), chains.of(*tip).height() - common)
            })
            .collect();
        if sides.iter().filter(|(_, blocks)| *blocks > 0).count() < 2 {
            return None;
        }
        let each: Vec<_> = sides.iter().map(|(names, blocks)| format!("{names}: {blocks} blocks")).collect();
        let text = format!("the chain has forked above height {common}: {}", each.join(", "));
        self.0.push(Fork { at, common: Height(common), sides });
        Some(text)
    }

    /// The first fork that a node gave up for the other side's chain, in words.
    pub fn resolved(&self, reorgs: &[Reorg]) -> Option<String> {
        self.0.iter().find_map(|fork| {
            let gave_way = |reorg: &&Reorg| reorg.at >= fork.at && reorg.fork == fork.common && reorg.depth > 0;
            let deepest = reorgs.iter().filter(gave_way).max_by_key(|reorg| reorg.depth)?;
            let nodes: Vec<_> = reorgs.iter().filter(gave_way).map(|reorg| format!("n{}", reorg.node)).collect();
            let sides: Vec<_> = fork.sides.iter().map(|(_, blocks)| blocks.to_string()).collect();
            Some(format!(
                "forked above height {} ({} blocks), {} gave up {}",
                fork.common,
                sides.join(" and "),
                nodes.join(" "),
                deepest.depth
            ))
        })
    }

    /// Whether any split forked the chain.
    pub fn any(&self) -> bool {
        !self.0.is_empty()
    }
}
