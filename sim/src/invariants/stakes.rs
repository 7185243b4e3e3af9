//! A second reading of the rules of stakes, simple and slow. It shares the node's types and none of its rules.

use assay_node::{
    crypto::{Address, PublicKey},
    ledger,
    types::{
        Amount, Ballot, ChainId, Equivocation, Genesis, Payload, PosParams, Signed, TOKEN, Transaction, Validator,
        ValidatorSet,
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// Who has bonded what, and who votes on the next block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stakes {
    bonds: BTreeMap<PublicKey, u64>,
    /// Whose, how many, and at which height they are free.
    waiting: Vec<(PublicKey, u64, u64)>,
    active: BTreeMap<PublicKey, u64>,
    punished: BTreeSet<(u64, PublicKey)>,
    /// All tokens that were slashed.
    pub burned: u64,
}

impl Stakes {
    /// Those of a chain's first block.
    pub fn new(genesis: &Genesis) -> Self {
        let bonds: BTreeMap<_, _> = genesis.validators.iter().map(|(key, amount)| (*key, amount.0)).collect();
        Self { active: bonds.clone(), bonds, ..Self::default() }
    }

    /// The power of each who votes on the next block, in whole tokens.
    pub fn powers(&self) -> BTreeMap<Address, (PublicKey, u64)> {
        self.active.iter().map(|(key, amount)| (key.address(), (*key, amount / TOKEN.0))).collect()
    }

    /// The same as the node's type, for asking whose turn it is.
    pub fn set(&self) -> ValidatorSet {
        ValidatorSet::new(self.active.iter().map(|(key, stake)| Validator { key: *key, stake: Amount(*stake) }))
    }

    /// What a transaction does.
    ///
    /// # Errors
    /// Why it may not.
    pub fn apply(&mut self, params: &PosParams, chain: &ChainId, height: u64, tx: &Transaction) -> Result<(), String> {
        let key = tx.body.sender;
        match &tx.body.payload {
            Payload::Transfer { .. } | Payload::Register | Payload::Task { .. } => Ok(()),
            Payload::Stake { amount } => {
                let bond = self.bonds.entry(key).or_default();
                *bond += amount.0;
                if *bond < params.stake_min.0 { Err(format!("bonds {bond}, which is too little")) } else { Ok(()) }
            }
            Payload::Unstake { amount } => {
                let bond = self.bonds.get(&key).copied().unwrap_or(0);
                let Some(left) = bond.checked_sub(amount.0) else {
                    return Err(format!("takes {amount} out of a bond of {bond}"));
                };
                if left > 0 && left < params.stake_min.0 {
                    return Err(format!("leaves {left} bonded, which is too little"));
                }
                self.bonds.insert(key, left);
                self.bonds.retain(|_, bond| *bond > 0);
                self.waiting.push((key, amount.0, height + params.unbonding_blocks));
                Ok(())
            }
            Payload::Evidence { proof } => self.punish(params, chain, height, proof),
        }
    }

    fn punish(&mut self, params: &PosParams, chain: &ChainId, height: u64, proof: &Equivocation) -> Result<(), String> {
        let when = proof.height().0;
        if when > height || when + params.unbonding_blocks < height {
            return Err(format!("has evidence of height {when} at height {height}"));
        }
        let all = self.bonds.keys().chain(self.waiting.iter().map(|(key, ..)| key));
        let Some(key) = all.copied().find(|key| key.address() == proof.validator()) else {
            return Err("accuses somebody without a bond".into());
        };
        let contradicts = match proof {
            Equivocation::Votes(Signed { ballot: a, .. }, Signed { ballot: b, .. }) => {
                a.block != b.block && (a.height, a.round, a.step) == (b.height, b.round, b.step)
            }
            Equivocation::Proposals(Signed { ballot: a, .. }, Signed { ballot: b, .. }) => {
                a != b && (a.height, a.round) == (b.height, b.round)
            }
        };
        let signed = match proof {
            Equivocation::Votes(a, b) => is_by(&key, chain, a) && is_by(&key, chain, b),
            Equivocation::Proposals(a, b) => is_by(&key, chain, a) && is_by(&key, chain, b),
        };
        if !contradicts || !signed {
            return Err("has evidence that proves nothing".into());
        }
        if !self.punished.insert((when, key)) {
            return Err("punishes twice for one height".into());
        }
        let part = |amount: u64| (u128::from(amount) * u128::from(params.slash_percent) / 100) as u64;
        let bond = self.bonds.iter_mut().filter(|(whose, _)| **whose == key).map(|(_, amount)| amount);
        let waiting = self.waiting.iter_mut().filter(|(whose, ..)| *whose == key).map(|(_, amount, _)| amount);
        for amount in bond.chain(waiting) {
            let loss = part(*amount);
            *amount -= loss;
            self.burned += loss;
        }
        Ok(())
    }

    /// The end of a block: what is free again, and for whom.
    pub fn end_block(&mut self, params: &PosParams, height: u64) -> Vec<(Address, u64)> {
        let (free, waiting): (Vec<_>, Vec<_>) = self.waiting.drain(..).partition(|(.., at)| *at <= height);
        self.waiting = waiting;
        self.punished.retain(|(when, _)| when + params.unbonding_blocks >= height);
        if height.is_multiple_of(params.epoch_blocks) {
            let next = self.bonds.iter().filter(|(_, amount)| **amount >= params.stake_min.0);
            let next: BTreeMap<_, _> = next.map(|(key, amount)| (*key, *amount)).collect();
            if !next.is_empty() {
                self.active = next;
            }
        }
        free.into_iter().map(|(key, amount, _)| (key.address(), amount)).collect()
    }

    /// What a node's record says otherwise, if anything.
    pub fn differs(&self, stored: &ledger::Stakes) -> Option<&'static str> {
        let active: BTreeMap<_, _> = stored.active.iter().map(|one| (one.key, one.stake.0)).collect();
        if active != self.active {
            return Some("other validators");
        }
        let bonds: BTreeMap<_, _> = stored.bonds.values().map(|bond| (bond.key, bond.amount.0)).collect();
        if bonds != self.bonds {
            return Some("other bonds");
        }
        let waiting = stored.unbonding.iter().map(|one| (one.key, one.amount.0, one.release.0));
        if !waiting.eq(self.waiting.iter().copied()) {
            return Some("other bonds that are taken back");
        }
        None
    }
}

fn is_by<T: Ballot>(key: &PublicKey, chain: &ChainId, signed: &Signed<T>) -> bool {
    key.address() == signed.ballot.validator() && key.verify(&signed.ballot.digest(chain), &signed.signature).is_ok()
}
