//! Making the next block, and judging one that is proposed.

use super::{
    core::Core,
    effects::Template,
    validation::{self, BlockError, Unverified},
};
use crate::{
    consensus::pos,
    crypto::{Address, Keypair, Signature, merkle},
    ledger::{self, Overlay},
    types::{
        BLOCK_BYTES_MAX, Block, CERTIFICATE_SIGNATURES_MAX, Certificate, Header, Rank, Round, Seal, Timestamp,
        Transaction,
    },
};
use jmt::storage::TreeReader;

/// Bytes that a block's header and framing may take beside its transactions and its certificate.
const BLOCK_OVERHEAD_BYTES: usize = 1024;
/// Bytes of a signature in a certificate, with its address.
const CERTIFICATE_SIGNATURE_BYTES: usize = 84;

impl Core {
    /// The next block, for a miner to search its seal; `None` where blocks are not searched for.
    pub(super) fn build_template(
        &self,
        proposer: Address,
        now: Timestamp,
        state: &dyn TreeReader,
    ) -> Result<Option<Template>, BlockError> {
        let (parent, height) = (self.tree.head(), self.tree.height().next());
        let difficulty = self.rules.engine.search(&self.rules.params, height, &self.tree.ancestors(parent));
        let Some(difficulty) = difficulty else { return Ok(None) };
        let seal = Seal::Pow { difficulty, nonce: 0 };
        let (header, transactions) = self.build(proposer, seal, now, state)?;
        Ok(Some(Template { unsealed: header.unsealed_hash(), difficulty, header, transactions }))
    }

    /// The next block, for `proposer` to propose to the other validators in a round: its certificate is empty.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn draft(
        &self,
        proposer: Address,
        round: Round,
        now: Timestamp,
        state: &dyn TreeReader,
    ) -> Result<Block, BlockError> {
        let seal = Seal::Pos { round, certificate: Certificate::default() };
        let (header, transactions) = self.build(proposer, seal, now, state)?;
        Ok(Block { header, transactions })
    }

    /// The next block, led by the holder of `key` with `rank`.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn lead(&self, key: &Keypair, rank: Rank, now: Timestamp, state: &dyn TreeReader) -> Result<Block, BlockError> {
        let unsigned = Seal::Poot { rank, key: key.public(), signature: Signature([0; 64]) };
        let (mut header, transactions) = self.build(key.address(), unsigned, now, state)?;
        header.lead(rank, key);
        Ok(Block { header, transactions })
    }

    /// Whether a block that is proposed may be agreed on: everything about it is right but that nobody has agreed yet.
    ///
    /// # Errors
    /// The first rule that it breaks, or that the state cannot be read.
    pub fn judge(&self, block: &Block, now: Timestamp, state: &dyn TreeReader) -> Result<(), BlockError> {
        let (head, height) = (self.tree.head(), self.tree.height());
        if block.header.parent != head {
            return Err(BlockError::Height { parent: height, got: block.header.height });
        }
        let parent = self.tree.header(&head).expect("the head is in the tree");
        let ancestors = self.tree.ancestors(head);
        let checked = Unverified(block.clone()).check_header(&self.rules, parent, &ancestors, now)?;
        pos::check_time(&block.header, now, self.rules.params.future_max_ms)?;
        let validators = ledger::validators(state, block.header.height)?;
        pos::check_maker(&block.header, &validators)?;
        checked.check_body(&self.rules, |tx| self.mempool.has_verified(tx))?;
        validation::execute(block, &self.rules, &Overlay::new(state, height))?;
        Ok(())
    }

    /// A block on the head out of waiting transactions, all but the agreement on it.
    fn build(
        &self,
        proposer: Address,
        seal: Seal,
        now: Timestamp,
        state: &dyn TreeReader,
    ) -> Result<(Header, Vec<Transaction>), BlockError> {
        let (parent, below) = (self.tree.head(), self.tree.height());
        let height = below.next();
        let certificate = match seal {
            Seal::Pos { .. } => CERTIFICATE_SIGNATURES_MAX * CERTIFICATE_SIGNATURE_BYTES,
            Seal::Pow { .. } | Seal::Poot { .. } | Seal::Genesis => 0,
        };
        let bytes = BLOCK_BYTES_MAX - BLOCK_OVERHEAD_BYTES - certificate;
        let count = self.rules.params.block_transactions_max as usize;
        let next = |address: &Address| ledger::account(state, below, address).ok().map(|account| account.nonce);
        let mut transactions = self.mempool.select(height, count, bytes, next);
        let earliest = self.rules.engine.earliest(&self.rules.params, height, &self.tree.ancestors(parent));
        let time = now.max(earliest);
        let (overlay, place) = (Overlay::new(state, below), self.rules.place(height, parent, time, proposer));
        // A waiting transaction may have lost its cover to another of its sender; leave it and what follows it out.
        let executed = loop {
            match ledger::execute(&overlay, place, &transactions) {
                Err(ledger::ExecuteError::Transaction { index, .. }) => {
                    let uncovered = transactions.remove(index).body.sender;
                    let kept = |(place, tx): &(usize, Transaction)| *place < index || tx.body.sender != uncovered;
                    transactions = transactions.into_iter().enumerate().filter(kept).map(|(_, tx)| tx).collect();
                }
                other => break other?,
            }
        };
        let leaves: Vec<_> = transactions.iter().map(crate::encode).collect();
        let header = Header {
            height,
            parent,
            transactions_root: merkle::root(&leaves),
            state_root: executed.state_root,
            timestamp: time,
            proposer,
            seal,
        };
        Ok((header, transactions))
    }
}
