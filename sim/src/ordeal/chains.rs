//! What every node's chain looks like from outside, made of the events it reports, and the observations that follow.
//!
//! A node that starts is read again from its store, down to where it agrees with what was known: so a block that was lost
//! in a crash is seen as taken back.

use super::{
    checks::Checks,
    seen::{Inside, Seen},
};
use crate::invariants::Observation;
use assay_node::{
    chain::ChainEvent,
    crypto::{Address, Hash},
    types::{Block, Consensus, Genesis, Height, Transaction},
};
use assay_reports::Event;
use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

/// One node's chain.
#[derive(Clone, Debug)]
pub(super) struct NodeChain {
    /// Each block with its transactions, by height.
    blocks: Vec<(Hash, Rc<[Hash]>)>,
    confirmed: Height,
    pub produced: u64,
    pub reorgs: u64,
    pub reorg_depth_max: u64,
    /// The deepest reorganisation since the last sample.
    pub reorg_depth_recent: u64,
}

/// One reorganisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reorg {
    pub node: usize,
    pub at: Duration,
    pub fork: Height,
    pub depth: u64,
}

/// Where observations go.
pub(super) struct Sink<'a> {
    pub at: Duration,
    pub node: usize,
    pub checks: &'a mut Checks,
    pub timeline: &'a mut Vec<Event>,
}

impl Sink<'_> {
    fn observe(&mut self, seen: &Observation<'_>) {
        self.checks.observe(self.at, self.node, seen);
    }

    fn note(&mut self, kind: &str, detail: String) {
        let host = Some(format!("n{}", self.node));
        super::push(self.timeline, Event { at: self.at.as_secs_f64(), host, kind: kind.to_owned(), detail });
    }
}

/// The chains of all nodes.
pub(super) struct Chains {
    nodes: Vec<NodeChain>,
    pub reorgs: Vec<Reorg>,
    accounts: BTreeSet<Address>,
    consensus: Consensus,
}

impl Chains {
    pub fn new(nodes: usize, genesis: &Genesis, first: &Block) -> Self {
        let chain = NodeChain {
            blocks: vec![(first.hash(), Rc::from([]))],
            confirmed: Height(0),
            produced: 0,
            reorgs: 0,
            reorg_depth_max: 0,
            reorg_depth_recent: 0,
        };
        let accounts = genesis.accounts.keys().copied().collect();
        let consensus = genesis.params.consensus;
        Self { nodes: vec![chain; nodes], reorgs: Vec::new(), accounts, consensus }
    }

    /// How many nodes there are.
    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// A node's chain.
    pub fn of(&self, node: usize) -> &NodeChain {
        &self.nodes[node]
    }

    /// The deepest reorganisation of a node since the last call.
    pub fn take_recent_depth(&mut self, node: usize) -> u64 {
        std::mem::take(&mut self.nodes[node].reorg_depth_recent)
    }

    /// Takes in what a node did. Gives the transactions that it confirmed. A node that has stopped since has no inside: its
    /// blocks are confirmed when it starts again.
    pub fn take(&mut self, seen: Seen, inside: Option<&mut dyn Inside>, sink: &mut Sink<'_>) -> Vec<Hash> {
        let node = sink.node;
        let mut confirmed = Vec::new();
        match seen {
            Seen::Read { fork, blocks, confirmed: height, rebuilding } => {
                match self.nodes[node].height() > fork.0 {
                    true if rebuilding => self.lose(fork, sink),
                    true => self.revert(fork, sink),
                    false => {}
                }
                for block in blocks {
                    let transactions = block.transactions.iter().map(Transaction::id).collect();
                    self.extend(block.hash(), transactions, Some(block), sink);
                }
                confirmed = self.confirm(height, inside, sink);
            }
            Seen::Event(ChainEvent::Produced { .. }, _) => self.nodes[node].produced += 1,
            Seen::Event(ChainEvent::Reorganised { fork, .. }, _) => self.revert(fork, sink),
            // Finality finds it out for itself.
            Seen::Event(ChainEvent::ConfirmedReverted { .. }, _) => {}
            // The watcher reads the chain instead.
            Seen::Event(ChainEvent::Reloaded { .. }, _) => {}
            Seen::Event(ChainEvent::Head { height, hash, transactions }, block) => {
                assert_eq!(height.0, self.nodes[node].height() + 1, "n{node} reports its blocks in order");
                self.extend(hash, transactions, block, sink);
            }
            Seen::Event(ChainEvent::Confirmed { height, .. }, _) => {
                confirmed = self.confirm(height, inside, sink);
            }
        }
        confirmed
    }

    fn extend(&mut self, hash: Hash, transactions: Vec<Hash>, block: Option<Arc<Block>>, sink: &mut Sink<'_>) {
        self.nodes[sink.node].blocks.push((hash, transactions.into()));
        if let Some(block) = block {
            self.accounts.insert(block.header.proposer);
            sink.observe(&Observation::Block { hash, block: &block });
        }
    }

    fn revert(&mut self, fork: Height, sink: &mut Sink<'_>) {
        let chain = &mut self.nodes[sink.node];
        let depth = (chain.blocks.len() as u64 - 1).saturating_sub(fork.0);
        chain.blocks.truncate(fork.0 as usize + 1);
        chain.confirmed = chain.confirmed.min(fork);
        chain.reorgs += 1;
        chain.reorg_depth_max = chain.reorg_depth_max.max(depth);
        chain.reorg_depth_recent = chain.reorg_depth_recent.max(depth);
        self.reorgs.push(Reorg { node: sink.node, at: sink.at, fork, depth });
        sink.observe(&Observation::Reverted { fork });
        let blocks = if depth == 1 { "block" } else { "blocks" };
        sink.note("reorg", format!("{depth} {blocks} taken back, to height {fork}"));
    }

    /// A store that is rebuilt lacks what is above `fork`.
    fn lose(&mut self, fork: Height, sink: &mut Sink<'_>) {
        let chain = &mut self.nodes[sink.node];
        let lost = chain.height().saturating_sub(fork.0);
        chain.blocks.truncate(fork.0 as usize + 1);
        chain.confirmed = chain.confirmed.min(fork);
        sink.observe(&Observation::Rebuilding { fork });
        sink.note("rebuild", format!("its store is built anew; for now it lacks {lost} blocks above height {fork}"));
    }

    /// Everything up to `height` is confirmed.
    fn confirm(&mut self, height: Height, inside: Option<&mut dyn Inside>, sink: &mut Sink<'_>) -> Vec<Hash> {
        let mut ids = Vec::new();
        let Some(inside) = inside else { return ids };
        while self.nodes[sink.node].confirmed < height {
            let next = self.nodes[sink.node].confirmed.next();
            let Some((hash, transactions)) = self.nodes[sink.node].blocks.get(next.0 as usize).cloned() else { break };
            self.nodes[sink.node].confirmed = next;
            // The store has moved on when the block was taken back since: then there is no such state any more.
            let state = inside.state(next, &hash, &self.accounts, self.consensus);
            let (transactions, state) = (&*transactions, state.as_ref());
            sink.observe(&Observation::Confirmed { height: next, hash, transactions, state });
            ids.extend_from_slice(transactions);
        }
        ids
    }

    /// The transactions in the chain of each node that is judged.
    pub fn included(&self, judged: impl Fn(usize) -> bool) -> BTreeMap<usize, BTreeSet<Hash>> {
        let judged = (0..self.nodes.len()).filter(|node| judged(*node));
        judged.map(|node| (node, self.nodes[node].transactions())).collect()
    }
}

impl NodeChain {
    /// Height of the head.
    pub fn height(&self) -> u64 {
        self.blocks.len() as u64 - 1
    }

    /// The highest height at which two chains have the same block.
    pub fn common(&self, other: &NodeChain) -> u64 {
        let same = self.blocks.iter().zip(&other.blocks).take_while(|((a, _), (b, _))| a == b).count();
        same as u64 - 1
    }

    fn transactions(&self) -> BTreeSet<Hash> {
        self.blocks.iter().flat_map(|(_, transactions)| transactions.iter().copied()).collect()
    }
}
