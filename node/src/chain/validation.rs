//! The pipeline from a peer's block to one that may stand in the tree, a type for each stage.

use crate::{
    consensus::{Ancestors, AuthoriseError, Engine, SealError},
    crypto::{Address, Hash, SignatureError},
    ledger::{self, ExecuteError, Executed, Overlay, Place, ReadError},
    types::{
        BLOCK_BYTES_MAX, Block, ChainId, ChainParams, Genesis, Header, Height, TRANSACTION_BYTES_MAX, Timestamp,
        Transaction,
    },
};
use jmt::storage::TreeReader;
use std::sync::Arc;

/// What a block or a transaction is checked against.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The chain's name.
    pub chain_id: ChainId,
    /// The chain's rules.
    pub params: ChainParams,
    /// The chain's engine.
    pub engine: Engine,
}

/// A decoded block of which nothing is known.
#[derive(Clone, Debug)]
pub struct Unverified(pub Block);

/// A block whose header may follow its parent: work was done for it.
#[derive(Clone, Debug)]
pub struct HeaderChecked {
    block: Block,
    hash: Hash,
}

/// A block that is right in everything but the state it leads to, which only executing it can tell.
#[derive(Clone, Debug)]
pub struct Verified {
    block: Arc<Block>,
    hash: Hash,
}

/// A block that breaks a rule: the fault of whoever made it.
#[derive(Debug, thiserror::Error)]
pub enum BlockError {
    /// The height is not the parent's plus one.
    #[error("height is {got}, and the parent is at {parent}")]
    Height {
        /// The parent's height.
        parent: Height,
        /// The block's.
        got: Height,
    },
    /// The engine refuses the header.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The state below it could not be read: a fault of ours, not of the block.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The header commits to other transactions.
    #[error("the transactions root is {got:?}, and the header says {expected:?}")]
    TransactionsRoot {
        /// The header's.
        expected: Hash,
        /// That of the transactions.
        got: Hash,
    },
    /// More transactions than a block may have.
    #[error("{got} transactions, and {max} are allowed")]
    TooMany {
        /// The rule.
        max: u32,
        /// The block's.
        got: usize,
    },
    /// More bytes than a block may have.
    #[error("{got} bytes, and {BLOCK_BYTES_MAX} are allowed")]
    TooLarge {
        /// The block's size.
        got: usize,
    },
    /// A transaction that no block of this chain may hold.
    #[error("transaction {index}: {cause}")]
    Transaction {
        /// Its place.
        index: usize,
        /// Why.
        cause: FormError,
    },
    /// Executing it fails, or leads to another state than the header says.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// The header commits to another state.
    #[error("the state root is {got:?}, and the header says {expected:?}")]
    StateRoot {
        /// The header's.
        expected: Hash,
        /// That of the executed state.
        got: Hash,
    },
}

/// A transaction that is wrong on every state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// Signed for another chain.
    #[error("it is for chain {0:?}")]
    Chain(ChainId),
    /// Larger than a transaction may be.
    #[error("{0} bytes, and {TRANSACTION_BYTES_MAX} are allowed")]
    TooLarge(usize),
    /// Not the sender's signature.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

impl Rules {
    /// The rules of the chain that a genesis document begins.
    pub fn of(genesis: &Genesis) -> Self {
        let (chain_id, params) = (genesis.chain_id.clone(), genesis.params.clone());
        let engine = Engine::of(&params);
        Self { chain_id, params, engine }
    }

    /// Where the block at `height` on `parent` is executed, made by `proposer` at `time`.
    pub fn place(&self, height: Height, parent: Hash, time: Timestamp, proposer: Address) -> Place<'_> {
        Place { chain: &self.chain_id, params: &self.params, height, parent, time, proposer }
    }

    /// Checks what does not depend on the state: chain, size, signature.
    ///
    /// # Errors
    /// The first rule that the transaction breaks.
    pub fn check_form(&self, transaction: &Transaction) -> Result<(), FormError> {
        if transaction.body.chain_id != self.chain_id {
            return Err(FormError::Chain(transaction.body.chain_id.clone()));
        }
        let size = crate::encode(transaction).len();
        if size > TRANSACTION_BYTES_MAX {
            return Err(FormError::TooLarge(size));
        }
        Ok(transaction.verify_signature()?)
    }
}

impl Unverified {
    /// Checks the header against its parent, the other ancestors and this node's clock.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn check_header(
        self,
        rules: &Rules,
        parent: &Header,
        ancestors: &dyn Ancestors,
        now: Timestamp,
    ) -> Result<HeaderChecked, BlockError> {
        let header = &self.0.header;
        if header.height != parent.height.next() {
            return Err(BlockError::Height { parent: parent.height, got: header.height });
        }
        rules.engine.check(&rules.params, header, ancestors, now)?;
        Ok(HeaderChecked { hash: header.hash(), block: self.0 })
    }
}

impl HeaderChecked {
    /// Checks that whoever made it was allowed to, by the state `below` it.
    ///
    /// # Errors
    /// The first rule that it breaks, or that the state cannot be read.
    pub fn authorise(self, rules: &Rules, below: &dyn TreeReader) -> Result<Self, BlockError> {
        authorise(&self.block.header, self.hash, rules, below)?;
        Ok(self)
    }

    /// Checks sizes, the transactions root, and each transaction's form, unless it is `known` to have been checked.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn check_body(self, rules: &Rules, known: impl Fn(&Transaction) -> bool) -> Result<Verified, BlockError> {
        let Self { block, hash } = self;
        let got = block.transactions.len();
        if got > rules.params.block_transactions_max as usize {
            return Err(BlockError::TooMany { max: rules.params.block_transactions_max, got });
        }
        let size = crate::encode(&block).len();
        if size > BLOCK_BYTES_MAX {
            return Err(BlockError::TooLarge { got: size });
        }
        let root = block.transactions_root();
        if root != block.header.transactions_root {
            return Err(BlockError::TransactionsRoot { expected: block.header.transactions_root, got: root });
        }
        for (index, transaction) in block.transactions.iter().enumerate() {
            if !known(transaction) {
                rules.check_form(transaction).map_err(|cause| BlockError::Transaction { index, cause })?;
            }
        }
        Ok(Verified { block: Arc::new(block), hash })
    }
}

impl Verified {
    /// The block.
    pub fn block(&self) -> &Arc<Block> {
        &self.block
    }

    /// Its identifier.
    pub fn hash(&self) -> Hash {
        self.hash
    }
}

/// Checks that whoever made the block `hash` was allowed to, by the state `below` it.
///
/// # Errors
/// The first rule that it breaks, or that the state cannot be read.
pub fn authorise(header: &Header, hash: Hash, rules: &Rules, below: &dyn TreeReader) -> Result<(), BlockError> {
    rules.engine.authorise(&rules.chain_id, &rules.params, header, hash, below).map_err(|error| match error {
        AuthoriseError::Seal(error) => error.into(),
        AuthoriseError::Read(error) => error.into(),
    })
}

/// Executes a verified block on its parent's state and holds the result against the header.
///
/// # Errors
/// A transaction that is not valid at its place, another state root than the header's, or a failure to read the state.
pub fn execute(block: &Block, rules: &Rules, parent: &Overlay<'_>) -> Result<Executed, BlockError> {
    let header = &block.header;
    let place = rules.place(header.height, header.parent, header.timestamp, header.proposer);
    let executed = ledger::execute(parent, place, &block.transactions)?;
    if executed.state_root != header.state_root {
        return Err(BlockError::StateRoot { expected: header.state_root, got: executed.state_root });
    }
    Ok(executed)
}

impl BlockError {
    /// Whether the block may be right after all: our storage failed, or our clock is behind.
    pub fn is_ours(&self) -> bool {
        matches!(
            self,
            BlockError::Read(_)
                | BlockError::Execute(ExecuteError::Read(_))
                | BlockError::Seal(SealError::TooNew { .. })
        )
    }

    /// Whether every block with its hash is wrong. What the hash does not cover may have been changed on the way: then the
    /// same block can still come whole from somebody else.
    pub fn is_of_the_block(&self) -> bool {
        !matches!(
            self,
            BlockError::TransactionsRoot { .. }
                | BlockError::TooLarge { .. }
                | BlockError::TooMany { .. }
                | BlockError::Seal(SealError::Certificate(_))
        )
    }
}
