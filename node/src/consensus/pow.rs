//! Proof of work: the target, its adjustment, the rules for timestamps, and the search.
//!
//! Rules and their models: the target and the epoch retarget with a clamp of 4 are Bitcoin's, as is the median of the last
//! 11 timestamps. Difficulty counts expected hashes instead of zero bits, so that it adjusts finely and adds up to work.

use super::{Ancestors, SealError};
use crate::{
    crypto::Hash,
    types::{ChainParams, Difficulty, Header, Height, Seal, Timestamp, sealed_hash},
};

/// Least difficulty: two leading zero bits.
pub const DIFFICULTY_MIN: Difficulty = Difficulty(4);

/// One retarget changes the difficulty by this factor at most, up or down.
pub const RETARGET_FACTOR_MAX: u64 = 4;

/// Blocks whose median timestamp a block must exceed.
pub const MEDIAN_BLOCKS: u64 = 11;

/// Whether `hash` is worth `difficulty`: one in `difficulty` hashes is. Compares the leading 128 bits.
pub fn meets(hash: &Hash, difficulty: Difficulty) -> bool {
    let mut leading = [0; 16];
    leading.copy_from_slice(&hash.0[..16]);
    u128::from_be_bytes(leading) <= u128::MAX / u128::from(difficulty.0.max(1))
}

/// Checks difficulty, work and timestamp of `header` against its ancestors and this node's clock.
///
/// # Errors
/// The first rule that it breaks.
pub fn check(
    params: &ChainParams,
    header: &Header,
    ancestors: &dyn Ancestors,
    now: Timestamp,
) -> Result<(), SealError> {
    let Seal::Pow { difficulty: got, .. } = header.seal else {
        return Err(SealError::Foreign(Box::new(header.seal.clone())));
    };
    let expected = difficulty(params, header.height, ancestors);
    if got != expected {
        return Err(SealError::Difficulty { expected, got });
    }
    if !meets(&header.hash(), got) {
        return Err(SealError::Work(got));
    }
    let median = median_time(header.height, ancestors);
    if header.timestamp <= median {
        return Err(SealError::TooOld { median, got: header.timestamp });
    }
    let ahead_ms = header.timestamp.since(now);
    if ahead_ms > params.future_max_ms {
        return Err(SealError::TooNew { got: header.timestamp, ahead_ms });
    }
    Ok(())
}

/// The difficulty of the block at `height`: the parent's, adjusted once every `retarget_interval` blocks.
pub fn difficulty(params: &ChainParams, height: Height, ancestors: &dyn Ancestors) -> Difficulty {
    let parent = height.prev().and_then(|below| ancestors.at(below));
    let Some(Header { seal: Seal::Pow { difficulty, .. }, timestamp: end, .. }) = parent else {
        return params.difficulty_start;
    };
    if !height.0.is_multiple_of(params.retarget_interval) {
        return *difficulty;
    }
    let epoch_start = height.back(params.retarget_interval);
    let Some(start) = ancestors.at(epoch_start) else { return *difficulty };
    retarget(*difficulty, params.block_interval_ms * (params.retarget_interval - 1), end.since(start.timestamp))
}

/// The difficulty for which an epoch that took `actual_ms` would have taken `planned_ms`, rounded down. Between a quarter and
/// four times the old one, never below [`DIFFICULTY_MIN`], and `u64::MAX` where it would be more than that.
pub fn retarget(old: Difficulty, planned_ms: u64, actual_ms: u64) -> Difficulty {
    let planned_ms = planned_ms.max(1);
    // Rounded up, or a plan that four does not divide would be exceeded by more than the factor.
    let fastest_ms = planned_ms.div_ceil(RETARGET_FACTOR_MAX);
    let actual_ms = actual_ms.clamp(fastest_ms, planned_ms.saturating_mul(RETARGET_FACTOR_MAX));
    let new = u128::from(old.0) * u128::from(planned_ms) / u128::from(actual_ms);
    Difficulty(u64::try_from(new).unwrap_or(u64::MAX)).max(DIFFICULTY_MIN)
}

/// Median timestamp of up to [`MEDIAN_BLOCKS`] blocks below `height`.
pub fn median_time(height: Height, ancestors: &dyn Ancestors) -> Timestamp {
    let first = height.back(MEDIAN_BLOCKS).0;
    let mut times: Vec<_> = (first..height.0).filter_map(|h| ancestors.at(Height(h))).map(|h| h.timestamp).collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// A search for the nonce of one header, `tries` hashes at a time.
#[derive(Clone, Debug)]
pub struct Search {
    unsealed: Hash,
    difficulty: Difficulty,
    next: u64,
}

impl Search {
    /// A search that starts at nonce `start`. Miners of one header start at different places.
    pub fn new(unsealed: Hash, difficulty: Difficulty, start: u64) -> Self {
        Self { unsealed, difficulty, next: start }
    }

    /// Tries the next `tries` nonces and gives the first seal that is worth the difficulty.
    pub fn run(&mut self, tries: u64) -> Option<Seal> {
        for _ in 0..tries {
            let seal = Seal::Pow { difficulty: self.difficulty, nonce: self.next };
            self.next = self.next.wrapping_add(1);
            if meets(&sealed_hash(&self.unsealed, &seal), self.difficulty) {
                return Some(seal);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{Address, Domain};

    struct Chain(Vec<Header>);

    impl Ancestors for Chain {
        fn at(&self, height: Height) -> Option<&Header> {
            self.0.get(height.0 as usize)
        }
    }

    fn header(height: u64, timestamp: u64, difficulty: u64) -> Header {
        Header {
            height: Height(height),
            parent: Hash::default(),
            transactions_root: Hash::default(),
            state_root: Hash::default(),
            timestamp: Timestamp(timestamp),
            proposer: Address([0; 20]),
            seal: Seal::Pow { difficulty: Difficulty(difficulty), nonce: 0 },
        }
    }

    /// Ten blocks, `interval_ms` apart.
    fn chain(interval_ms: u64) -> Chain {
        Chain((0..10).map(|h| header(h, 1_000_000 + h * interval_ms, 64)).collect())
    }

    fn params() -> ChainParams {
        ChainParams { retarget_interval: 10, difficulty_start: Difficulty(64), ..ChainParams::default() }
    }

    fn sealed(chain: &Chain, timestamp: u64) -> Header {
        let difficulty = difficulty(&params(), Height(10), chain);
        let mut header = header(10, timestamp, difficulty.0);
        header.seal = Search::new(header.unsealed_hash(), difficulty, 0).run(1_000_000).expect("it is easy");
        header
    }

    #[test]
    fn a_difficulty_of_d_takes_d_hashes() {
        let hits = (0..100_000u32).filter(|n| meets(&Hash::of(Domain::Block, &[&n.to_be_bytes()]), Difficulty(100)));
        let hits = hits.count();
        assert!((900..1100).contains(&hits), "{hits} of 100000");
        assert!(meets(&Hash([0x3f; 32]), DIFFICULTY_MIN), "two leading zero bits are worth 4");
        assert!(!meets(&Hash([0x41; 32]), DIFFICULTY_MIN));
    }

    #[test]
    fn retarget_follows_the_pace_within_its_clamp() {
        let rows = [(5_000, 128), (10_000, 64), (20_000, 32), (1, 256), (1_000_000, 16)];
        for (interval_ms, expected) in rows {
            assert_eq!(
                difficulty(&params(), Height(10), &chain(interval_ms)),
                Difficulty(expected),
                "{interval_ms} ms"
            );
        }
        assert_eq!(retarget(DIFFICULTY_MIN, 1000, 4000), DIFFICULTY_MIN);
    }

    #[test]
    fn a_header_is_checked_against_its_ancestors_and_the_clock() {
        let chain = chain(10_000);
        let now = Timestamp(1_100_000);
        let good = sealed(&chain, 1_100_000);
        assert_eq!(check(&params(), &good, &chain, now), Ok(()));

        let cheap = Header { seal: Seal::Pow { difficulty: Difficulty(4), nonce: 0 }, ..good.clone() };
        let expected = SealError::Difficulty { expected: Difficulty(64), got: Difficulty(4) };
        assert_eq!(check(&params(), &cheap, &chain, now), Err(expected));

        let unworked =
            (0..).map(|nonce| Header { seal: Seal::Pow { difficulty: Difficulty(64), nonce }, ..good.clone() });
        let unworked =
            unworked.into_iter().find(|h| !meets(&h.hash(), Difficulty(64))).expect("most nonces are no good");
        assert_eq!(check(&params(), &unworked, &chain, now), Err(SealError::Work(Difficulty(64))));

        let old = sealed(&chain, 1_050_000);
        let median = Timestamp(1_050_000);
        assert_eq!(check(&params(), &old, &chain, now), Err(SealError::TooOld { median, got: median }));

        let new = sealed(&chain, 1_115_001);
        let expected = SealError::TooNew { got: Timestamp(1_115_001), ahead_ms: 15_001 };
        assert_eq!(check(&params(), &new, &chain, now), Err(expected));

        let foreign = Header { seal: Seal::Genesis, ..good };
        assert_eq!(check(&params(), &foreign, &chain, now), Err(SealError::Foreign(Box::new(Seal::Genesis))));
    }
}
