//! A second reading of the ledger's rules, simple and slow: what the state should be after each block.
//!
//! It shares the types with the node and none of its execution: no tree, no overlay, no store.

use super::{Violation, stakes::Stakes, tasks::Tasks};
use assay_node::{
    crypto::{Address, Hash},
    ledger::Account,
    types::{Amount, Block, ChainId, ChainParams, Consensus, Genesis, Height, Nonce, Payload},
};
use std::collections::BTreeMap;

/// Blocks this far below the highest are forgotten: more than any reorganisation of a run.
const KEPT: u64 = 1200;

/// The state after one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The block's height.
    pub height: Height,
    /// All accounts that were ever touched.
    pub accounts: BTreeMap<Address, Account>,
    /// Tokens in circulation.
    pub supply: Amount,
    /// Bonds and validators; none on a chain without.
    pub stakes: Stakes,
    /// Operators and what they did; none on a chain without.
    pub tasks: Tasks,
}

impl State {
    /// All tokens that are gone: slashed, or paid for becoming an operator.
    pub fn burned(&self) -> u64 {
        self.stakes.burned + self.tasks.burned
    }
}

/// The states after all recent blocks, on all branches.
#[derive(Debug)]
pub struct Ledger {
    chain: ChainId,
    params: ChainParams,
    states: BTreeMap<Hash, State>,
}

impl Ledger {
    /// A ledger whose only block is the genesis block, `hash`.
    pub fn new(genesis: &Genesis, hash: Hash) -> Self {
        let accounts: BTreeMap<_, _> = genesis
            .accounts
            .iter()
            .map(|(address, balance)| (*address, Account { balance: *balance, nonce: Nonce(0) }))
            .collect();
        let supply = Amount(genesis.accounts.values().chain(genesis.validators.values()).map(|amount| amount.0).sum());
        let (stakes, tasks) = (Stakes::new(genesis), Tasks::new(genesis));
        let first = State { height: Height(0), accounts, supply, stakes, tasks };
        Self {
            chain: genesis.chain_id.clone(),
            params: genesis.params.clone(),
            states: BTreeMap::from([(hash, first)]),
        }
    }

    /// The state after a block that was added.
    pub fn after(&self, hash: &Hash) -> Option<&State> {
        self.states.get(hash)
    }

    /// Executes a block, unless it was executed before.
    ///
    /// # Errors
    /// [`Violation`] when its parent is unknown or a transaction may not stand where it does.
    pub fn add(&mut self, hash: Hash, block: &Block) -> Result<(), Violation> {
        if self.states.contains_key(&hash) {
            return Ok(());
        }
        let (height, short) = (block.header.height, hash.short());
        let parent = self.states.get(&block.header.parent);
        let mut state = parent.cloned().ok_or_else(|| {
            Violation(format!("block {short} at height {height} stands on one that nobody has shown"))
        })?;
        let poot = &self.params.poot;
        let slot = block.header.timestamp.0 / self.params.block_interval_ms;
        state.tasks.begin_block(poot, slot, height.0.saturating_sub(1), block.header.parent);
        let mut fees = 0;
        for (place, transaction) in block.transactions.iter().enumerate() {
            let body = &transaction.body;
            let wrong =
                |what: String| Violation(format!("transaction {place} of block {short} at height {height} {what}"));
            let amount = match body.payload {
                Payload::Transfer { amount, .. } | Payload::Stake { amount } | Payload::Unstake { amount } => amount.0,
                Payload::Evidence { .. } | Payload::Register | Payload::Task { .. } => 1,
            };
            let takes = match body.payload {
                Payload::Transfer { amount, .. } | Payload::Stake { amount } => amount.0,
                Payload::Register => poot.registration.0,
                Payload::Unstake { .. } | Payload::Evidence { .. } | Payload::Task { .. } => 0,
            };
            let sender = state.accounts.entry(body.sender.address()).or_default();
            if body.nonce != sender.nonce {
                return Err(wrong(format!("has nonce {}, and {} is next: spent twice", body.nonce, sender.nonce)));
            }
            if body.valid_until < height {
                return Err(wrong(format!("was valid until {}", body.valid_until)));
            }
            let cost = u128::from(takes) + u128::from(body.fee.0);
            if amount == 0 || cost > u128::from(sender.balance.0) {
                return Err(wrong(format!("costs {cost}, and its sender has {}", sender.balance)));
            }
            *sender = Account { balance: Amount(sender.balance.0 - cost as u64), nonce: Nonce(body.nonce.0 + 1) };
            let needed = match body.payload {
                Payload::Transfer { .. } => self.params.consensus,
                Payload::Stake { .. } | Payload::Unstake { .. } | Payload::Evidence { .. } => Consensus::Pos,
                Payload::Register | Payload::Task { .. } => Consensus::Poot,
            };
            if needed != self.params.consensus {
                return Err(wrong(format!("is of {needed} chains, and this is another")));
            }
            if let Payload::Transfer { to, amount } = body.payload {
                state.accounts.entry(to).or_default().balance.0 += amount.0;
            }
            state.stakes.apply(&self.params.pos, &self.chain, height.0, transaction).map_err(wrong)?;
            state.tasks.apply(poot, &self.chain, transaction).map_err(wrong)?;
            fees += body.fee.0;
        }
        if self.params.consensus == Consensus::Pos {
            for (address, amount) in state.stakes.end_block(&self.params.pos, height.0) {
                state.accounts.entry(address).or_default().balance.0 += amount;
            }
        }
        state.tasks.end_block(&block.header.proposer);
        let burned_before = self.states.get(&block.header.parent).map_or(0, State::burned);
        state.supply.0 -= state.burned() - burned_before;
        let reward = self.params.block_reward.0;
        state.accounts.entry(block.header.proposer).or_default().balance.0 += reward + fees;
        state.supply.0 += reward;
        state.height = height;
        self.states.insert(hash, state);
        self.states.retain(|_, state| state.height.0 + KEPT > height.0);
        Ok(())
    }
}
