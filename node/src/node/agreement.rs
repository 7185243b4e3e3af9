//! The chain task's part in the agreement of a chain with validators: timers, the log, and what the machine asks of the chain.
//!
//! Nothing that the machine says leaves before what led to it is durable. If the log cannot be written, the machine is given
//! up and begins again from what is stored, once the disk is mended.

use super::{abstention::Abstention, chain_task::State, upkeep::Upkeep};
use crate::{
    chain::{Core, Offence, Source, Verdict, validation::BlockError},
    consensus::{
        SealError,
        pos::{Agreement, Entry, Judgement, Message, Output, Wait},
    },
    crypto::Keypair,
    ledger,
    p2p::{Command, Gossip, Topic},
    storage::{Durability, Store, StoreError},
    types::{Amount, Block, Body, Consensus, Equivocation, Height, Payload, Round, Timestamp},
};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// Blocks for which a transaction with evidence may wait. Afterwards another validator's, or another try, takes its place.
const EVIDENCE_VALID_BLOCKS: u64 = 100;

/// The agreement of this node with the others, and what it waits for.
pub(super) struct Agreeing {
    machine: Agreement,
    key: Option<Keypair>,
    timers: BTreeMap<Wait, Instant>,
    begin_at: Option<Instant>,
    /// Entries in the log of the present height.
    logged: usize,
    abstention: Abstention,
}

impl Agreeing {
    /// On a chain with validators.
    pub fn new(core: &Core, store: &Store, key: Option<Keypair>) -> Result<Option<Self>, StoreError> {
        let rules = core.rules();
        if rules.params.consensus != Consensus::Pos {
            return Ok(None);
        }
        let machine = Agreement::new(rules.chain_id.clone(), rules.params.pos.clone(), key.clone());
        let abstention = Abstention::new(store.is_open() && store.is_unsure()?);
        let timers = BTreeMap::new();
        Ok(Some(Self { machine, key, timers, begin_at: Some(Instant::now()), logged: 0, abstention }))
    }

    /// When it wants to be looked at.
    pub fn deadline(&self) -> Option<Instant> {
        self.timers.values().copied().chain(self.begin_at).min()
    }

    /// The round, while a height is under way.
    pub fn round(&self) -> Option<Round> {
        self.machine.round()
    }

    /// Whether this node, a validator or not, holds its tongue.
    pub fn abstains(&self) -> bool {
        !self.abstention.is_sure()
    }

    fn stop(&mut self) {
        self.machine.pause();
        self.timers.clear();
    }
}

/// What the chain says of a proposed block.
fn judge(core: &Core, store: &Store, block: &Block, now: Timestamp) -> Judgement {
    match core.judge(block, now, store) {
        Ok(()) => Judgement::Valid,
        Err(error) => {
            tracing::warn!(block = %block.hash(), height = %block.header.height, %error, "agreement.block_refused");
            match error {
                BlockError::Seal(SealError::TooNew { .. }) => Judgement::Early,
                error if error.is_ours() => Judgement::Unknown,
                _ => Judgement::Invalid,
            }
        }
    }
}

impl State {
    /// The chain has another head, or was read again: the next height begins after `pause`.
    pub(super) fn agree_on_next(&mut self, pause: Duration) {
        if let Some(agreeing) = &mut self.agreeing {
            agreeing.stop();
            agreeing.begin_at = Some(Instant::now() + pause);
        }
    }

    /// Does what is due. Called at each tick, and when [`Agreeing::deadline`] has come.
    pub(super) fn agree(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let (monotonic, may_agree) = (Instant::now(), may_agree(&self.upkeep));
        let Some(agreeing) = &mut self.agreeing else { return Ok(()) };
        if !may_agree {
            agreeing.stop();
            agreeing.begin_at = None;
            return Ok(());
        }
        let may_speak = agreeing.abstention.review(&self.core, self.bootstrap_peers > 0, monotonic);
        if may_speak {
            self.store.now_sure()?;
            tracing::info!(height = %self.core.head().height, "agreement.speaks");
        }
        if may_speak || (agreeing.begin_at.is_none() && !agreeing.machine.is_running()) {
            agreeing.stop();
            agreeing.begin_at = Some(monotonic);
        }
        if agreeing.begin_at.is_some_and(|at| at <= monotonic) {
            agreeing.begin_at = None;
            return self.begin_height(now);
        }
        let due = agreeing.timers.iter().filter(|(_, at)| **at <= monotonic).map(|(wait, at)| (*at, *wait)).min();
        if let Some((_, wait)) = due {
            agreeing.timers.remove(&wait);
            let outputs = agreeing.machine.on_elapsed(wait);
            return self.act(outputs, now);
        }
        Ok(())
    }

    fn begin_height(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let height = self.core.head().height.next();
        let validators = ledger::validators(&*self.store, height)?;
        let log = self.store.ballots(height)?;
        let log: Result<Vec<Entry>, _> = log.iter().map(|bytes| borsh::from_slice(bytes)).collect();
        let log = log.map_err(|cause| StoreError::Corrupt(format!("the log of height {height}: {cause}")))?;
        let Some(agreeing) = &mut self.agreeing else { return Ok(()) };
        let entries = log.len();
        if entries > 0 {
            // A process that was killed may have left entries that only the page cache has.
            self.store.log_ballots(height, entries, &[], Durability::Synced)?;
            tracing::info!(%height, entries, "agreement.resumed");
        }
        agreeing.logged = entries;
        agreeing.timers.clear();
        agreeing.machine.set_speaking(agreeing.abstention.is_sure());
        let (core, store) = (&self.core, &*self.store);
        let outputs = agreeing.machine.begin(height, validators, log, &|block| judge(core, store, block, now));
        self.act(outputs, now)
    }

    /// A message of the agreement came by gossip.
    pub(super) fn on_agreement(&mut self, gossip: Gossip, message: Message, now: Timestamp) -> Result<(), StoreError> {
        self.outputs.metrics.messages_received.inc();
        let (from, height, kind) = (gossip.from, message.content.height(), message.content.name());
        let can = may_agree(&self.upkeep);
        let Some(agreeing) = self.agreeing.as_mut().filter(|_| can) else {
            self.command(Command::Judge(gossip, Verdict::Ignore));
            return Ok(());
        };
        let (core, store) = (&self.core, &*self.store);
        let (verdict, outputs) = agreeing.machine.on_message(message, &|block| judge(core, store, block, now));
        self.command(Command::Judge(gossip, verdict));
        if verdict == Verdict::Reject {
            let reason = format!("{kind} of height {height}");
            self.command(Command::Penalise(from, Offence::InvalidBallot(reason)));
        }
        self.act(outputs, now)?;
        // Whoever votes on a height has the one below it.
        let effects = self.core.on_ahead(from, height.back(1));
        self.carry_out(effects, now)
    }

    /// Carries out what the machine says.
    fn act(&mut self, outputs: Vec<Output>, now: Timestamp) -> Result<(), StoreError> {
        let Some(agreeing) = &mut self.agreeing else { return Ok(()) };
        let entries = outputs.iter().filter_map(|output| match output {
            Output::Log(entry) => Some(crate::encode(entry.as_ref())),
            _ => None,
        });
        let entries: Vec<_> = entries.collect();
        let speaks = outputs.iter().any(|output| matches!(output, Output::Send(_)));
        let durability = if speaks && !entries.is_empty() { Durability::Synced } else { Durability::Soon };
        let height = agreeing.machine.height();
        if let Err(error) = self.store.log_ballots(height, agreeing.logged, &entries, durability) {
            // What it has in mind is not in the log, so it may not say it: it begins again from what is.
            agreeing.stop();
            return Err(error);
        }
        agreeing.logged += entries.len();
        for output in outputs {
            self.act_on(output, height, now)?;
        }
        Ok(())
    }

    fn act_on(&mut self, output: Output, height: Height, now: Timestamp) -> Result<(), StoreError> {
        let Some(agreeing) = &mut self.agreeing else { return Ok(()) };
        match output {
            Output::Log(_) => {}
            Output::Send(message) => self.publish(Topic::Agreement, crate::encode(message.as_ref())),
            Output::Wait(wait, after) => drop(agreeing.timers.insert(wait, Instant::now() + after)),
            Output::Cancel(wait) => drop(agreeing.timers.remove(&wait)),
            Output::CancelAll => agreeing.timers.clear(),
            Output::Round { round, proposer } => {
                self.outputs.metrics.rounds.inc();
                tracing::debug!(%height, round, %proposer, "agreement.round");
            }
            Output::WantBlock { round } => {
                let Some(address) = agreeing.key.as_ref().map(Keypair::address) else { return Ok(()) };
                match self.core.draft(address, round, now, &*self.store) {
                    Ok(block) => {
                        let outputs = agreeing.machine.propose(round, block);
                        return self.act(outputs, now);
                    }
                    Err(error) => tracing::error!(%error, "agreement.no_block"),
                }
            }
            Output::Decided(block) => {
                let (verdict, effects) = self.core.on_block(Source::Agreement, *block, now, &*self.store);
                if verdict != Verdict::Accept {
                    tracing::error!(%height, "agreement.decision_not_taken");
                }
                return self.carry_out(effects, now);
            }
            Output::Equivocated(proof) => return self.accuse(*proof, now),
        }
        Ok(())
    }

    /// Makes evidence public: a transaction, paid by nobody, that slashes.
    fn accuse(&mut self, proof: Equivocation, now: Timestamp) -> Result<(), StoreError> {
        self.outputs.metrics.equivocations.inc();
        tracing::warn!(validator = %proof.validator(), height = %proof.height(), "agreement.equivocation");
        let Some(key) = self.agreeing.as_ref().and_then(|agreeing| agreeing.key.clone()) else { return Ok(()) };
        let height = self.core.head().height;
        let account = ledger::account(&*self.store, height, &key.address())?;
        let body = Body {
            chain_id: self.core.rules().chain_id.clone(),
            sender: key.public(),
            nonce: self.core.mempool().next_nonce(&key.address(), account.nonce),
            fee: Amount(0),
            valid_until: Height(height.0 + EVIDENCE_VALID_BLOCKS),
            payload: Payload::Evidence { proof: Box::new(proof) },
        };
        match self.core.on_transaction(Source::Local, body.sign(&key), &*self.store) {
            Ok((_, effects)) => self.carry_out(effects, now),
            Err(error) => {
                // Usually another validator was faster.
                tracing::info!(%error, "agreement.evidence_not_taken");
                Ok(())
            }
        }
    }
}

/// Whether the store takes what an agreement leads to.
fn may_agree(upkeep: &Upkeep) -> bool {
    upkeep.produces()
}
