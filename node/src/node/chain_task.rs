//! The chain task: gives the core its inputs one at a time and carries out its effects.
//!
//! A step (one input, all of its effects, the commit among them) is done as blocking work, with the core moved in and out.
//! What a step met of a disk that is full, fails or holds damage is dealt with at its end (`mend`).

use super::{
    Failure,
    agreement::Agreeing,
    input::Input,
    leading::Leading,
    metrics::Metrics,
    upkeep::Upkeep,
    view::{Snapshot, SubmitFailure},
};
use crate::{
    chain::{ChainEvent, Core, Effect, Offence, Source, SubmitError, Template, Verdict},
    crypto::Hash,
    p2p::{Command, Gossip, Topic},
    seams::{Blocking, Clock},
    storage::{Store, StoreError},
    types::{Block, Timestamp, Transaction},
};
use libp2p::PeerId;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{broadcast, mpsc, watch},
    time::{Instant, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

/// Time between two calls of [`Core::on_tick`].
pub(super) const TICK: Duration = Duration::from_millis(500);

/// Why a step is made.
enum Wake {
    Tick,
    /// Something that the agreement waited for, or the time to lead.
    Alarm,
    Input(Input),
}

/// What the core's clock for intervals shows at first: later than zero by more than any interval.
const ELAPSED_START_MS: u64 = 3_600_000;

/// Where the core's effects go.
pub(super) struct Outputs {
    pub commands: mpsc::Sender<Command>,
    pub template: watch::Sender<Option<Arc<Template>>>,
    pub events: broadcast::Sender<ChainEvent>,
    pub snapshot: watch::Sender<Snapshot>,
    pub metrics: Arc<Metrics>,
}

/// All that a step works on.
pub(super) struct State {
    pub core: Core,
    pub store: Arc<Store>,
    pub clock: Clock,
    pub outputs: Outputs,
    pub upkeep: Upkeep,
    /// On a chain with validators.
    pub agreeing: Option<Agreeing>,
    /// On a chain with operators, where this node is one.
    pub leading: Option<Leading>,
    pub bootstrap_peers: usize,
    /// How many there were so far.
    pub commits: u64,
    /// By the monotonic clock.
    pub started: Instant,
}

/// Runs until told to stop or until the store is lost to something that no repair helps against.
pub(super) async fn run(
    mut state: State,
    blocking: Blocking,
    mut inputs: mpsc::Receiver<Input>,
    stop: CancellationToken,
) -> Result<(), Failure> {
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let turn = state.leading.as_ref().and_then(|leading| leading.deadline(state.clock.now()));
        let deadline = state.agreeing.as_ref().and_then(Agreeing::deadline).or(turn);
        let alarm = async {
            match deadline {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let wake = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            _ = tick.tick() => Wake::Tick,
            () = alarm => Wake::Alarm,
            input = inputs.recv() => match input {
                Some(input) => Wake::Input(input),
                None => return Ok(()),
            },
        };
        state.show_load(inputs.len() + usize::from(matches!(wake, Wake::Input(_))));
        let (commits, began) = (state.commits, Instant::now());
        let (back, done) = blocking
            .run(move || {
                let done = state.step(wake);
                (state, done)
            })
            .await;
        state = back;
        done?;
        if state.commits != commits {
            state.look_at_speed(began.elapsed());
        }
    }
}

/// The view of a core whose head has stood since `head_at`, and whose confirmed height since `confirmed_at`.
pub(super) fn snapshot(
    core: &Core,
    upkeep: &Upkeep,
    agreeing: Option<&Agreeing>,
    bootstrap_peers: usize,
    head_at: Timestamp,
    confirmed_at: Timestamp,
) -> Snapshot {
    let head = core.head();
    let best = core.sync().best_claim();
    Snapshot {
        head,
        status: core.status(),
        peers: core.sync().peer_count(),
        best_peer_height: best.map(|(_, height)| height),
        awaits_peers: bootstrap_peers > 0 && !core.sync().has_heard(),
        mempool: core.mempool().len(),
        mempool_bytes: core.mempool().bytes(),
        storage: upkeep.status(),
        reversals: core.reversals(),
        round: agreeing.and_then(Agreeing::round),
        abstains: agreeing.is_some_and(Agreeing::abstains),
        head_at,
        confirmed_at,
    }
}

impl State {
    /// Handles one input, or what time has brought.
    fn step(&mut self, wake: Wake) -> Result<(), Failure> {
        let now = self.clock.now();
        self.core.set_elapsed(ELAPSED_START_MS + self.started.elapsed().as_millis() as u64);
        self.core.set_importing(self.upkeep.imports());
        let is_tick = matches!(wake, Wake::Tick);
        let handled = match wake {
            Wake::Tick => self.tick(now).and_then(|()| self.agree(now)).and_then(|()| self.lead(now)),
            Wake::Alarm => self.agree(now).and_then(|()| self.lead(now)),
            Wake::Input(input) => self.handle(input, now),
        };
        if let Err(error) = handled {
            tracing::warn!(%error, "chain.step_cut_off");
        }
        if is_tick {
            self.look_after_disk(now)?;
        }
        self.mend()?;
        self.publish_snapshot(now);
        Ok(())
    }

    /// Shows how full everything is that this task bounds, and how many blocks came too early; `inputs` waited until now.
    fn show_load(&self, inputs: usize) {
        let load = &self.outputs.metrics.load;
        load.inputs.show(inputs);
        load.mempool_bytes.show(self.core.mempool().bytes());
        let (blocks, bytes) = self.core.side();
        load.side_blocks.show(blocks);
        load.side_bytes.show(bytes);
        let (blocks, bytes) = self.core.early();
        load.early_blocks.show(blocks);
        load.early_bytes.show(bytes);
        // Most wait for less than the time between two readings, so how many wait says little of how many came.
        let counted = &self.outputs.metrics.blocks_early;
        counted.inc_by(self.core.early_total().saturating_sub(counted.get()));
    }

    fn tick(&mut self, now: Timestamp) -> Result<(), StoreError> {
        if !self.upkeep.imports() {
            return Ok(());
        }
        let effects = self.core.on_tick(now, &*self.store);
        self.carry_out(effects, now)?;
        for (source, block) in self.core.take_due(now) {
            // Nobody waits for the verdict: the message that it came with is long judged.
            let (_verdict, effects) = self.core.on_block(source, block, now, &*self.store);
            self.carry_out(effects, now)?;
        }
        Ok(())
    }

    fn handle(&mut self, input: Input, now: Timestamp) -> Result<(), StoreError> {
        match input {
            Input::Connected(peer) => {
                let effects = self.core.on_connected(peer);
                self.carry_out(effects, now)?;
            }
            Input::Disconnected(peer) => self.core.on_disconnected(&peer),
            Input::Unanswered(peer) => {
                let effects = self.core.on_failure(peer);
                self.carry_out(effects, now)?;
            }
            Input::Status(peer, status) => {
                let effects = self.core.on_status(peer, status);
                self.carry_out(effects, now)?;
            }
            Input::Range(peer, _) if !self.upkeep.imports() => self.core.on_range_dropped(&peer),
            Input::Range(peer, blocks) => self.range(peer, blocks, now)?,
            Input::GossipBlock(gossip, block) => {
                self.outputs.metrics.messages_received.inc();
                if !self.upkeep.imports() {
                    self.command(Command::Judge(gossip, Verdict::Ignore));
                    return Ok(());
                }
                let (verdict, effects) = self.core.on_block(Source::Peer(gossip.from), *block, now, &*self.store);
                self.command(Command::Judge(gossip, verdict));
                self.carry_out(effects, now)?;
            }
            Input::GossipTransaction(gossip, transaction) => {
                self.outputs.metrics.messages_received.inc();
                self.gossip_transaction(gossip, *transaction, now)?;
            }
            Input::GossipAgreement(gossip, message) => self.on_agreement(gossip, *message, now)?,
            Input::Asking { peer, asking, received, reply } => {
                let answer = self.witness(peer, &asking, received)?;
                let _peer_is_gone = reply.send(answer);
            }
            Input::Witnessed(peer, answer) => self.on_witnessed(&peer, &answer, now)?,
            // The template was of a chain that cannot be added to at present.
            Input::Sealed(..) if !self.upkeep.produces() => {}
            Input::Sealed(template, seal) => {
                let effects = self.core.on_sealed(&template, seal, now, &*self.store);
                self.carry_out(effects, now)?;
            }
            Input::Submit { transaction, reply } => {
                let outcome = self.submit(*transaction, now)?;
                let _client_is_gone = reply.send(outcome);
            }
            Input::Waiting { id, reply } => {
                let _client_is_gone = reply.send(self.core.mempool().get(&id).cloned());
            }
            Input::NextNonce { sender, account, reply } => {
                let _client_is_gone = reply.send(self.core.mempool().next_nonce(&sender, account));
            }
        }
        Ok(())
    }

    fn submit(&mut self, transaction: Transaction, now: Timestamp) -> Result<Result<Hash, SubmitFailure>, StoreError> {
        if !self.upkeep.produces() {
            let state = self.upkeep.status().state;
            return Ok(Err(SubmitFailure::Storage(state)));
        }
        Ok(match self.core.on_transaction(Source::Local, transaction, &*self.store) {
            Ok((hash, effects)) => {
                self.outputs.metrics.submitted.inc();
                self.carry_out(effects, now)?;
                Ok(hash)
            }
            Err(error) => Err(error.into()),
        })
    }

    fn range(&mut self, peer: PeerId, blocks: Vec<Block>, now: Timestamp) -> Result<(), StoreError> {
        let (mut useful, mut last) = (0, None);
        for block in blocks {
            self.outputs.metrics.messages_received.inc();
            last = Some(block.hash());
            let (verdict, effects) = self.core.on_block(Source::Peer(peer), block, now, &*self.store);
            self.carry_out(effects, now)?;
            match verdict {
                Verdict::Accept => useful += 1,
                Verdict::Ignore => {}
                Verdict::Reject => break,
            }
        }
        let effects = self.core.on_range_end(peer, useful, last);
        self.carry_out(effects, now)
    }

    fn gossip_transaction(
        &mut self,
        gossip: Gossip,
        transaction: Transaction,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if !self.upkeep.produces() {
            self.command(Command::Judge(gossip, Verdict::Ignore));
            return Ok(());
        }
        let from = gossip.from;
        let (verdict, effects) = match self.core.on_transaction(Source::Peer(from), transaction, &*self.store) {
            Ok((_, effects)) => (Verdict::Accept, effects),
            Err(SubmitError::Form(error)) => {
                let offence = Offence::InvalidTransaction(error.to_string());
                (Verdict::Reject, vec![Effect::Penalise(from, offence)])
            }
            // Right on another state, or unwelcome here only.
            Err(_) => (Verdict::Ignore, Vec::new()),
        };
        self.command(Command::Judge(gossip, verdict));
        self.carry_out(effects, now)
    }

    /// Carries out effects in their order, up to the first that the store fails at.
    pub(super) fn carry_out(&mut self, effects: Vec<Effect>, now: Timestamp) -> Result<(), StoreError> {
        for effect in effects {
            match effect {
                Effect::Commit(commit) => {
                    self.commits += 1;
                    let reverted = self.store.commit(&commit)?;
                    self.upkeep.committed();
                    let following = self.core.committed(&commit, reverted, now, &*self.store);
                    self.store.maintain()?;
                    let pause = self.core.rules().params.block_interval_ms;
                    self.agree_on_next(Duration::from_millis(pause));
                    self.carry_out(following, now)?;
                }
                Effect::PublishBlock(block) => self.publish(Topic::Blocks, crate::encode(block.as_ref())),
                Effect::PublishTransaction(tx) => self.publish(Topic::Transactions, crate::encode(tx.as_ref())),
                Effect::Ask(peer, request) => self.command(Command::Ask(peer, request)),
                Effect::Penalise(peer, offence) => self.command(Command::Penalise(peer, offence)),
                Effect::Mine(template) => {
                    let template = template.filter(|_| self.upkeep.produces());
                    drop(self.outputs.template.send_replace(template));
                }
                Effect::Notify(event) => self.notify(event),
            }
        }
        Ok(())
    }

    pub(super) fn publish(&self, topic: Topic, bytes: Vec<u8>) {
        self.outputs.metrics.messages_published.inc();
        self.command(Command::Publish(topic, bytes));
    }

    /// Hands a command to the network task, or drops it when that is too busy: gossip and sync make up for it.
    pub(super) fn command(&self, command: Command) {
        if self.outputs.commands.try_send(command).is_err() {
            self.outputs.metrics.commands_dropped.inc();
        }
    }

    pub(super) fn notify(&self, event: ChainEvent) {
        let metrics = &self.outputs.metrics;
        match &event {
            ChainEvent::Produced { height, hash } => {
                metrics.blocks_produced.inc();
                tracing::info!(%height, block = %hash, "chain.produced");
            }
            ChainEvent::Reorganised { depth, fork, old_head } => {
                metrics.reorgs.inc();
                let depth = i64::try_from(*depth).unwrap_or(i64::MAX);
                metrics.reorg_depth_max.set(metrics.reorg_depth_max.get().max(depth));
                tracing::warn!(depth, %fork, old_head = %old_head, "chain.reorganised");
            }
            ChainEvent::ConfirmedReverted { fork, confirmed } => {
                tracing::error!(blocks = confirmed.0 - fork.0, %fork, %confirmed, "chain.confirmed_reverted");
            }
            ChainEvent::Head { height, hash, transactions } => {
                metrics.blocks_committed.inc();
                metrics.transactions_committed.inc_by(transactions.len() as u64);
                tracing::info!(%height, block = %hash, transactions = transactions.len(), "chain.head");
            }
            ChainEvent::Reloaded { height, rebuilding } => tracing::info!(%height, rebuilding, "chain.reloaded"),
            ChainEvent::Confirmed { height, hash } => tracing::debug!(%height, block = %hash, "chain.confirmed"),
        }
        // No listener is not an error.
        let _listeners = self.outputs.events.send(event);
    }

    pub(super) fn publish_snapshot(&self, now: Timestamp) {
        self.outputs.snapshot.send_if_modified(|old| {
            let head: Hash = self.core.head().hash;
            let head_at = if head == old.head.hash { old.head_at } else { now };
            if head_at != old.head_at {
                self.outputs.metrics.block_time.observe(head_at.since(old.head_at) as f64 / 1000.0);
            }
            let confirmed = self.core.head().confirmed;
            let confirmed_at = if confirmed == old.head.confirmed { old.confirmed_at } else { now };
            let agreeing = self.agreeing.as_ref();
            let new = snapshot(&self.core, &self.upkeep, agreeing, self.bootstrap_peers, head_at, confirmed_at);
            let changed = new != *old;
            *old = new;
            changed
        });
    }
}
