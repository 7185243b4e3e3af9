//! A second reading of the rules of operational tasks, simple and slow. It shares the node's types and none of its rules.

use assay_node::{
    crypto::{Address, Domain, Hash, PublicKey},
    ledger,
    types::{ChainId, Genesis, Payload, PootParams, Task, Testimony, Transaction, Witness},
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

/// The four kinds of tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Uptime,
    Validation,
    Storage,
    Relay,
}

/// Who operates, and what each has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tasks {
    /// The key of each and its first slot.
    operators: BTreeMap<Address, (PublicKey, u64)>,
    led: BTreeMap<Address, u64>,
    /// Whose, in which period, of which kind, with the megabytes of a relay.
    done: BTreeMap<(Address, u64, Kind), u64>,
    /// Height, slot and identifier of the last blocks.
    blocks: Vec<(u64, u64, Hash)>,
    /// Of the last block.
    slot: u64,
    /// All tokens that registrations have cost.
    pub burned: u64,
}

impl Tasks {
    /// Those of a chain's first block.
    pub fn new(genesis: &Genesis) -> Self {
        let slot = genesis.timestamp.0 / genesis.params.block_interval_ms;
        let operators = genesis.operators.iter().map(|key| (key.address(), (*key, slot))).collect();
        Self { operators, slot, ..Self::default() }
    }

    /// A block in `slot` stands on the block `parent` at `below`.
    pub fn begin_block(&mut self, params: &PootParams, slot: u64, below: u64, parent: Hash) {
        self.blocks.push((below, self.slot, parent));
        self.slot = slot;
        let now = slot / params.period_slots;
        self.blocks.retain(|(_, slot, _)| slot / params.period_slots + 1 >= now);
    }

    /// The block was led by `leader`.
    pub fn end_block(&mut self, leader: &Address) {
        self.led.insert(*leader, self.slot);
    }

    /// What a transaction does.
    ///
    /// # Errors
    /// Why it may not.
    pub fn apply(&mut self, params: &PootParams, chain: &ChainId, tx: &Transaction) -> Result<(), String> {
        let (key, who) = (tx.body.sender, tx.sender());
        let proof = match &tx.body.payload {
            Payload::Task { proof } => proof,
            Payload::Register => {
                if self.operators.insert(who, (key, self.slot)).is_some() {
                    return Err("registers an operator again".into());
                }
                self.burned += params.registration.0;
                return Ok(());
            }
            _ => return Ok(()),
        };
        let Some((_, since)) = self.operators.get(&who) else { return Err(format!("is of {who}, who is no operator")) };
        let (period, now) = (proof.period.0, self.slot / params.period_slots);
        if period > now || period + 1 < now || period < since / params.period_slots {
            return Err(format!("is of period {period}, in period {now}"));
        }
        let (kind, megabytes) = match &proof.task {
            Task::Uptime => (Kind::Uptime, 0),
            Task::Validation { height, block } => {
                let is_it = |(h, slot, hash): &(u64, u64, Hash)| {
                    *h == height.0 && hash == block && slot / params.period_slots == period
                };
                if !self.blocks.iter().any(is_it) {
                    return Err(format!("is about a block at height {height} that is not of period {period}"));
                }
                (Kind::Validation, 0)
            }
            Task::Storage { witness } => {
                self.hear(chain, who, proof.period, None, witness)?;
                (Kind::Storage, 0)
            }
            Task::Relay { megabytes, witness } => {
                if !(1..=params.relay_megabytes_max).contains(&u64::from(*megabytes)) {
                    return Err(format!("claims {megabytes} megabytes"));
                }
                self.hear(chain, who, proof.period, Some(*megabytes), witness)?;
                (Kind::Relay, u64::from(*megabytes))
            }
        };
        match self.done.insert((who, period, kind), megabytes) {
            Some(_) => Err(format!("shows a task of period {period} again")),
            None => Ok(()),
        }
    }

    fn hear(
        &self,
        chain: &ChainId,
        operator: Address,
        period: assay_node::types::Period,
        megabytes: Option<u32>,
        witness: &Witness,
    ) -> Result<(), String> {
        let key = self.operators.get(&witness.operator).filter(|_| witness.operator != operator);
        let Some((key, _)) = key else { return Err(format!("has {} as its witness", witness.operator)) };
        let digest = Testimony { operator, period, megabytes }.digest(chain);
        key.verify(&digest, &witness.signature).map_err(|_| format!("has a forged signature of {}", witness.operator))
    }

    /// The credits of an operator in a period, and in how many periods of the window it did something.
    fn credits(&self, params: &PootParams, who: &Address, now: u64) -> (u64, u64) {
        let first = (now + 1).saturating_sub(params.window_periods);
        let done = self.done.iter().filter(|((whose, period, _), _)| whose == who && (first..=now).contains(period));
        let (mut tasks, mut megabytes, mut active) = (0, 0, BTreeSet::new());
        for ((_, period, kind), relayed) in done {
            tasks += u64::from(*kind != Kind::Relay);
            megabytes += relayed;
            active.insert(*period);
        }
        let relayed = megabytes.div_ceil(params.megabytes_per_credit);
        (tasks.max(relayed), active.len() as u64)
    }

    /// Who may lead in the slot after the last block's, the first one first.
    pub fn order(&self, chain: &ChainId, params: &PootParams) -> Vec<Address> {
        let slot = self.slot + 1;
        let now = slot / params.period_slots;
        let mut order: Vec<_> = self.operators.keys().copied().collect();
        order.sort_by_cached_key(|who| {
            let (credits, active) = self.credits(params, who, now);
            let led = self.led.get(who).copied();
            let class = if active * 1000 / params.window_periods < params.density_min_permille {
                2
            } else {
                u8::from(led.is_some_and(|led| led + params.cooldown_slots >= slot))
            };
            let rested = if class == 0 { None } else { led };
            let credits = Reverse(if class == 0 { credits } else { 0 });
            let seed = assay_node::encode(chain);
            let lot = Hash::of(Domain::Turn, &[&seed, &slot.to_le_bytes(), &who.0]);
            (class, credits, rested, lot)
        });
        order
    }

    /// What a node's records say otherwise, if anything.
    pub fn differs(&self, params: &PootParams, stored: &ledger::Operators) -> Option<&'static str> {
        let now = self.slot / params.period_slots;
        let members = stored.members.iter().map(|(address, one)| (*address, (one.key, one.since.0)));
        if !members.eq(self.operators.iter().map(|(address, one)| (*address, *one))) {
            return Some("other operators");
        }
        let led = stored.members.iter().filter_map(|(address, one)| Some((*address, one.last_led?.0)));
        if !led.eq(self.led.iter().filter(|(who, _)| self.operators.contains_key(*who)).map(|(who, at)| (*who, *at))) {
            return Some("other last leaders");
        }
        let blocks = stored.recent.blocks.iter().map(|(height, block)| (height.0, block.slot.0, block.hash));
        if stored.recent.slot.0 != self.slot || !blocks.eq(self.blocks.iter().copied()) {
            return Some("other last blocks");
        }
        let mut done = BTreeMap::new();
        for (who, one) in &stored.members {
            for (period, tally) in &one.tallies {
                let kinds = [
                    (Kind::Uptime, tally.uptime.then_some(0)),
                    (Kind::Validation, tally.validation.then_some(0)),
                    (Kind::Storage, tally.storage.then_some(0)),
                    (Kind::Relay, tally.relayed.map(u64::from)),
                ];
                let kinds = kinds.into_iter().filter_map(|(kind, done)| Some((kind, done?)));
                done.extend(kinds.map(|(kind, megabytes)| ((*who, period.0, kind), megabytes)));
            }
        }
        // What no longer counts may be there or not.
        let counts = |((_, period, _), _): &(&(Address, u64, Kind), &u64)| period + params.window_periods > now;
        let same = done.iter().filter(counts).eq(self.done.iter().filter(counts));
        (!same).then_some("other tasks")
    }
}
