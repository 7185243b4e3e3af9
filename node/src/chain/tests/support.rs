//! A node's core and its store, without a network, a clock or tasks.

use crate::{
    chain::{ChainEvent, Core, Effect, Head, Settings, Source, Verdict, mempool::Limits, validation::Rules},
    consensus::pow::Search,
    crypto::{Address, Keypair},
    native::seams::disk,
    storage::{self, Store},
    types::{Amount, Block, Body, ChainParams, Difficulty, Genesis, Height, Nonce, Payload, Timestamp, Transaction},
};
use libp2p::PeerId;
use tempfile::TempDir;

/// When the tests take place, in milliseconds.
pub const START_MS: u64 = 1_700_000_000_000;

/// Blocks that confirm another.
pub const CONFIRMATIONS: u64 = 2;

pub struct Bed {
    pub core: Core,
    pub store: Store,
    _dir: TempDir,
}

/// The account that has tokens at genesis.
pub fn rich() -> Keypair {
    Keypair::from_secret([1; 32])
}

pub fn peer(n: u8) -> PeerId {
    libp2p::identity::Keypair::ed25519_from_bytes([n; 32]).expect("32 bytes are a key").public().to_peer_id()
}

/// `after_ms` after the start.
pub fn at(after_ms: u64) -> Timestamp {
    Timestamp(START_MS + after_ms)
}

pub fn genesis() -> Genesis {
    let params =
        ChainParams { difficulty_start: Difficulty(64), confirmations: CONFIRMATIONS, ..ChainParams::default() };
    Genesis {
        chain_id: "test".parse().expect("it is a chain id"),
        timestamp: Timestamp(START_MS - 1000),
        params,
        accounts: [(rich().address(), Amount(1_000_000))].into(),
        validators: Default::default(),
        operators: Default::default(),
    }
}

pub fn settings(proposer: u8) -> Settings {
    Settings { proposer: Some(Address([proposer; 20])), mempool: Limits::default() }
}

pub fn transfer(nonce: u64) -> Transaction {
    Body {
        chain_id: genesis().chain_id,
        sender: rich().public(),
        nonce: Nonce(nonce),
        fee: Amount(1),
        valid_until: Height(1_000),
        payload: Payload::Transfer { to: Address([9; 20]), amount: Amount(2) },
    }
    .sign(&rich())
}

impl Bed {
    /// At genesis. The proposer keeps its blocks apart from others'.
    pub fn new(proposer: u8) -> Self {
        let dir = tempfile::tempdir().expect("there is room for a directory");
        let disk = disk().expect("the default environment");
        let store = Store::open(&disk, &dir.path().join("db"), genesis(), storage::Settings::default());
        let store = store.expect("the disk works");
        let loaded = store.load().expect("the disk works");
        let mut core = Core::new(Rules::of(&genesis()), settings(proposer), loaded.genesis, loaded.headers);
        core.set_elapsed(1);
        Self { core, store, _dir: dir }
    }

    pub fn head(&self) -> Head {
        self.core.head()
    }

    /// Submits a transaction.
    pub fn submit(&mut self, transaction: Transaction) {
        let (_, effects) =
            self.core.on_transaction(Source::Local, transaction, &self.store).expect("it can be executed");
        self.carry_out(effects, at(0));
    }

    /// What a driver does once a tick.
    pub fn tick(&mut self, now: Timestamp) -> Vec<ChainEvent> {
        let effects = self.core.on_tick(now, &self.store);
        let mut events = self.carry_out(effects, now);
        for (source, block) in self.core.take_due(now) {
            events.extend(self.give(source, block, now).1);
        }
        events
    }

    pub fn give(&mut self, source: Source, block: Block, now: Timestamp) -> (Verdict, Vec<ChainEvent>) {
        let (verdict, effects) = self.core.on_block(source, block, now, &self.store);
        (verdict, self.carry_out(effects, now))
    }

    /// Mines a block on the head, by a clock that shows `now`, and takes it in.
    pub fn mine(&mut self, now: Timestamp) -> Block {
        let block = self.mine_with(now, |_| {});
        self.give(Source::Local, block.clone(), now);
        assert_eq!(self.head().hash, block.hash());
        block
    }

    /// Mines a block that was changed, and keeps it to itself.
    pub fn mine_with(&mut self, now: Timestamp, change: impl FnOnce(&mut Block)) -> Block {
        self.core.forget_template();
        let effects = self.core.on_tick(now, &self.store);
        let template = effects.into_iter().find_map(|effect| match effect {
            Effect::Mine(template) => template,
            _ => None,
        });
        let template = template.expect("a miner always has one");
        let mut block = Block { header: template.header.clone(), transactions: template.transactions.clone() };
        change(&mut block);
        let mut search = Search::new(block.header.unsealed_hash(), template.difficulty, 0);
        block.header.seal = search.run(1_000_000).expect("it is easy");
        block
    }

    /// Mines so many, a second apart.
    pub fn mine_all(&mut self, count: u64) -> Vec<Block> {
        let first = self.head().height.0;
        (1..=count).map(|n| self.mine(at(1000 * (first + n)))).collect()
    }

    /// Carries out effects as the chain task does, and gives the events.
    fn carry_out(&mut self, effects: Vec<Effect>, now: Timestamp) -> Vec<ChainEvent> {
        let mut events = Vec::new();
        for effect in effects {
            match effect {
                Effect::Commit(commit) => {
                    let reverted = self.store.commit(&commit).expect("the disk works");
                    let following = self.core.committed(&commit, reverted, now, &self.store);
                    events.extend(self.carry_out(following, now));
                }
                Effect::Notify(event) => events.push(event),
                _ => {}
            }
        }
        events
    }
}
