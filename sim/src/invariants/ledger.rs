//! A second reading of the ledger's rules, simple and slow: what the state should be after each block.
//!
//! It shares the types with the node and none of its execution: no tree, no overlay, no store.

use super::{Violation, stakes::Stakes};
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
        let first = State { height: Height(0), accounts, supply, stakes: Stakes::new(genesis) };
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
        let mut fees = 0;
        for (place, transaction) in block.transactions.iter().enumerate() {
            let body = &transaction.body;
            let wrong =
                |what: String| Violation(format!("transaction {place} of block {short} at height {height} {what}"));
            let amount = match body.payload {
                Payload::Transfer { amount, .. } | Payload::Stake { amount } | Payload::Unstake { amount } => amount.0,
                Payload::Evidence { .. } => 1,
            };
            let takes = match body.payload {
                Payload::Transfer { amount, .. } | Payload::Stake { amount } => amount.0,
                Payload::Unstake { .. } | Payload::Evidence { .. } => 0,
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
            if let Payload::Transfer { to, amount } = body.payload {
                state.accounts.entry(to).or_default().balance.0 += amount.0;
            } else if self.params.consensus != Consensus::Pos {
                return Err(wrong("is about stakes, and this chain has none".into()));
            }
            state.stakes.apply(&self.params.pos, &self.chain, height.0, transaction).map_err(wrong)?;
            fees += body.fee.0;
        }
        if self.params.consensus == Consensus::Pos {
            for (address, amount) in state.stakes.end_block(&self.params.pos, height.0) {
                state.accounts.entry(address).or_default().balance.0 += amount;
            }
        }
        let burned_before = self.states.get(&block.header.parent).map_or(0, |parent| parent.stakes.burned);
        state.supply.0 -= state.stakes.burned - burned_before;
        let reward = self.params.block_reward.0;
        state.accounts.entry(block.header.proposer).or_default().balance.0 += reward + fees;
        state.supply.0 += reward;
        state.height = height;
        self.states.insert(hash, state);
        self.states.retain(|_, state| state.height.0 + KEPT > height.0);
        Ok(())
    }
}
