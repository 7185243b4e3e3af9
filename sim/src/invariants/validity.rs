//! Every block of every chain follows the rules, by a second reading of them.
//!
//! The header rules are checked here, the transactions' by [`Ledger`]. What it does not check is the difficulty's
//! adjustment, only that it moves at the heights where it may.

use super::{Checked, Invariant, Observation, Violation, ledger::Ledger};
use assay_node::{
    crypto::Hash,
    types::{Ballot, Block, ChainId, ChainParams, Consensus, Difficulty, Genesis, Header, Seal, Step, Timestamp, Vote},
};
use std::collections::{BTreeMap, BTreeSet};

/// Blocks whose median timestamp a block must exceed.
const MEDIAN_BLOCKS: usize = 11;

/// All blocks that were seen, on all branches.
#[derive(Debug)]
pub struct Validity {
    chain: ChainId,
    params: ChainParams,
    headers: BTreeMap<Hash, Header>,
    ledger: Ledger,
}

impl Validity {
    /// On the chain of `genesis`, whose first block is `first`.
    pub fn new(genesis: &Genesis, first: &Block) -> Self {
        let hash = first.hash();
        let headers = BTreeMap::from([(hash, first.header.clone())]);
        let ledger = Ledger::new(genesis, hash);
        Self { chain: genesis.chain_id.clone(), params: genesis.params.clone(), headers, ledger }
    }

    fn check_header(&self, hash: Hash, header: &Header) -> Result<(), String> {
        if header.hash() != hash {
            return Err(format!("has the identifier {}", header.hash().short()));
        }
        let Some(parent) = self.headers.get(&header.parent) else {
            return Err("stands on one that nobody has shown".into());
        };
        if header.height.0 != parent.height.0 + 1 {
            return Err(format!("stands on one at height {}", parent.height));
        }
        match self.params.consensus {
            Consensus::Pow => self.check_work(hash, header, parent),
            Consensus::Pos => self.check_agreement(hash, header, parent),
            Consensus::Poot => self.check_leader(header, parent),
        }
    }

    /// More than two thirds of the validators, by the second reading of who they are, have signed it, each once.
    fn check_agreement(&self, hash: Hash, header: &Header, parent: &Header) -> Result<(), String> {
        let Seal::Pos { round, certificate } = &header.seal else {
            return Err("has no certificate".into());
        };
        if header.timestamp <= parent.timestamp {
            return Err(format!("has the timestamp {}, and its parent {}", header.timestamp, parent.timestamp));
        }
        let Some(below) = self.ledger.after(&header.parent) else {
            return Err("stands on one whose state nobody knows".into());
        };
        let turn = below.stakes.set().proposer(header.height, *round).address();
        if turn != header.proposer {
            return Err(format!("is of {}, and it was the turn of {turn}", header.proposer));
        }
        let powers = below.stakes.powers();
        let total: u128 = powers.values().map(|(_, power)| u128::from(*power)).sum();
        let mut signed = BTreeMap::new();
        for (validator, signature) in &certificate.signatures {
            let Some((key, power)) = powers.get(validator) else {
                return Err(format!("is signed by {validator}, who is no validator"));
            };
            let (height, round, step, block) = (header.height, certificate.round, Step::Precommit, Some(hash));
            let vote = Vote { height, round, step, block, validator: *validator };
            if key.verify(&vote.digest(&self.chain), signature).is_err() {
                return Err(format!("has a forged signature of {validator}"));
            }
            signed.insert(validator, u128::from(*power));
        }
        let signed: u128 = signed.values().sum();
        if signed * 3 <= total * 2 {
            return Err(format!("is signed by {signed} of {total}, which is not more than two thirds"));
        }
        Ok(())
    }

    /// It is led by the operator whose rank, by the second reading, it names, and not before the time of that rank.
    fn check_leader(&self, header: &Header, parent: &Header) -> Result<(), String> {
        let Seal::Poot { rank, key, signature } = &header.seal else {
            return Err("is led by nobody".into());
        };
        let Some(below) = self.ledger.after(&header.parent) else {
            return Err("stands on one whose state nobody knows".into());
        };
        let order = below.tasks.order(&self.chain, &self.params.poot);
        let turn = order.get(*rank as usize);
        if turn != Some(&header.proposer) {
            return Err(format!("is led by {} as rank {rank}, which is {turn:?}", header.proposer));
        }
        let slot = parent.timestamp.0 / self.params.block_interval_ms + 1;
        let opens = slot * self.params.block_interval_ms + u64::from(*rank) * self.params.poot.leader_timeout_ms;
        if header.timestamp.0 < opens {
            return Err(format!("is led at {}, and rank {rank} may lead from {opens} on", header.timestamp));
        }
        let is_signed = key.address() == header.proposer && key.verify(&header.leader_digest(*rank), signature).is_ok();
        if is_signed { Ok(()) } else { Err(format!("is not signed by {}", header.proposer)) }
    }

    fn check_work(&self, hash: Hash, header: &Header, parent: &Header) -> Result<(), String> {
        let Seal::Pow { difficulty, .. } = header.seal else {
            return Err("has no proof of work".into());
        };
        let mut leading = [0; 16];
        leading.copy_from_slice(&hash.0[..16]);
        if u128::from_be_bytes(leading) > u128::MAX / u128::from(difficulty.0) {
            return Err(format!("is not worth its difficulty {difficulty}"));
        }
        let before = match parent.seal {
            Seal::Pow { difficulty, .. } => difficulty,
            Seal::Genesis | Seal::Pos { .. } | Seal::Poot { .. } => self.params.difficulty_start,
        };
        self.check_difficulty(header, before, difficulty)?;
        let median = self.median(parent);
        if header.timestamp <= median {
            return Err(format!("has the timestamp {}, and the median before it is {median}", header.timestamp));
        }
        Ok(())
    }

    fn check_difficulty(&self, header: &Header, before: Difficulty, difficulty: Difficulty) -> Result<(), String> {
        let may_change = header.height.0.is_multiple_of(self.params.retarget_interval);
        let in_bounds = difficulty.0 <= before.0 * 4 + 4 && difficulty.0 + 1 >= before.0 / 4;
        if difficulty == before || (may_change && in_bounds) {
            return Ok(());
        }
        Err(format!("has difficulty {difficulty} after {before}"))
    }

    fn median(&self, parent: &Header) -> Timestamp {
        let mut times = Vec::new();
        let mut at = Some(parent);
        while let Some(header) = at.filter(|_| times.len() < MEDIAN_BLOCKS) {
            times.push(header.timestamp);
            at = self.headers.get(&header.parent);
        }
        times.sort_unstable();
        times[times.len() / 2]
    }

    fn check_transactions(block: &Block) -> Result<(), String> {
        if block.transactions_root() != block.header.transactions_root {
            return Err("commits to other transactions".into());
        }
        let mut seen = BTreeSet::new();
        for (place, transaction) in block.transactions.iter().enumerate() {
            if transaction.verify_signature().is_err() {
                return Err(format!("has a forged transaction at {place}"));
            }
            if !seen.insert(transaction.id()) {
                return Err(format!("has the transaction at {place} twice"));
            }
        }
        Ok(())
    }
}

impl Invariant for Validity {
    fn name(&self) -> &'static str {
        "validity"
    }

    fn about(&self) -> &'static str {
        "Every block of every chain follows the rules, and no token is spent twice."
    }

    fn check(&mut self, node: usize, seen: &Observation<'_>) -> Result<Checked, Violation> {
        let Observation::Block { hash, block } = seen else { return Ok(Checked::No) };
        if self.headers.contains_key(hash) {
            return Ok(Checked::Yes);
        }
        let (header, short) = (&block.header, hash.short());
        self.check_header(*hash, header)
            .and_then(|()| Self::check_transactions(block))
            .map_err(|what| Violation(format!("block {short} of n{node} at height {} {what}", header.height)))?;
        self.ledger.add(*hash, block)?;
        self.headers.insert(*hash, header.clone());
        Ok(Checked::Yes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::tests::{Chain, transfer};
    use assay_node::types::Height;

    fn check(validity: &mut Validity, block: &Block) -> Result<Checked, Violation> {
        validity.check(0, &Observation::Block { hash: block.hash(), block })
    }

    fn refusal(change: impl FnOnce(&mut Block), reseal: bool) -> String {
        let chain = Chain::new();
        let mut block = chain.block(&chain.first, vec![transfer(0, 0, 5), transfer(0, 1, 5)]);
        change(&mut block);
        if reseal {
            chain.seal(&mut block);
        }
        let violation = check(&mut Validity::new(&chain.genesis, &chain.first), &block).expect_err("it is wrong");
        // The identifier and what stands before it differ from case to case.
        violation.0.split_once("at height ").expect("every message names the height").1.to_owned()
    }

    #[test]
    fn takes_a_right_chain() {
        let chain = Chain::new();
        let mut validity = Validity::new(&chain.genesis, &chain.first);
        let one = chain.block(&chain.first, vec![transfer(0, 0, 5)]);
        let two = chain.block(&one, vec![transfer(0, 1, 5), transfer(1, 0, 5)]);
        assert_eq!(check(&mut validity, &one), Ok(Checked::Yes));
        assert_eq!(check(&mut validity, &two), Ok(Checked::Yes));
    }

    #[test]
    fn fires_on_each_broken_rule() {
        let unsealed =
            refusal(|block| block.header.seal = Seal::Pow { difficulty: Difficulty(16), nonce: u64::MAX }, false);
        assert_eq!(unsealed, "1 is not worth its difficulty 16");
        assert_eq!(refusal(|block| block.header.height = Height(2), true), "2 stands on one at height 0");
        assert_eq!(refusal(|block| block.header.parent = Hash([9; 32]), true), "1 stands on one that nobody has shown");
        assert_eq!(refusal(|block| drop(block.transactions.pop()), false), "1 commits to other transactions");
        let old = refusal(|block| block.header.timestamp = Timestamp(0), true);
        assert_eq!(old, "1 has the timestamp 0, and the median before it is 1000");
        let forge = |block: &mut Block| block.transactions[1].signature.0[0] ^= 1;
        assert_eq!(refusal(forge, true), "1 has a forged transaction at 1");
        let twice = |block: &mut Block| block.transactions[1] = block.transactions[0].clone();
        assert_eq!(refusal(twice, true), "1 has the transaction at 1 twice");
        let spent_twice = |block: &mut Block| block.transactions[1] = transfer(0, 0, 6);
        assert_eq!(refusal(spent_twice, true), "1 has nonce 0, and 1 is next: spent twice");
        let too_much = |block: &mut Block| block.transactions[1] = transfer(0, 1, 2000);
        assert_eq!(refusal(too_much, true), "1 costs 2001, and its sender has 994");
    }

    #[test]
    fn fires_on_a_difficulty_of_ones_own() {
        let chain = Chain::new();
        let mut block = chain.block(&chain.first, Vec::new());
        block.header.seal = Seal::Pow { difficulty: Difficulty(4), nonce: 0 };
        chain.seal(&mut block);
        let violation = check(&mut Validity::new(&chain.genesis, &chain.first), &block).expect_err("it is too easy");
        assert!(violation.0.ends_with("has difficulty 4 after 16"), "{violation}");
    }
}
