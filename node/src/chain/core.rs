//! The core: one state, one method for each input.

use super::{
    early::Early,
    effects::{ChainEvent, Commit, CommitBlock, Effect, Offence, Source, Template, Verdict},
    mempool::{Limits, Mempool, Refused},
    reversals::{ReversalLog, Reversals, Reverted},
    sync::{RANGE_BLOCKS_MAX, Request, Status, Sync},
    tree::BlockTree,
    validation::{self, BlockError, FormError, Rules, Unverified},
    wrong::Wrong,
};
use crate::{
    crypto::{Address, Hash},
    ledger::{self, Overlay, Place, ReadError, TransactionError},
    types::{Block, Header, Height, Seal, Slot, Timestamp, Transaction, Work},
};
use jmt::storage::TreeReader;
use libp2p::PeerId;
use std::sync::Arc;

/// A template is built anew when it is older than this and transactions have come, in milliseconds.
pub const TEMPLATE_AGE_MS_MAX: u64 = 2_000;

/// How this node takes part.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who gets the rewards of blocks that are produced here; `None` produces none.
    pub proposer: Option<Address>,
    /// Bounds of the mempool.
    pub mempool: Limits,
}

/// The head of the chain, as others see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Height of the head.
    pub height: Height,
    /// Its identifier.
    pub hash: Hash,
    /// Its timestamp.
    pub timestamp: Timestamp,
    /// Work of the whole chain.
    pub work: Work,
    /// The highest confirmed height.
    pub confirmed: Height,
}

/// Why a submitted transaction is not taken in.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// It is wrong on every state.
    #[error(transparent)]
    Form(#[from] FormError),
    /// It cannot be executed on the present state.
    #[error(transparent)]
    State(#[from] TransactionError),
    /// The mempool does not take it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The state could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// The chain's state machine.
pub struct Core {
    pub(super) rules: Rules,
    settings: Settings,
    genesis: Hash,
    pub(super) tree: BlockTree,
    pub(super) mempool: Mempool,
    sync: Sync,
    wrong: Wrong,
    pub(super) early: Early,
    reversals: ReversalLog,
    /// With the value of `elapsed` at which it was built.
    template: Option<(Arc<Template>, Timestamp)>,
    mempool_changed: bool,
    /// The last block of a branch that is being fetched and is not heavier yet: where the next range goes on.
    fetched: Option<Hash>,
    /// Whether ranges are asked for; not while the store takes no blocks.
    importing: bool,
    /// A clock that never steps, for all that is measured: the wall clock is for timestamps alone.
    elapsed: Timestamp,
}

impl Core {
    /// A core on a chain that is stored: `headers` are the last [`super::TREE_WINDOW`] of it, the lowest first.
    pub fn new(
        rules: Rules,
        settings: Settings,
        genesis: Hash,
        headers: impl IntoIterator<Item = (Hash, Header, Work)>,
    ) -> Self {
        let tree = BlockTree::new(headers);
        Self {
            early: Early::default(),
            reversals: ReversalLog::new(rules.engine.confirmed(&rules.params, tree.height())),
            rules,
            genesis,
            tree,
            mempool: Mempool::new(settings.mempool),
            settings,
            sync: Sync::default(),
            wrong: Wrong::default(),
            template: None,
            mempool_changed: false,
            fetched: None,
            importing: true,
            elapsed: Timestamp(0),
        }
    }

    /// The chain was read again from the store: what stood on the old one is forgotten, but not who is connected and which
    /// transactions wait.
    pub fn reload(&mut self, headers: impl IntoIterator<Item = (Hash, Header, Work)>) {
        self.tree = BlockTree::new(headers);
        self.template = None;
        self.fetched = None;
        self.reversals.reload(self.head().confirmed);
    }

    /// A new template is made at the next tick.
    pub fn forget_template(&mut self) {
        self.template = None;
    }

    /// So many milliseconds have passed, by a clock that never steps; to be told before each input. At first at least 1.
    pub fn set_elapsed(&mut self, elapsed_ms: u64) {
        self.elapsed = Timestamp(elapsed_ms);
    }

    /// Whether blocks may be asked for.
    pub fn set_importing(&mut self, importing: bool) {
        self.importing = importing;
    }

    /// The head.
    pub fn head(&self) -> Head {
        let (hash, height) = (self.tree.head(), self.tree.height());
        let timestamp = self.tree.header(&hash).expect("the head is in the tree").timestamp;
        let work = self.tree.work(&hash).expect("the head is in the tree");
        Head { height, hash, timestamp, work, confirmed: self.rules.engine.confirmed(&self.rules.params, height) }
    }

    /// The waiting transactions.
    pub fn mempool(&self) -> &Mempool {
        &self.mempool
    }

    /// Blocks of side branches that are kept, and their bytes.
    pub fn side(&self) -> (usize, usize) {
        self.tree.side()
    }

    /// Confirmed blocks that were taken back, and forks that were refused.
    pub fn reversals(&self) -> Reversals {
        self.reversals.status(self.elapsed)
    }

    /// Who is connected and what they claim.
    pub fn sync(&self) -> &Sync {
        &self.sync
    }

    /// The rules of the chain.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Whether a connected peer claims a heavier chain, and has not failed to give it.
    pub fn is_behind(&self) -> bool {
        self.sync.best_claim().is_some_and(|(work, _)| work > self.head().work)
    }

    /// A peer has signed for a height that follows `height`, so it has the chain up to there, whatever its status said.
    pub fn on_ahead(&mut self, peer: PeerId, height: Height) -> Vec<Effect> {
        if height <= self.tree.height() {
            return Vec::new();
        }
        self.on_orphan(Source::Peer(peer), Hash::default(), height)
    }

    /// Where a block on the head would be executed, in the slot after the head's.
    fn next_place(&self) -> Place<'_> {
        let Head { height, hash, timestamp, .. } = self.head();
        let params = &self.rules.params;
        let time = params.begin(Slot(params.slot(timestamp).0 + 1));
        self.rules.place(height.next(), hash, time, Address([0; 20]))
    }

    /// What this node says of its chain.
    pub fn status(&self) -> Status {
        let head = self.head();
        Status { genesis: self.genesis, head: head.hash, height: head.height, work: head.work }
    }

    /// Time has passed. To be called at least once a second.
    pub fn on_tick(&mut self, now: Timestamp, state: &dyn TreeReader) -> Vec<Effect> {
        let mut effects = Vec::new();
        if let Some(peer) = self.sync.overdue(self.elapsed) {
            self.sync.rest_longer(&peer, self.elapsed);
            effects.push(Effect::Penalise(peer, Offence::UselessAnswer("no answer to a range".into())));
        }
        let status = self.status();
        effects.extend(
            self.sync.due_for_status(self.elapsed).into_iter().map(|p| Effect::Ask(p, Request::Status(status))),
        );
        self.ask_for_range(&mut effects);
        let stale = match &self.template {
            None => true,
            Some((_, built)) => self.mempool_changed && self.elapsed.since(*built) >= TEMPLATE_AGE_MS_MAX,
        };
        if stale {
            self.renew_template(now, state, &mut effects);
        }
        effects
    }

    /// A peer connected.
    pub fn on_connected(&mut self, peer: PeerId) -> Vec<Effect> {
        self.sync.connected(peer);
        let status = self.status();
        self.sync.due_for_status(self.elapsed).into_iter().map(|p| Effect::Ask(p, Request::Status(status))).collect()
    }

    /// A peer is gone.
    pub fn on_disconnected(&mut self, peer: &PeerId) {
        self.sync.disconnected(peer);
    }

    /// A peer told its status, by asking or by answering.
    pub fn on_status(&mut self, peer: PeerId, status: Status) -> Vec<Effect> {
        if status.genesis != self.genesis {
            self.sync.rest(&peer, self.elapsed);
            return vec![Effect::Penalise(peer, Offence::OtherChain)];
        }
        self.sync.told(peer, status, self.elapsed);
        let mut effects = Vec::new();
        self.ask_for_range(&mut effects);
        effects
    }

    /// A peer did not answer when it was asked for a range.
    pub fn on_failure(&mut self, peer: PeerId) -> Vec<Effect> {
        self.sync.rest_longer(&peer, self.elapsed);
        vec![Effect::Penalise(peer, Offence::UselessAnswer("a range was not given".into()))]
    }

    /// The range that was asked for ends here, with `last`; its blocks were given to [`Core::on_block`] one by one before,
    /// which accepted `useful` of them.
    pub fn on_range_end(&mut self, peer: PeerId, useful: usize, last: Option<Hash>) -> Vec<Effect> {
        self.sync.answered(&peer);
        self.fetched = last.filter(|hash| self.tree.contains(hash) && *hash != self.tree.head());
        let mut effects = Vec::new();
        let claims_more = self.sync.claim(&peer).is_some_and(|claim| claim > self.head().work);
        match useful {
            // A block that we have not taken may be right: our clock may be behind.
            0 if claims_more && last.is_none_or(|hash| self.tree.contains(&hash)) => {
                self.sync.rest_longer(&peer, self.elapsed);
                effects.push(Effect::Penalise(peer, Offence::UselessAnswer("less than it claims".into())));
            }
            // It has nothing that we lack: we have got it from others meanwhile.
            0 => self.sync.rest(&peer, self.elapsed),
            _ => self.sync.was_useful(&peer),
        }
        self.ask_for_range(&mut effects);
        effects
    }

    /// A transaction came, from a client or by gossip.
    ///
    /// # Errors
    /// Why it is not taken in.
    pub fn on_transaction(
        &mut self,
        source: Source,
        transaction: Transaction,
        state: &dyn TreeReader,
    ) -> Result<(Hash, Vec<Effect>), SubmitError> {
        if self.mempool.has_verified(&transaction) {
            return Err(Refused::Known.into());
        }
        self.rules.check_form(&transaction)?;
        let height = self.tree.height();
        let account = ledger::account(state, height, &transaction.sender())?;
        ledger::admissible(&account, &self.rules.params, height.next(), &transaction)?;
        ledger::admits(state, &self.next_place(), &transaction)??;
        let id = self.mempool.insert(transaction.clone(), account.nonce)?;
        self.mempool_changed = true;
        let local = source == Source::Local;
        Ok((id, local.then(|| Effect::PublishTransaction(Box::new(transaction))).into_iter().collect()))
    }

    /// The miner found the seal of a template.
    pub fn on_sealed(
        &mut self,
        template: &Template,
        seal: Seal,
        now: Timestamp,
        state: &dyn TreeReader,
    ) -> Vec<Effect> {
        let header = Header { seal, ..template.header.clone() };
        let block = Block { header, transactions: template.transactions.clone() };
        self.on_block(Source::Local, block, now, state).1
    }

    /// A block came: from the miner, by gossip, or in a range.
    pub fn on_block(
        &mut self,
        source: Source,
        block: Block,
        now: Timestamp,
        state: &dyn TreeReader,
    ) -> (Verdict, Vec<Effect>) {
        let hash = block.hash();
        if self.tree.contains(&hash) || self.early.contains(block.header.timestamp, hash) {
            return (Verdict::Ignore, Vec::new());
        }
        if self.wrong.contains(&hash) {
            return (Verdict::Reject, blame(source, "a block that is known to be wrong".into()));
        }
        let (parent_hash, height) = (block.header.parent, block.header.height);
        let Some(parent) = self.tree.header(&parent_hash) else {
            return (Verdict::Ignore, self.on_orphan(source, hash, height));
        };
        let fork_depth_max = self.rules.engine.fork_depth_max();
        if parent.height < self.tree.height().back(fork_depth_max) {
            self.reversals.refuse_fork();
            return (
                Verdict::Reject,
                blame(source, format!("it forks more than {fork_depth_max} blocks below the head")),
            );
        }
        // The state of a side branch is known when it is executed, which is when it becomes the heaviest.
        let below = self.tree.is_canonical(&parent_hash).then(|| Overlay::new(state, parent.height));
        let judged_at = self.judged_at(source, block.header.timestamp, now);
        let checked = Unverified(block)
            .check_header(&self.rules, parent, &self.tree.ancestors(parent_hash), judged_at)
            .and_then(|checked| match &below {
                Some(below) => checked.authorise(&self.rules, below),
                None => Ok(checked),
            })
            .and_then(|checked| checked.check_body(&self.rules, |tx| self.mempool.has_verified(tx)));
        let verified = match checked {
            Ok(verified) => verified,
            Err(error) => return self.refuse(source, hash, &error),
        };
        if self.must_wait(source, &verified, now) {
            return (Verdict::Ignore, Vec::new());
        }
        let weight = self.rules.engine.weight(&verified.block().header);
        let work = self.tree.work(&parent_hash).expect("the parent is in the tree").plus(weight);
        self.tree.insert(hash, verified.block().clone(), work);
        if work <= self.head().work {
            return (Verdict::Accept, Vec::new());
        }
        match self.prepare_commit(hash, state) {
            Ok(None) => (Verdict::Ignore, Vec::new()),
            Ok(Some(commit)) => {
                let mut effects = Vec::new();
                let is_ours = self.settings.proposer == Some(verified.block().header.proposer);
                if source == Source::Local || (source == Source::Agreement && is_ours) {
                    effects.push(Effect::Notify(ChainEvent::Produced { height, hash }));
                }
                if source == Source::Local {
                    effects.push(Effect::PublishBlock(verified.block().clone()));
                }
                effects.insert(0, Effect::Commit(Box::new(commit)));
                (Verdict::Accept, effects)
            }
            Err((wrong, error)) => {
                let ours = error.is_ours();
                for gone in self.tree.remove_branch(wrong) {
                    if !ours && error.is_of_the_block() {
                        self.wrong.remember(gone);
                    }
                }
                self.refuse(source, hash, &error)
            }
        }
    }

    /// The commit that was asked for is durable. `reverted` are the blocks that it took back, the highest first.
    pub fn committed(
        &mut self,
        commit: &Commit,
        reverted: Vec<Arc<Block>>,
        now: Timestamp,
        state: &dyn TreeReader,
    ) -> Vec<Effect> {
        let before = self.head();
        let mut effects = Vec::new();
        if !reverted.is_empty() {
            let (depth, fork) = (reverted.len() as u64, commit.route.fork);
            effects.push(Effect::Notify(ChainEvent::Reorganised { depth, fork, old_head: before.hash }));
            if let Some(Reverted { fork, confirmed }) = self.reversals.take_back(fork, self.elapsed) {
                effects.push(Effect::Notify(ChainEvent::ConfirmedReverted { fork, confirmed }));
            }
        }
        self.tree.switch(&commit.route, reverted.clone());
        for CommitBlock { hash, block, .. } in &commit.blocks {
            self.mempool.settle(&block.transactions, block.header.height);
            let transactions = block.transactions.iter().map(Transaction::id).collect();
            let head = ChainEvent::Head { height: block.header.height, hash: *hash, transactions };
            effects.push(Effect::Notify(head));
        }
        self.reinject(&reverted, state);
        let after = self.head();
        self.reversals.confirm(after.confirmed);
        if after.confirmed != before.confirmed
            && let Some(hash) = self.tree.canonical(after.confirmed)
        {
            effects.push(Effect::Notify(ChainEvent::Confirmed { height: after.confirmed, hash }));
        }
        self.renew_template(now, state, &mut effects);
        effects
    }

    /// Transactions of reverted blocks wait again, unless the new branch has settled their nonces.
    fn reinject(&mut self, reverted: &[Arc<Block>], state: &dyn TreeReader) {
        let height = self.tree.height();
        for transaction in reverted.iter().rev().flat_map(|block| &block.transactions) {
            let Ok(account) = ledger::account(state, height, &transaction.sender()) else { continue };
            if ledger::admissible(&account, &self.rules.params, height.next(), transaction).is_ok() {
                // A refusal is the mempool's limits at work; the sender sees the transaction as not included.
                let _refused = self.mempool.insert(transaction.clone(), account.nonce);
            }
        }
    }

    fn on_orphan(&mut self, source: Source, hash: Hash, height: Height) -> Vec<Effect> {
        let Source::Peer(peer) = source else { return Vec::new() };
        self.sync.has_unknown(peer, hash, height, self.status(), self.elapsed);
        let mut effects = Vec::new();
        self.ask_for_range(&mut effects);
        effects
    }

    /// A range came, and the store takes no blocks at present. That is not the peer's fault.
    pub fn on_range_dropped(&mut self, peer: &PeerId) {
        self.sync.answered(peer);
    }

    fn ask_for_range(&mut self, effects: &mut Vec<Effect>) {
        if !self.importing {
            return;
        }
        if let Some(peer) = self.sync.next(self.elapsed, self.head().work) {
            let fetched = self.fetched.filter(|hash| self.tree.contains(hash));
            let locator = fetched.into_iter().chain(self.tree.locator(self.genesis)).collect();
            effects.push(Effect::Ask(peer, Request::Blocks { locator, count: RANGE_BLOCKS_MAX }));
        }
    }

    /// Executes the branch up to `tip`. The error names the block that is wrong.
    fn prepare_commit(&self, tip: Hash, state: &dyn TreeReader) -> Result<Option<Commit>, (Hash, BlockError)> {
        let Some(route) = self.tree.route(tip) else { return Ok(None) };
        let mut overlay = Overlay::new(state, route.fork);
        let mut blocks = Vec::with_capacity(route.blocks.len());
        // A single block stands on the canonical chain, and was authorised when it came.
        let is_branch = route.blocks.len() > 1;
        for (hash, block, work) in &route.blocks {
            if is_branch {
                validation::authorise(&block.header, *hash, &self.rules, &overlay).map_err(|error| (*hash, error))?;
            }
            let executed = validation::execute(block, &self.rules, &overlay).map_err(|error| (*hash, error))?;
            overlay.push(&executed.update);
            blocks.push(CommitBlock { hash: *hash, block: block.clone(), work: *work, update: executed.update });
        }
        Ok(Some(Commit { route, blocks }))
    }

    fn refuse(&mut self, source: Source, hash: Hash, error: &BlockError) -> (Verdict, Vec<Effect>) {
        if error.is_ours() {
            tracing::warn!(block = %hash, %error, "chain.block_not_judged");
            return (Verdict::Ignore, Vec::new());
        }
        if error.is_of_the_block() {
            self.wrong.remember(hash);
        }
        tracing::warn!(block = %hash, ?source, %error, "chain.block_refused");
        (Verdict::Reject, blame(source, error.to_string()))
    }

    fn renew_template(&mut self, now: Timestamp, state: &dyn TreeReader, effects: &mut Vec<Effect>) {
        let Some(proposer) = self.settings.proposer else { return };
        self.mempool_changed = false;
        match self.build_template(proposer, now, state) {
            Ok(None) => {}
            Ok(Some(template)) => {
                let template = Arc::new(template);
                self.template = Some((template.clone(), self.elapsed));
                effects.push(Effect::Mine(Some(template)));
            }
            Err(error) => {
                tracing::error!(%error, "chain.template_failed");
                self.template = None;
                effects.push(Effect::Mine(None));
            }
        }
    }
}

fn blame(source: Source, reason: String) -> Vec<Effect> {
    match source {
        Source::Peer(peer) => vec![Effect::Penalise(peer, Offence::InvalidBlock(reason))],
        Source::Local | Source::Salvage | Source::Agreement => Vec::new(),
    }
}
