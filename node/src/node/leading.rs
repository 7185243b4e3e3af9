//! The chain task's part in proof of operational tasks: leads when its turn has come, shows what it has done, and is the
//! witness of what others did.

use super::chain_task::State;
use crate::{
    chain::{Effect, Source, SubmitError, sync::Request},
    consensus::poot::{self, Answer, Asking, Duties, Duty},
    crypto::{Address, Hash, Keypair},
    ledger,
    storage::{Store, StoreError},
    types::{Amount, Body, Height, OPERATORS_MAX, Payload, Period, PootParams, Rank, TaskProof, Testimony, Timestamp},
};
use libp2p::PeerId;
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// How long after its start a node that has heard no peer waits before it leads: it may be far behind without knowing.
const ALONE: Duration = Duration::from_secs(30);
/// A begun one counts.
const MEGABYTE: u64 = 1 << 20;

/// This node as an operator.
pub(super) struct Leading {
    key: Keypair,
    /// Its name among peers.
    peer: PeerId,
    duties: Duties,
    /// Of whom it was a witness last, and of which period: it is once. Operators only, so [`OPERATORS_MAX`] at most.
    witnessed: BTreeMap<Address, Period>,
    /// Its place on the head, as far as it was looked up.
    turn: Option<Turn>,
}

/// When an operator may lead on a head.
#[derive(Clone, Copy)]
struct Turn {
    head: Hash,
    /// Its rank, and when that may lead; none for who is no operator.
    place: Option<(Rank, Timestamp)>,
}

impl Leading {
    /// An operator that holds `key` and is `peer` among peers.
    pub fn new(key: Keypair, peer: PeerId) -> Self {
        Self { key, peer, duties: Duties::default(), witnessed: BTreeMap::new(), turn: None }
    }

    /// When its turn comes on the head as it was last looked at, if that is still to come by the wall clock.
    pub fn deadline(&self, now: Timestamp) -> Option<Instant> {
        let (_, opens) = self.turn?.place?;
        (opens > now).then(|| Instant::now() + Duration::from_millis(opens.since(now)))
    }
}

impl State {
    /// Does what is due for an operator. Called at each tick, and when [`Leading::deadline`] has come.
    pub(super) fn lead(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let may = self.leading.is_some() && self.upkeep.produces() && self.knows_the_head();
        if !may {
            return Ok(());
        }
        self.lead_on_head(now)?;
        self.do_duties(now)
    }

    /// Whether this node has what its peers have. Who was away must not lead on an old head.
    fn knows_the_head(&self) -> bool {
        let sync = self.core.sync();
        let has_heard = self.bootstrap_peers == 0 || sync.has_heard() || self.started.elapsed() >= ALONE;
        has_heard && !self.core.is_behind()
    }

    fn lead_on_head(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let head = self.core.head();
        let Some(leading) = &self.leading else { return Ok(()) };
        let turn = match leading.turn.filter(|turn| turn.head == head.hash) {
            Some(turn) => turn,
            None => self.look_up_turn(head.hash, head.height)?,
        };
        let Some(leading) = &mut self.leading else { return Ok(()) };
        leading.turn = Some(turn);
        let Some((rank, _)) = turn.place.filter(|(_, opens)| now >= *opens) else { return Ok(()) };
        match self.core.lead(&leading.key, rank, now, &*self.store) {
            Ok(block) => {
                if rank > 0 {
                    self.outputs.metrics.stand_ins.inc();
                    tracing::info!(height = %block.header.height, rank, "leading.stands_in");
                }
                let (_, effects) = self.core.on_block(Source::Local, block, now, &*self.store);
                self.carry_out(effects, now)
            }
            Err(error) => {
                tracing::error!(%error, "leading.no_block");
                Ok(())
            }
        }
    }

    fn look_up_turn(&self, head: Hash, height: Height) -> Result<Turn, StoreError> {
        let rules = self.core.rules();
        let leads = rules.engine.leads(&rules.chain_id, &rules.params, height.next(), &*self.store)?;
        let (order, parent) = leads.unwrap_or_default();
        let own = self.leading.as_ref().map(|leading| leading.key.address());
        let rank = order.iter().position(|operator| Some(*operator) == own).map(|place| place as Rank);
        Ok(Turn { head, place: rank.map(|rank| (rank, poot::opening(&rules.params, parent, rank))) })
    }

    fn do_duties(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let head = self.core.head();
        let params = &self.core.rules().params.poot;
        let recent = ledger::recent(&*self.store, head.height)?;
        let period = params.period(recent.slot);
        let Some(leading) = &mut self.leading else { return Ok(()) };
        let is_operator = leading.turn.is_some_and(|turn| turn.place.is_some());
        let Some(over) = period.0.checked_sub(1).map(Period).filter(|_| is_operator) else { return Ok(()) };
        let elapsed_ms = self.started.elapsed().as_millis() as u64;
        let last = recent.last(params, over);
        for duty in leading.duties.due(over, last, self.core.sync().peers(), elapsed_ms) {
            match duty {
                Duty::Prove(proof) => self.prove(proof, now)?,
                Duty::Ask(peer, period) => self.ask_witness(peer, period, now)?,
            }
        }
        Ok(())
    }

    /// Shows a task in a transaction, paid by nobody.
    fn prove(&mut self, proof: TaskProof, now: Timestamp) -> Result<(), StoreError> {
        let Some(leading) = &self.leading else { return Ok(()) };
        let (head, rules, key) = (self.core.head(), self.core.rules(), leading.key.clone());
        let account = ledger::account(&*self.store, head.height, &key.address())?;
        let body = Body {
            chain_id: rules.chain_id.clone(),
            sender: key.public(),
            nonce: self.core.mempool().next_nonce(&key.address(), account.nonce),
            fee: Amount(0),
            // It counts no longer than this.
            valid_until: Height(head.height.0 + rules.params.poot.period_slots),
            payload: Payload::Task { proof },
        };
        match self.core.on_transaction(Source::Local, body.sign(&key), &*self.store) {
            Ok((_, effects)) => {
                self.outputs.metrics.tasks_shown.inc();
                self.carry_out(effects, now)
            }
            Err(SubmitError::Read(error)) => Err(error.into()),
            Err(error) => {
                tracing::info!(%error, "leading.task_not_taken");
                Ok(())
            }
        }
    }

    fn ask_witness(&mut self, peer: PeerId, period: Period, now: Timestamp) -> Result<(), StoreError> {
        let Some(leading) = &self.leading else { return Ok(()) };
        let rules = self.core.rules();
        let answer =
            possession(&self.store, &rules.params.poot, self.core.head().height, period, &leading.key.address())?;
        let asking = Asking::new(&rules.chain_id, &leading.key, &leading.peer, period, answer);
        self.carry_out(vec![Effect::Ask(peer, Request::Witness(Box::new(asking)))], now)
    }

    /// What this node says when `peer` asks it to be its witness, after `received` bytes from it.
    pub(super) fn witness(&mut self, peer: PeerId, asking: &Asking, received: u64) -> Result<Answer, StoreError> {
        let rules = self.core.rules();
        let (chain, params, height) = (&rules.chain_id, &rules.params.poot, self.core.head().height);
        let (operator, period) = (asking.key.address(), asking.period);
        let Some(leading) = &mut self.leading else { return Ok(Answer::default()) };
        let own = leading.key.address();
        let is_new = leading.witnessed.get(&operator).is_none_or(|last| *last < period);
        // The cheap questions first: anybody may ask.
        if operator == own || !is_new || !asking.is_of(chain, &peer) {
            return Ok(Answer::default());
        }
        let is_operator = |address| ledger::operator(&*self.store, height, address).map(|found| found.is_some());
        let now = params.period(ledger::recent(&*self.store, height)?.slot);
        if !is_operator(&operator)? || !is_operator(&own)? || period > now || period.0 + 1 < now.0 {
            return Ok(Answer::default());
        }
        let expected = possession(&self.store, params, height, period, &operator)?;
        let testimony = |megabytes| Testimony { operator, period, megabytes }.sign(chain, &leading.key);
        let storage = asking.answer.filter(|answer| expected == Some(*answer)).map(|_| testimony(None));
        let megabytes = received.div_ceil(MEGABYTE).min(params.relay_megabytes_max) as u32;
        let relay = (megabytes > 0).then(|| (megabytes, testimony(Some(megabytes))));
        if leading.witnessed.len() >= OPERATORS_MAX {
            leading.witnessed.retain(|_, last| last.0 + 1 >= now.0);
        }
        leading.witnessed.insert(operator, period);
        self.outputs.metrics.testimonies.inc();
        Ok(Answer { storage, relay })
    }

    /// A peer has said what it is the witness of.
    pub(super) fn on_witnessed(&mut self, peer: &PeerId, answer: &Answer, now: Timestamp) -> Result<(), StoreError> {
        let Some(leading) = &mut self.leading else { return Ok(()) };
        for proof in leading.duties.on_answer(peer, answer) {
            self.prove(proof, now)?;
        }
        Ok(())
    }
}

/// What `operator` must say to show that it has the block that it is asked for in a period; none when this node cannot tell.
fn possession(
    store: &Store,
    params: &PootParams,
    head: Height,
    period: Period,
    operator: &Address,
) -> Result<Option<Hash>, StoreError> {
    let Some(beacon) = ledger::recent(store, head)?.beacon(params, period) else { return Ok(None) };
    let block = store.block_at(poot::challenged(beacon, operator))?;
    Ok(block.map(|block| poot::answer(beacon, operator, &block)))
}
