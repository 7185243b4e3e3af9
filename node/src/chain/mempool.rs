//! Transactions that wait for a block. Pure; ordered by account and nonce, chosen by fee.
//!
//! Bounds: [`Limits`], in bytes over all and in number for each account. When full, the transaction with the lowest fee
//! that ends an account's row gives way, so a row never gets a hole. A transaction leaves when it is included, when its
//! height is over, or when a better one replaces it. Transactions of a reverted block come back.

use crate::{
    crypto::{Address, Hash},
    types::{Amount, Height, Nonce, Transaction},
};
use std::collections::BTreeMap;

/// What the mempool holds at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of encoded transactions.
    pub bytes_max: usize,
    /// Transactions of one account; also how far ahead of the account's nonce one may be.
    pub account_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes_max: 8 * 1024 * 1024, account_max: 256 }
    }
}

/// A replacement must offer at least this much more: 10 % of the old fee, and at least 1.
fn replacement_fee(old: Amount) -> Amount {
    Amount(old.0.saturating_add((old.0 / 10).max(1)))
}

/// Why a transaction is not taken in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is here already.
    #[error("the transaction is known")]
    Known,
    /// Another one with its nonce is here, and it does not pay enough more.
    #[error("another transaction has nonce {nonce}; to replace it the fee must be at least {fee_min}")]
    Underpriced {
        /// The nonce of both.
        nonce: Nonce,
        /// The least fee that replaces the other.
        fee_min: Amount,
    },
    /// Its nonce is too far ahead.
    #[error("nonce {got} is too far ahead of the account's {next}; at most {max} may wait")]
    TooFarAhead {
        /// The account's next nonce.
        next: Nonce,
        /// The transaction's.
        got: Nonce,
        /// The limit.
        max: usize,
    },
    /// Everything here pays more.
    #[error("the mempool is full, and the fee is not above the lowest in it, {fee_min}")]
    Full {
        /// The lowest fee that could give way.
        fee_min: Amount,
    },
}

#[derive(Clone, Debug)]
struct Entry {
    id: Hash,
    transaction: Transaction,
    size: usize,
}

/// The waiting transactions.
#[derive(Debug, Default)]
pub struct Mempool {
    limits: Limits,
    rows: BTreeMap<Address, BTreeMap<Nonce, Entry>>,
    places: BTreeMap<Hash, (Address, Nonce)>,
    bytes: usize,
}

impl Mempool {
    /// An empty mempool.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Transactions in it.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Bytes of encoded transactions in it.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The transaction with this identifier.
    pub fn get(&self, id: &Hash) -> Option<&Transaction> {
        let (sender, nonce) = self.places.get(id)?;
        Some(&self.rows.get(sender)?.get(nonce)?.transaction)
    }

    /// Whether this very transaction, signature included, is here and so has been verified.
    pub fn has_verified(&self, transaction: &Transaction) -> bool {
        self.get(&transaction.id()) == Some(transaction)
    }

    /// The nonce after the unbroken row that starts at `next`: what a wallet should use.
    pub fn next_nonce(&self, sender: &Address, next: Nonce) -> Nonce {
        let mut free = next;
        if let Some(row) = self.rows.get(sender) {
            while row.contains_key(&free) {
                free = free.next();
            }
        }
        free
    }

    /// Takes a transaction in whose form was checked and whose account has `next` as its next nonce.
    ///
    /// # Errors
    /// [`Refused`]; the mempool is then as before.
    pub fn insert(&mut self, transaction: Transaction, next: Nonce) -> Result<Hash, Refused> {
        let id = transaction.id();
        if self.places.contains_key(&id) {
            return Err(Refused::Known);
        }
        let (sender, nonce, fee) = (transaction.sender(), transaction.body.nonce, transaction.body.fee);
        if nonce.0.saturating_sub(next.0) >= self.limits.account_max as u64 {
            return Err(Refused::TooFarAhead { next, got: nonce, max: self.limits.account_max });
        }
        let size = crate::encode(&transaction).len();
        let old = self.rows.get(&sender).and_then(|row| row.get(&nonce));
        if let Some(old) = old {
            let fee_min = replacement_fee(old.transaction.body.fee);
            if fee < fee_min {
                return Err(Refused::Underpriced { nonce, fee_min });
            }
        }
        let freed = old.map_or(0, |entry| entry.size);
        self.make_room((self.bytes - freed) + size, fee, sender)?;
        self.remove_at(sender, nonce);
        self.bytes += size;
        self.places.insert(id, (sender, nonce));
        self.rows.entry(sender).or_default().insert(nonce, Entry { id, transaction, size });
        Ok(id)
    }

    /// Drops cheaper rows' ends until `needed` bytes fit, or refuses and drops nothing.
    fn make_room(&mut self, needed: usize, fee: Amount, newcomer: Address) -> Result<(), Refused> {
        let mut excess = needed.saturating_sub(self.limits.bytes_max);
        if excess == 0 {
            return Ok(());
        }
        let mut ends: Vec<_> = self
            .rows
            .iter()
            .filter(|(sender, _)| **sender != newcomer)
            .filter_map(|(sender, row)| row.last_key_value().map(|(nonce, entry)| (entry, *sender, *nonce)))
            .map(|(entry, sender, nonce)| (entry.transaction.body.fee, sender, nonce, entry.size))
            .collect();
        ends.sort_unstable();
        let mut victims = Vec::new();
        for (victim_fee, sender, nonce, size) in ends {
            if excess == 0 || victim_fee >= fee {
                break;
            }
            excess = excess.saturating_sub(size);
            victims.push((sender, nonce));
        }
        if excess > 0 {
            let lowest = self.places.values().filter_map(|(sender, nonce)| self.rows.get(sender)?.get(nonce));
            let fee_min = lowest.map(|entry| entry.transaction.body.fee).min().unwrap_or_default();
            return Err(Refused::Full { fee_min });
        }
        for (sender, nonce) in victims {
            self.remove_at(sender, nonce);
        }
        Ok(())
    }

    /// Removes what the block at `height` has settled: its transactions, others with their nonces, and expired ones.
    pub fn settle(&mut self, included: &[Transaction], height: Height) {
        for transaction in included {
            let (sender, done) = (transaction.sender(), transaction.body.nonce);
            let row = self.rows.get(&sender);
            let passed: Vec<_> = row.into_iter().flat_map(|row| row.range(..=done)).map(|(nonce, _)| *nonce).collect();
            for nonce in passed {
                self.remove_at(sender, nonce);
            }
        }
        let expired: Vec<_> = self.places.values().copied().filter(|place| self.is_expired(place, height)).collect();
        for (sender, nonce) in expired {
            self.remove_at(sender, nonce);
        }
    }

    fn is_expired(&self, (sender, nonce): &(Address, Nonce), height: Height) -> bool {
        let entry = self.rows.get(sender).and_then(|row| row.get(nonce));
        entry.is_some_and(|entry| entry.transaction.body.valid_until <= height)
    }

    /// Transactions for a block at `height`, the highest fees first as far as nonces allow, within `count` and `bytes`.
    /// `next` gives an account's next nonce; `None` leaves the account out.
    pub fn select(
        &self,
        height: Height,
        count: usize,
        bytes: usize,
        next: impl Fn(&Address) -> Option<Nonce>,
    ) -> Vec<Transaction> {
        let mut ready: BTreeMap<(Amount, Address), Nonce> = BTreeMap::new();
        for (sender, row) in &self.rows {
            if let Some((nonce, entry)) = next(sender).and_then(|nonce| row.get_key_value(&nonce)) {
                ready.insert((entry.transaction.body.fee, *sender), *nonce);
            }
        }
        let (mut chosen, mut size) = (Vec::new(), 0);
        while let Some(((_, sender), nonce)) = ready.pop_last() {
            let entry = &self.rows[&sender][&nonce];
            if chosen.len() >= count || size + entry.size > bytes {
                break;
            }
            if entry.transaction.body.valid_until < height {
                continue;
            }
            size += entry.size;
            chosen.push(entry.transaction.clone());
            if let Some(following) = self.rows[&sender].get(&nonce.next()) {
                ready.insert((following.transaction.body.fee, sender), nonce.next());
            }
        }
        chosen
    }

    fn remove_at(&mut self, sender: Address, nonce: Nonce) {
        let Some(row) = self.rows.get_mut(&sender) else { return };
        if let Some(entry) = row.remove(&nonce) {
            self.places.remove(&entry.id);
            self.bytes -= entry.size;
        }
        if row.is_empty() {
            self.rows.remove(&sender);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        crypto::Keypair,
        types::{Body, Payload},
    };

    fn key(n: u8) -> Keypair {
        Keypair::from_secret([n; 32])
    }

    fn tx(from: u8, nonce: u64, fee: u64) -> Transaction {
        let payload = Payload::Transfer { to: key(99).address(), amount: Amount(1) };
        let body = Body {
            chain_id: "test".parse().expect("a good name"),
            sender: key(from).public(),
            nonce: Nonce(nonce),
            fee: Amount(fee),
            valid_until: Height(100),
            payload,
        };
        body.sign(&key(from))
    }

    fn fees(transactions: &[Transaction]) -> Vec<u64> {
        transactions.iter().map(|t| t.body.fee.0).collect()
    }

    fn pool(transactions: &[Transaction]) -> Mempool {
        let mut pool = Mempool::new(Limits::default());
        for transaction in transactions {
            pool.insert(transaction.clone(), Nonce(0)).expect("it fits");
        }
        pool
    }

    #[test]
    fn selects_by_fee_in_nonce_order_and_stops_at_gaps() {
        let pool = pool(&[tx(1, 0, 1), tx(1, 1, 9), tx(1, 3, 50), tx(2, 0, 5), tx(3, 1, 70)]);
        let chosen = pool.select(Height(1), 10, 100_000, |_| Some(Nonce(0)));
        assert_eq!(fees(&chosen), [5, 1, 9], "9 waits for 1; 50 and 70 are behind gaps");
        assert_eq!(fees(&pool.select(Height(1), 1, 100_000, |_| Some(Nonce(0)))), [5]);
        assert_eq!(pool.select(Height(101), 10, 100_000, |_| Some(Nonce(0))), []);
        assert_eq!(pool.next_nonce(&key(1).address(), Nonce(0)), Nonce(2));
    }

    #[test]
    fn replaces_only_for_more() {
        let mut pool = pool(&[tx(1, 0, 100)]);
        assert_eq!(pool.insert(tx(1, 0, 100), Nonce(0)), Err(Refused::Known));
        let refused = Refused::Underpriced { nonce: Nonce(0), fee_min: Amount(110) };
        assert_eq!(pool.insert(tx(1, 0, 109), Nonce(0)), Err(refused));
        let better = tx(1, 0, 110);
        assert_eq!(pool.insert(better.clone(), Nonce(0)), Ok(better.id()));
        assert_eq!(pool.len(), 1);
    }

    #[test]
    fn is_bounded_in_bytes_and_in_each_account() {
        let size = crate::encode(&tx(1, 0, 1)).len();
        let mut pool = Mempool::new(Limits { bytes_max: 3 * size, account_max: 4 });
        for from in 1..=3 {
            pool.insert(tx(from, 0, from.into()), Nonce(0)).expect("it fits");
        }
        assert_eq!(pool.insert(tx(4, 0, 1), Nonce(0)), Err(Refused::Full { fee_min: Amount(1) }));
        pool.insert(tx(4, 0, 2), Nonce(0)).expect("it pays more than the cheapest");
        assert_eq!((pool.len(), pool.bytes()), (3, 3 * size));
        assert_eq!(pool.get(&tx(1, 0, 1).id()), None, "the cheapest gave way");
        let refused = Refused::TooFarAhead { next: Nonce(0), got: Nonce(4), max: 4 };
        assert_eq!(pool.insert(tx(2, 4, 9), Nonce(0)), Err(refused));
    }

    #[test]
    fn a_block_settles_nonces_and_expiry() {
        let mut pool = pool(&[tx(1, 0, 1), tx(1, 1, 1), tx(2, 0, 1)]);
        pool.settle(&[tx(1, 0, 7)], Height(1));
        assert_eq!(pool.len(), 2, "another transaction with the nonce settled it");
        pool.settle(&[], Height(100));
        assert!(pool.is_empty(), "no block after height 100 may hold them");
        assert_eq!(pool.bytes(), 0);
    }
}
