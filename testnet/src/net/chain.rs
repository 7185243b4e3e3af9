//! The chain of a net: quick blocks, and all nodes produce them.

use super::{accounts::Accounts, error::NetError};
use assay_node::{
    crypto::PublicKey,
    native::seams::now,
    types::{Amount, ChainId, ChainParams, Consensus, Difficulty, Genesis, PootParams, PosParams, TOKEN},
};
use std::time::Duration;

/// Hashes that each node tries a second: little work for the machine, and enough for a steady interval.
pub(crate) const HASH_RATE: u64 = 1000;

/// What each validator has bonded; five times the minimum, so that a slashed one still votes.
const BOND: Amount = Amount(5000 * TOKEN.0);

/// The least difficulty that a chain can start with.
const DIFFICULTY_MIN: u64 = 4;

/// Bounds of a leader's time-out, in milliseconds.
const LEADER_TIMEOUT_MS: (u64, u64) = (100, 5000);

/// What is asked of the chain.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub chain_id: ChainId,
    pub consensus: Consensus,
    pub block_interval: Duration,
}

/// The chain's document. `producers` are the keys of the nodes that produce blocks.
///
/// # Errors
/// [`NetError::Genesis`] when the interval, or the number of producers, is out of bounds.
pub(crate) fn genesis(rules: Rules, producers: &[PublicKey], accounts: &Accounts) -> Result<Genesis, NetError> {
    let Rules { chain_id, consensus, block_interval } = rules;
    let block_interval_ms = u64::try_from(block_interval.as_millis()).unwrap_or(u64::MAX);
    let count = producers.len() as u64;
    let hashes = count.saturating_mul(HASH_RATE).saturating_mul(block_interval_ms) / 1000;
    let mut params = ChainParams {
        consensus,
        block_interval_ms,
        difficulty_start: Difficulty(hashes.max(DIFFICULTY_MIN)),
        ..ChainParams::default()
    };
    let (mut validators, mut operators) = Default::default();
    match consensus {
        Consensus::Pow => {}
        Consensus::Pos => {
            params.pos = PosParams { epoch_blocks: 20, ..PosParams::default() };
            validators = producers.iter().map(|key| (*key, BOND)).collect();
        }
        Consensus::Poot => {
            // A stand-in takes over within the slot, half of the operators rest, and who does nothing for a minute or so
            // is behind the others.
            params.poot = PootParams {
                leader_timeout_ms: block_interval_ms.clamp(LEADER_TIMEOUT_MS.0, LEADER_TIMEOUT_MS.1),
                cooldown_slots: count / 2,
                period_slots: 3,
                window_periods: 20,
                density_min_permille: 100,
                ..PootParams::default()
            };
            operators = producers.iter().copied().collect();
        }
    }
    let accounts = accounts.balances();
    let genesis = Genesis { chain_id, timestamp: now(), params, accounts, validators, operators };
    genesis.validate()?;
    Ok(genesis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_node::crypto::Keypair;

    #[test]
    fn all_kinds_of_chain_can_start() {
        let chain_id: ChainId = "dev".parse().expect("it is a name");
        let accounts = Accounts::generate(chain_id.clone(), 3).expect("there is entropy");
        for consensus in [Consensus::Pow, Consensus::Pos, Consensus::Poot] {
            for count in [1, 2, 4, 32] {
                let keys: Vec<_> = (0..count).map(|n| Keypair::from_secret([n; 32]).public()).collect();
                for millis in [100, 2000, 60_000] {
                    let block_interval = Duration::from_millis(millis);
                    let rules = Rules { chain_id: chain_id.clone(), consensus, block_interval };
                    let made = genesis(rules, &keys, &accounts);
                    assert!(made.is_ok(), "{consensus} {count} {millis}: {made:?}");
                }
            }
        }
        let rules = Rules { chain_id, consensus: Consensus::Pow, block_interval: Duration::from_millis(99) };
        let error = genesis(rules, &[], &accounts).expect_err("blocks are not that quick").to_string();
        assert!(error.contains("block_interval_ms is 99, and must be from 100 to 3600000"), "{error}");
    }
}
