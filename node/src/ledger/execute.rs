//! The transition from one state to the next.

use super::{
    operators::TaskError,
    records::Records,
    stake::StakeError,
    state::{Account, Overlay, ReadError, StateUpdate, Supply, account, account_key, supply, supply_key},
};
use crate::{
    crypto::{Address, Hash},
    types::{Amount, ChainId, ChainParams, Genesis, Height, Nonce, Payload, Timestamp, Transaction},
};
use jmt::{KeyHash, Sha256Jmt, storage::TreeReader};
use std::collections::BTreeMap;

/// The outcome of executing a block's transactions.
#[derive(Clone, Debug)]
pub struct Executed {
    /// The state root that the header must have.
    pub state_root: Hash,
    /// What to store.
    pub update: StateUpdate,
}

/// A block that cannot be executed.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// A transaction is not valid at its place: the proposer's fault.
    #[error("transaction {index} ({id:?}) is not valid there: {cause}")]
    Transaction {
        /// Its place in the block.
        index: usize,
        /// Its identifier.
        id: Hash,
        /// Why.
        cause: TransactionError,
    },
    /// Rewards have outgrown the range of an amount.
    #[error("the supply at height {0} does not fit an amount")]
    SupplyOverflow(Height),
    /// The state could not be read: a fault of ours, not of the block.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Why a transaction cannot be executed on a state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    /// Not the sender's next one.
    #[error("nonce is {got}, and the account's next is {expected}")]
    Nonce {
        /// The account's next nonce.
        expected: Nonce,
        /// The transaction's.
        got: Nonce,
    },
    /// The sender cannot pay.
    #[error("costs {cost}, and the balance is {balance}")]
    Balance {
        /// Amount and fee.
        cost: Amount,
        /// What the account has.
        balance: Amount,
    },
    /// Amount and fee add up to more than an amount can hold.
    #[error("amount and fee overflow")]
    Overflow,
    /// A transfer of nothing.
    #[error("the amount is zero")]
    ZeroAmount,
    /// Its time is over.
    #[error("valid until height {valid_until}, and this is height {height}")]
    Expired {
        /// The last height it may be included at.
        valid_until: Height,
        /// The height it would be at.
        height: Height,
    },
    /// Against the rules of stakes.
    #[error(transparent)]
    Stake(#[from] StakeError),
    /// Against the rules of tasks.
    #[error(transparent)]
    Task(#[from] TaskError),
}

/// The chain that a block is executed on, and its place there.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The chain's name.
    pub chain: &'a ChainId,
    /// Its rules.
    pub params: &'a ChainParams,
    /// The block's height, above genesis.
    pub height: Height,
    /// The block below.
    pub parent: Hash,
    /// The block's timestamp.
    pub time: Timestamp,
    /// Who gets the reward and the fees.
    pub proposer: Address,
}

/// Executes `transactions` as the block at `place`, on the state one below.
///
/// Signatures, sizes and the chain id are checked before, by [`crate::chain::validation`].
///
/// # Errors
/// The first transaction that is not valid at its place, or a failure to read the state.
pub fn execute(parent: &Overlay<'_>, place: Place<'_>, transactions: &[Transaction]) -> Result<Executed, ExecuteError> {
    let Place { params, height, proposer, .. } = place;
    let below = height.prev().expect("the genesis block is executed by execute_genesis");
    let before = Records::read(parent, params, below)?;
    let mut records = before.clone();
    records.begin_block(&place);
    let mut changes = Changes { parent, place, below, accounts: BTreeMap::new(), records, burned: Amount(0) };
    let mut fees = Amount(0);
    for (index, transaction) in transactions.iter().enumerate() {
        let fee = changes.apply(transaction)?.map_err(|cause| ExecuteError::Transaction {
            index,
            id: transaction.id(),
            cause,
        })?;
        fees = fees.checked_add(fee).ok_or(ExecuteError::SupplyOverflow(height))?;
    }
    for (address, amount) in changes.records.end_block(&place) {
        changes.pay(address, amount)?;
    }
    let issued = supply(parent, below)?.total.checked_add(params.block_reward);
    let issued = issued.ok_or(ExecuteError::SupplyOverflow(height))?;
    let total = issued.checked_sub(changes.burned).expect("what is burned was there");
    // The sum of all balances is the supply, so below this line a balance cannot overflow before the supply has.
    let income = params.block_reward.checked_add(fees).ok_or(ExecuteError::SupplyOverflow(height))?;
    let account = changes.account(proposer)?;
    account.balance = account.balance.checked_add(income).ok_or(ExecuteError::SupplyOverflow(height))?;
    let Changes { accounts, records, .. } = changes;
    Ok(commit(parent, accounts, Supply { height, total }, records.changes(Some(&before)))?)
}

/// Executes a genesis document on the empty state.
///
/// # Errors
/// When the tree cannot be built.
///
/// # Panics
/// When the document is not [valid](Genesis::validate).
pub fn execute_genesis(genesis: &Genesis) -> Result<Executed, ReadError> {
    let total = genesis.supply().expect("the document is valid");
    let accounts = genesis
        .accounts
        .iter()
        .map(|(address, balance)| (*address, Account { balance: *balance, nonce: Nonce(0) }))
        .collect();
    let nothing = jmt_empty::Nothing;
    let records = Records::of(genesis).changes(None);
    commit(&Overlay::new(&nothing, Height(0)), accounts, Supply { height: Height(0), total }, records)
}

fn commit(
    parent: &Overlay<'_>,
    accounts: BTreeMap<Address, Account>,
    supply: Supply,
    records: Vec<(KeyHash, Vec<u8>)>,
) -> Result<Executed, ReadError> {
    let height = supply.height;
    let leaves = accounts
        .iter()
        .map(|(address, account)| (account_key(address), Some(crate::encode(account))))
        .chain([(supply_key(), Some(crate::encode(&supply)))])
        .chain(records.into_iter().map(|(key, value)| (key, Some(value))));
    let (root, tree) =
        Sha256Jmt::new(parent).put_value_set(leaves, height.0).map_err(|cause| ReadError::new(height, cause))?;
    Ok(Executed { state_root: Hash(root.0), update: StateUpdate { batch: tree.node_batch } })
}

/// What a block has changed so far.
struct Changes<'a> {
    parent: &'a Overlay<'a>,
    place: Place<'a>,
    below: Height,
    accounts: BTreeMap<Address, Account>,
    records: Records,
    burned: Amount,
}

impl Changes<'_> {
    fn account(&mut self, address: Address) -> Result<&mut Account, ReadError> {
        if !self.accounts.contains_key(&address) {
            self.accounts.insert(address, account(self.parent, self.below, &address)?);
        }
        Ok(self.accounts.get_mut(&address).expect("it was inserted above"))
    }

    fn pay(&mut self, address: Address, amount: Amount) -> Result<(), ReadError> {
        let account = self.account(address)?;
        account.balance = account.balance.checked_add(amount).expect("no balance is above the supply");
        Ok(())
    }

    /// Applies one transaction and gives its fee. The outer error is ours, the inner one the transaction's.
    fn apply(&mut self, tx: &Transaction) -> Result<Result<Amount, TransactionError>, ReadError> {
        let (body, params, height) = (&tx.body, self.place.params, self.place.height);
        let sender = self.account(body.sender.address())?;
        if let Err(error) = admissible(sender, params, height, tx) {
            return Ok(Err(error));
        }
        if sender.nonce != body.nonce {
            return Ok(Err(TransactionError::Nonce { expected: sender.nonce, got: body.nonce }));
        }
        let cost = cost(tx, params).expect("admissible has added them up");
        sender.balance = sender.balance.checked_sub(cost).expect("admissible has compared them");
        sender.nonce = sender.nonce.next();
        if let Payload::Transfer { to, amount } = &body.payload {
            self.pay(*to, *amount)?;
        }
        match self.records.apply(&self.place, tx) {
            Ok(burned) => self.burned = Amount(self.burned.0 + burned.0),
            Err(error) => return Ok(Err(error)),
        }
        Ok(Ok(body.fee))
    }
}

/// What `tx` takes from its sender: amount, price and fee.
pub(crate) fn cost(tx: &Transaction, params: &ChainParams) -> Option<Amount> {
    let amount = match tx.body.payload {
        Payload::Transfer { amount, .. } | Payload::Stake { amount } => amount,
        Payload::Register => params.poot.registration,
        Payload::Unstake { .. } | Payload::Evidence { .. } | Payload::Task { .. } => Amount(0),
    };
    amount.checked_add(tx.body.fee)
}

/// Whether the engine's records after the block below `place` admit `tx`: what the mempool asks as well, since evidence and
/// proofs cost nothing.
pub(crate) fn admits(
    state: &dyn TreeReader,
    place: &Place<'_>,
    tx: &Transaction,
) -> Result<Result<(), TransactionError>, ReadError> {
    if matches!(tx.body.payload, Payload::Transfer { .. }) {
        return Ok(Ok(()));
    }
    let mut records = Records::read(state, place.params, place.height.back(1))?;
    records.begin_block(place);
    Ok(records.apply(place, tx).map(|_| ()))
}

/// Checks everything but that the nonce is the very next: what the mempool asks before it takes a transaction in.
pub(crate) fn admissible(
    account: &Account,
    params: &ChainParams,
    height: Height,
    tx: &Transaction,
) -> Result<(), TransactionError> {
    if let Payload::Transfer { amount, .. } | Payload::Stake { amount } | Payload::Unstake { amount } = tx.body.payload
        && amount == Amount(0)
    {
        return Err(TransactionError::ZeroAmount);
    }
    if height > tx.body.valid_until {
        return Err(TransactionError::Expired { valid_until: tx.body.valid_until, height });
    }
    if tx.body.nonce < account.nonce {
        return Err(TransactionError::Nonce { expected: account.nonce, got: tx.body.nonce });
    }
    let cost = cost(tx, params).ok_or(TransactionError::Overflow)?;
    if cost > account.balance {
        return Err(TransactionError::Balance { cost, balance: account.balance });
    }
    Ok(())
}

mod jmt_empty {
    use jmt::storage::{LeafNode, Node, NodeKey, TreeReader};

    /// The state before genesis.
    pub struct Nothing;

    impl TreeReader for Nothing {
        fn get_node_option(&self, _: &NodeKey) -> anyhow::Result<Option<Node>> {
            Ok(None)
        }
        fn get_value_option(&self, _: u64, _: jmt::KeyHash) -> anyhow::Result<Option<Vec<u8>>> {
            Ok(None)
        }
        fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
            Ok(None)
        }
    }
}
