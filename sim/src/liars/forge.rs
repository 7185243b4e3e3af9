//! Blocks of a liar's own making, with the node's own ledger and search for work, or sealed by it as an operator when its turn
//! has come: right ones, which a liar then spoils or keeps for itself.

use super::Liar;
use assay_node::{
    NodeView,
    consensus::{
        Ancestors, Engine, poot,
        pow::{self, Search},
    },
    crypto::{Hash, Keypair, Signature},
    ledger::{self, Overlay, Place, StateUpdate},
    types::{Block, Certificate, ChainParams, Consensus, Header, Height, Rank, Seal, Timestamp, Transaction, Work},
};
use std::collections::BTreeMap;

/// The headers below a block, in memory.
struct Below(BTreeMap<Height, Header>);

impl Ancestors for Below {
    fn at(&self, height: Height) -> Option<&Header> {
        self.0.get(&height)
    }
}

/// Blocks that a liar has mined on top of the chain that the nodes share, and told nobody of.
#[derive(Default)]
pub(super) struct Branch {
    blocks: Vec<(Block, StateUpdate, Work)>,
    /// Height of the block below the first.
    fork: Height,
}

impl Branch {
    /// The blocks, the lowest first.
    pub fn blocks(&self) -> impl DoubleEndedIterator<Item = &Block> {
        self.blocks.iter().map(|(block, ..)| block)
    }

    /// The highest block, with the work of the chain up to it.
    pub fn tip(&self) -> Option<(&Block, Work)> {
        self.blocks.last().map(|(block, _, work)| (block, *work))
    }
}

/// A block without its seal, and what it leads to.
pub(super) struct Draft {
    pub block: Block,
    update: StateUpdate,
    /// When it may be led, at the earliest.
    earliest: Timestamp,
}

/// What a liar mines with.
pub(super) struct Forge {
    view: NodeView,
    params: ChainParams,
    key: Keypair,
    /// Hashes a second.
    hash_rate: u64,
    search: Option<(Draft, Search)>,
    /// The block on which it has led last.
    led: Option<Hash>,
}

impl Forge {
    pub fn new(view: NodeView, key: Keypair, hash_rate: u64) -> Self {
        let params = view.store.genesis().params.clone();
        Self { view, params, key, hash_rate, search: None, led: None }
    }

    /// The next block on `branch`, or on the head that the nodes share when it is empty. None while the store is not as the
    /// branch needs it, in a reorganisation.
    pub fn draft(
        &self,
        branch: &Branch,
        timestamp: Option<Timestamp>,
        transactions: Vec<Transaction>,
    ) -> Option<Draft> {
        let store = &*self.view.store;
        let fork = if branch.blocks.is_empty() { store.head().ok()?.height } else { branch.fork };
        let first = fork.back(self.params.retarget_interval.max(pow::MEDIAN_BLOCKS));
        let stored = (first.0..=fork.0).map(|height| store.block_at(Height(height)).ok().flatten());
        let mut below: BTreeMap<Height, Header> = BTreeMap::new();
        for block in stored {
            let header = block?.header;
            below.insert(header.height, header);
        }
        let mut overlay = Overlay::new(store, fork);
        for (block, update, _) in &branch.blocks {
            overlay.push(update);
            below.insert(block.header.height, block.header.clone());
        }
        let parent = below.last_key_value()?.1.clone();
        let (height, below, proposer) = (parent.height.next(), Below(below), self.key.address());
        let (engine, chain) = (Engine::of(&self.params), &self.view.identity.chain_id);
        let (seal, earliest) = match self.params.consensus {
            Consensus::Pow => {
                let difficulty = engine.search(&self.params, height, &below)?;
                (Seal::Pow { difficulty, nonce: 0 }, engine.earliest(&self.params, height, &below))
            }
            Consensus::Pos => {
                let certificate = Certificate::default();
                (Seal::Pos { round: 0, certificate }, engine.earliest(&self.params, height, &below))
            }
            Consensus::Poot => {
                let (order, slot) = engine.leads(chain, &self.params, height, &overlay).ok()??;
                let rank = order.iter().position(|operator| *operator == proposer)? as Rank;
                let unsigned = Seal::Poot { rank, key: self.key.public(), signature: Signature([0; 64]) };
                (unsigned, poot::opening(&self.params, slot, rank))
            }
        };
        let time = timestamp.unwrap_or(self.view.clock.now().max(earliest));
        // The state is that of valid transactions; of others there is none, and that of no transactions stands there.
        let execute = |transactions: &[Transaction]| {
            let place = Place { chain, params: &self.params, height, parent: parent.hash(), time, proposer };
            ledger::execute(&overlay, place, transactions)
        };
        let executed = execute(&transactions).or_else(|_| execute(&[])).ok()?;
        let header = Header {
            height,
            parent: parent.hash(),
            transactions_root: parent.transactions_root,
            state_root: executed.state_root,
            timestamp: time,
            proposer,
            seal,
        };
        let mut block = Block { header, transactions };
        block.header.transactions_root = block.transactions_root();
        Some(Draft { block, update: executed.update, earliest })
    }

    /// Leads on what `draft` gives when its turn has come, once on each parent.
    fn lead(&mut self, parent: &Header, draft: impl FnOnce(&Self) -> Option<Draft>) -> Option<Draft> {
        if self.led == Some(parent.hash()) {
            return None;
        }
        let mut draft = draft(self)?;
        let Seal::Poot { rank, .. } = draft.block.header.seal else { return None };
        if self.view.clock.now() < draft.earliest {
            return None;
        }
        self.led = Some(parent.hash());
        draft.block.header.lead(rank, &self.key);
        Some(draft)
    }

    /// Works for a second on what `draft` gives, or goes on with the last one while its parent is the same. Gives the block
    /// when its seal is found.
    pub fn work(&mut self, parent: &Header, draft: impl FnOnce(&Self) -> Option<Draft>) -> Option<Draft> {
        if self.params.consensus == Consensus::Poot {
            return self.lead(parent, draft);
        }
        let goes_on = self.search.as_ref().is_some_and(|(draft, _)| draft.block.header.parent == parent.hash());
        if !goes_on {
            let draft = draft(self)?;
            let Seal::Pow { difficulty, .. } = draft.block.header.seal else { return None };
            // Away from where honest miners of one header start, which is of no matter: the proposers differ.
            let search = Search::new(draft.block.header.unsealed_hash(), difficulty, 0);
            self.search = Some((draft, search));
        }
        let (_, search) = self.search.as_mut()?;
        let seal = search.run(self.hash_rate)?;
        let (mut draft, _) = self.search.take()?;
        draft.block.header.seal = seal;
        Some(draft)
    }

    /// Mines for a second on a secret branch, which begins anew when the nodes' chain has become heavier. True when it has
    /// grown.
    pub fn extend(&mut self, branch: &mut Branch) -> bool {
        let Ok(head) = self.view.store.head() else { return false };
        if branch.tip().is_some_and(|(_, work)| work <= head.work) {
            *branch = Branch::default();
        }
        let (parent, work) = match branch.tip() {
            Some((block, work)) => (block.header.clone(), work),
            None => {
                let Ok(Some(block)) = self.view.store.block(&head.hash) else { return false };
                branch.fork = head.height;
                (block.header, head.work)
            }
        };
        let Some(draft) = self.work(&parent, |forge| forge.draft(branch, None, Vec::new())) else { return false };
        let weight = Engine::of(&self.params).weight(&draft.block.header);
        branch.blocks.push((draft.block, draft.update, work.plus(weight)));
        true
    }
}

impl Liar {
    /// Works for a second on a block on top of the nodes' head that `spoil` has changed before the work. Gives it when its
    /// seal is found.
    pub fn mine(
        &mut self,
        timestamp: Option<Timestamp>,
        transactions: impl FnOnce(&mut Self) -> Vec<Transaction>,
        spoil: impl FnOnce(&mut Block),
    ) -> Option<Block> {
        let head = self.view.store.head().ok()?;
        let parent = self.view.store.block(&head.hash).ok()??.header;
        let transactions = transactions(self);
        let made = self.forge.work(&parent, |forge| {
            let mut draft = forge.draft(&Branch::default(), timestamp, transactions)?;
            spoil(&mut draft.block);
            Some(draft)
        });
        made.map(|draft| draft.block)
    }
}
