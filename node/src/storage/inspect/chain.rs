//! The chain: blocks, transactions, their index, and what takes blocks back.

use super::{super::keys, Inspector, Progress};
use crate::{
    consensus::Engine,
    crypto::Hash,
    ledger,
    types::{Block, Height, Work},
};
use std::collections::BTreeMap;

/// Blocks between two words about progress.
const TELL_EVERY: u64 = 256;

/// What the block below leaves for the next one to stand on.
struct Below {
    hash: Hash,
    work: Work,
}

impl Inspector<'_> {
    /// Inspects the chain, and gives its head when that can be read.
    pub fn chain(&mut self) -> Option<Block> {
        let head = self.read(self.db.head())?;
        let mut below = None;
        let mut undone = Some(0);
        for height in (0..=head.height.0).map(Height) {
            if height.0.is_multiple_of(TELL_EVERY) {
                (self.tell)(Progress { part: "blocks", done: height.0, of: head.height.0 });
            }
            let named = self.undo(height);
            undone = undone.zip(named).map(|(sum, more)| sum + more);
            let Some((hash, work, block)) = self.block(height) else {
                below = None;
                continue;
            };
            self.report.blocks += 1;
            self.stands_on(&block, work, height, below);
            self.body(&block);
            self.root(&block);
            below = Some(Below { hash, work });
        }
        let at = keys::height(head.height);
        match self.read(self.db.canonical(head.height))? {
            Some(hash) if hash != head.hash => self.find(keys::CANONICAL, &at, "it is not the head"),
            _ => {}
        }
        self.nothing_else(head.height, undone);
        self.db.block_at(head.height).ok().flatten()
    }

    fn block(&mut self, height: Height) -> Option<(Hash, Work, Block)> {
        let at = keys::height(height);
        let hash = self.need(keys::CANONICAL, &at, self.db.canonical(height))?;
        let (work, block) = self.need(keys::BLOCKS, &hash.0, self.db.stored(&hash))?;
        Some((hash, work, block))
    }

    /// Place, parent and work.
    fn stands_on(&mut self, block: &Block, work: Work, height: Height, below: Option<Below>) {
        let (header, key) = (&block.header, block.hash());
        if header.height != height {
            self.find(keys::BLOCKS, &key.0, format!("it is of height {}, and stands at {height}", header.height));
        }
        if height == Height(0) {
            let expected = ledger::execute_genesis(self.genesis).map(|genesis| self.genesis.block(genesis.state_root));
            if expected.is_ok_and(|expected| expected.hash() != key) {
                self.find(keys::BLOCKS, &key.0, "it is not the block of the genesis document");
            }
            if work != Work(0) {
                self.find(keys::BLOCKS, &key.0, format!("its work is {work}, and that of genesis is 0"));
            }
        }
        let Some(below) = below else { return };
        if header.parent != below.hash {
            self.find(keys::BLOCKS, &key.0, format!("it does not stand on {} below it", below.hash.short()));
        }
        let expected = below.work.plus(Engine::of(&self.genesis.params).weight(header));
        if work != expected {
            self.find(keys::BLOCKS, &key.0, format!("the work up to it is {expected}, and it says {work}"));
        }
    }

    /// Transactions: their root, and what the index says of each.
    fn body(&mut self, block: &Block) {
        let key = block.hash();
        if block.transactions_root() != block.header.transactions_root {
            self.find(keys::BLOCKS, &key.0, "its transactions are not those that its header commits to");
        }
        for (place, transaction) in block.transactions.iter().enumerate() {
            self.report.transactions += 1;
            let id = transaction.id();
            let Some(located) = self.need(keys::TRANSACTIONS, &id.0, self.db.locate(&id)) else { continue };
            let is_there = (located.height, located.place as usize) == (block.header.height, place);
            if !is_there {
                let (height, said, at) = (block.header.height, located.height, located.place);
                let what = format!("it is number {place} of block {height}, and the index says number {at} of {said}");
                self.find(keys::TRANSACTIONS, &id.0, what);
            }
        }
    }

    /// The record that takes the block back; how many values it names, when it can be read.
    fn undo(&mut self, height: Height) -> Option<u64> {
        let at = keys::height(height);
        let touched: Vec<[u8; 32]> = self.need(keys::UNDO, &at, self.db.find(keys::UNDO, &at))?;
        for key in &touched {
            let key = keys::value(&jmt::KeyHash(*key), height.0);
            // Read for being there: whether it is whole is known.
            if self.db.get(keys::VALUES, &key).is_ok_and(|value| value.is_none()) {
                self.find(keys::VALUES, &key, "it is missing, and an undo record names it");
            }
        }
        Some(touched.len() as u64)
    }

    /// What no block has a part in.
    fn nothing_else(&mut self, head: Height, undone: Option<u64>) {
        let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
        for family in [keys::BLOCKS, keys::CANONICAL, keys::TRANSACTIONS, keys::UNDO, keys::VALUES] {
            (self.tell)(Progress { part: "indexes", done: counts.len() as u64, of: 5 });
            let mut count = 0;
            self.each_key(family, |_, _| count += 1);
            counts.insert(family, count);
        }
        // As many as there should be, and each that should be is there: then there are no others.
        if counts[keys::CANONICAL] > head.0 + 1 || counts[keys::UNDO] > head.0 + 1 {
            for family in [keys::CANONICAL, keys::UNDO] {
                self.each_key(family, |inspector, key| {
                    let height = <[u8; 8]>::try_from(key).map(u64::from_be_bytes);
                    if height.is_ok_and(|height| height > head.0) {
                        inspector.find(family, key, format!("it is above the head, which is at {head}"));
                    }
                });
            }
        }
        if counts[keys::BLOCKS] > self.report.blocks {
            self.each_key(keys::BLOCKS, |inspector, key| inspector.is_canonical(key, head));
        }
        if counts[keys::TRANSACTIONS] > self.report.transactions {
            self.each_key(keys::TRANSACTIONS, |inspector, key| inspector.is_included(key, head));
        }
        let values = counts[keys::VALUES];
        if let Some(undone) = undone
            && values > undone
        {
            self.find(keys::VALUES, &[], format!("there are {values}, and the undo records name {undone}"));
        }
    }

    fn is_canonical(&mut self, key: &[u8], head: Height) {
        let Ok(hash) = key.try_into().map(Hash) else { return self.find(keys::BLOCKS, key, "it is no hash") };
        let Ok(Some((_, block))) = self.db.stored(&hash) else { return };
        let height = block.header.height;
        match self.db.canonical(height) {
            Ok(Some(other)) if other != hash => {
                self.find(keys::BLOCKS, key, format!("the chain has another block at its height, {height}"));
            }
            Ok(None) if height > head => {
                self.find(keys::BLOCKS, key, format!("its height {height} is above the head, which is at {head}"));
            }
            // A height without a block was found before.
            Ok(_) | Err(_) => {}
        }
    }

    fn is_included(&mut self, key: &[u8], head: Height) {
        let Ok(id) = key.try_into().map(Hash) else { return self.find(keys::TRANSACTIONS, key, "it is no hash") };
        let Ok(Some(located)) = self.db.locate(&id) else { return };
        let is_wrong = match self.db.block_at(located.height) {
            Ok(Some(block)) => block.transactions.get(located.place as usize).is_none_or(|found| found.id() != id),
            Ok(None) => located.height > head,
            Err(_) => false,
        };
        if is_wrong {
            let what = format!("the index says number {} of block {}, and it is not", located.place, located.height);
            self.find(keys::TRANSACTIONS, key, what);
        }
    }
}
