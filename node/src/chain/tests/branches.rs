//! The core over a state in memory, on a chain with operators: what is known of a block on a side branch, and when.

use crate::{
    chain::{Core, Effect, Settings, Source, Verdict, mempool::Limits, validation::Rules},
    consensus::poot,
    crypto::{Hash, Keypair, merkle},
    ledger::{self, Overlay},
    types::{Block, ChainParams, Consensus, Genesis, Header, Height, PootParams, Rank, Seal, Slot, Timestamp, Work},
};
use jmt::{
    KeyHash, OwnedValue, Version,
    storage::{LeafNode, Node, NodeKey, TreeReader},
};
use libp2p::PeerId;
use std::{collections::BTreeMap, sync::Arc};

/// All versions of a state, and the blocks that made them.
#[derive(Default)]
struct Memory {
    nodes: BTreeMap<NodeKey, Node>,
    values: BTreeMap<(KeyHash, Version), Option<OwnedValue>>,
    blocks: Vec<Arc<Block>>,
}

impl TreeReader for Memory {
    fn get_node_option(&self, key: &NodeKey) -> anyhow::Result<Option<Node>> {
        Ok(self.nodes.get(key).cloned())
    }

    fn get_value_option(&self, max_version: Version, key: KeyHash) -> anyhow::Result<Option<OwnedValue>> {
        Ok(self.values.range((key, 0)..=(key, max_version)).next_back().and_then(|(_, value)| value.clone()))
    }

    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        Ok(None)
    }
}

impl Memory {
    fn put(&mut self, block: Arc<Block>, update: &ledger::StateUpdate) {
        self.blocks.push(block);
        self.nodes.extend(update.batch.nodes().iter().map(|(key, node)| (key.clone(), node.clone())));
        let values = update.batch.values().iter();
        self.values.extend(values.map(|((version, key), value)| ((*key, *version), value.clone())));
    }

    /// Takes back what is above `height`. Gives the blocks, the highest first.
    fn revert(&mut self, height: Height) -> Vec<Arc<Block>> {
        self.nodes.retain(|key, _| key.version() <= height.0);
        self.values.retain(|(_, version), _| *version <= height.0);
        self.blocks.drain(height.0 as usize + 1..).rev().collect()
    }
}

/// A node of four operators' chain.
struct Chain {
    core: Core,
    memory: Memory,
    rules: Rules,
    peer: PeerId,
}

fn key(n: u8) -> Keypair {
    Keypair::from_secret([n; 32])
}

/// Long after all that happens here.
const NOW: Timestamp = Timestamp(1_000_000);

impl Chain {
    fn new() -> Self {
        let poot = PootParams { leader_timeout_ms: 500, cooldown_slots: 2, ..PootParams::default() };
        let params =
            ChainParams { consensus: Consensus::Poot, block_interval_ms: 1000, poot, ..ChainParams::default() };
        let genesis = Genesis {
            chain_id: "test".parse().expect("it is one"),
            timestamp: Timestamp(1000),
            params,
            accounts: Default::default(),
            validators: Default::default(),
            operators: (1..=4).map(|n| key(n).public()).collect(),
        };
        let executed = ledger::execute_genesis(&genesis).expect("memory does not fail");
        let first = Arc::new(genesis.block(executed.state_root));
        let mut memory = Memory::default();
        memory.put(first.clone(), &executed.update);
        let rules = Rules::of(&genesis);
        let settings = Settings { proposer: None, mempool: Limits::default() };
        let headers = [(first.hash(), first.header.clone(), Work(0))];
        let core = Core::new(rules.clone(), settings, first.hash(), headers);
        Self { core, memory, rules, peer: PeerId::random() }
    }

    /// The next block on the last of `branch`, which stands on the canonical block at `fork`, led by the operator of `rank`.
    fn block(&self, fork: u64, branch: &[Block], rank: Rank) -> Block {
        let (overlay, parent) = self.state(fork, branch);
        let below = ledger::operators(&overlay, parent.height).expect("memory does not fail");
        let slot = Slot(below.recent.slot.0 + 1);
        let order = poot::ranking(&self.rules.chain_id, &self.rules.params.poot, &below, slot);
        let leader = (1..=4).map(key).find(|key| key.address() == order[rank as usize]).expect("it is an operator");
        self.led(&overlay, &parent, rank, &leader)
    }

    fn led(&self, overlay: &Overlay<'_>, parent: &Header, rank: Rank, leader: &Keypair) -> Block {
        let (params, height) = (&self.rules.params, parent.height.next());
        let time = poot::opening(params, params.slot(parent.timestamp), rank);
        let place = self.rules.place(height, parent.hash(), time, leader.address());
        let mut header = Header {
            height,
            parent: parent.hash(),
            transactions_root: merkle::EMPTY_ROOT,
            state_root: ledger::execute(overlay, place, &[]).expect("there is nothing in it").state_root,
            timestamp: time,
            proposer: leader.address(),
            seal: Seal::Genesis,
        };
        header.lead(rank, leader);
        Block { header, transactions: Vec::new() }
    }

    fn state(&self, fork: u64, branch: &[Block]) -> (Overlay<'_>, Header) {
        let mut overlay = Overlay::new(&self.memory, Height(fork));
        let mut parent = self.memory.blocks[fork as usize].header.clone();
        for block in branch {
            let header = &block.header;
            let place = self.rules.place(header.height, header.parent, header.timestamp, header.proposer);
            overlay.push(&ledger::execute(&overlay, place, &[]).expect("there is nothing in it").update);
            parent = header.clone();
        }
        (overlay, parent)
    }

    /// A peer gives a block; what it leads to is carried out.
    fn give(&mut self, block: &Block) -> Verdict {
        let (verdict, effects) = self.core.on_block(Source::Peer(self.peer), block.clone(), NOW, &self.memory);
        for effect in effects {
            if let Effect::Commit(commit) = effect {
                let reverted = self.memory.revert(commit.route.fork);
                for new in &commit.blocks {
                    self.memory.put(new.block.clone(), &new.update);
                }
                self.core.committed(&commit, reverted, NOW, &self.memory);
            }
        }
        verdict
    }

    fn head(&self) -> Hash {
        self.core.head().hash
    }
}

#[test]
fn the_better_led_of_two_blocks_wins() {
    let mut chain = Chain::new();
    let (late, stand_in) = (chain.block(0, &[], 0), chain.block(0, &[], 1));
    assert_eq!(chain.give(&stand_in), Verdict::Accept);
    assert_eq!(chain.head(), stand_in.hash());
    assert_eq!(chain.give(&late), Verdict::Accept);
    assert_eq!(chain.head(), late.hash(), "it was only late");
    assert_eq!(chain.give(&chain.block(0, &[], 2).clone()), Verdict::Accept);
    assert_eq!(chain.head(), late.hash());
}

#[test]
fn a_false_rank_is_refused_at_once_on_the_chain() {
    let mut chain = Chain::new();
    let (overlay, parent) = chain.state(0, &[]);
    let second = (1..=4).map(key).find(|key| key.address() == chain.block(0, &[], 1).header.proposer);
    let promoted = chain.led(&overlay, &parent, 0, &second.expect("it is an operator"));
    drop(overlay);
    assert_eq!(chain.give(&promoted), Verdict::Reject);
    assert_eq!(chain.core.side(), (0, 0));
}

#[test]
fn a_false_rank_on_a_side_branch_is_found_when_the_branch_would_win() {
    let mut chain = Chain::new();
    let first = chain.block(0, &[], 0);
    chain.give(&first);
    // A branch of stand-ins beside it, lighter at first.
    let side = chain.block(0, &[], 1);
    assert_eq!(chain.give(&side), Verdict::Accept);
    let (overlay, parent) = chain.state(0, std::slice::from_ref(&side));
    let wrong = chain.block(0, std::slice::from_ref(&side), 2).header.proposer;
    let leader = (1..=4).map(key).find(|key| key.address() == wrong).expect("it is an operator");
    let promoted = chain.led(&overlay, &parent, 0, &leader);
    drop(overlay);
    assert_eq!(chain.give(&promoted), Verdict::Reject, "its rank is known now");
    assert_eq!(chain.head(), first.hash());
    assert_eq!(chain.core.side().0, 1, "the block below it is right and stays");
    let right = chain.block(0, std::slice::from_ref(&side), 0);
    assert_eq!(chain.give(&right), Verdict::Accept);
    assert_eq!(chain.head(), right.hash(), "the right leader makes the branch the heavier one");
    assert_eq!(chain.memory.blocks.len(), 3);
}
