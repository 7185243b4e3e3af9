//! The retarget rule for any difficulty and pace, and what it does to a chain whose miners are equally fast all the time.

use super::{
    Ancestors,
    pos::tests::support::Dice,
    pow::{DIFFICULTY_MIN, RETARGET_FACTOR_MAX, difficulty, median_time, retarget},
};
use crate::{
    crypto::{Address, Hash},
    types::{ChainParams, Difficulty, Header, Height, Seal, Timestamp},
};
use proptest::prelude::*;

/// Numbers of every size, and those at the ends.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![
        1 => prop::sample::select(vec![0, 1, 2, 3, 4, 5, 7, u64::MAX / 4, u64::MAX / 4 + 1, u64::MAX - 1, u64::MAX]),
        4 => (0..64u32, any::<u64>()).prop_map(|(shift, any)| any >> shift),
    ]
}

fn old() -> impl Strategy<Value = Difficulty> {
    number().prop_map(Difficulty).prop_map(|old| old.max(DIFFICULTY_MIN))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(20_000) })]

    #[test]
    fn a_retarget_stays_within_its_bounds(old in old(), planned_ms in number(), actual_ms in number()) {
        let new = retarget(old, planned_ms, actual_ms);
        prop_assert!(new >= DIFFICULTY_MIN);
        prop_assert!(new.0 <= old.0.saturating_mul(RETARGET_FACTOR_MAX), "{} is too much", new);
        prop_assert!(new.0 >= old.0 / RETARGET_FACTOR_MAX, "{} is too little", new);
    }

    #[test]
    fn a_slower_epoch_never_makes_it_harder(
        old in old(), planned_ms in number(), actual_ms in number(), later_ms in number(),
    ) {
        let slower_ms = actual_ms.saturating_add(later_ms);
        prop_assert!(retarget(old, planned_ms, slower_ms) <= retarget(old, planned_ms, actual_ms));
    }

    #[test]
    fn a_harder_epoch_never_becomes_easier_than_another(
        old in old(), more in number(), planned_ms in number(), actual_ms in number(),
    ) {
        let harder = Difficulty(old.0.saturating_add(more));
        prop_assert!(retarget(harder, planned_ms, actual_ms) >= retarget(old, planned_ms, actual_ms));
    }

    #[test]
    fn the_planned_pace_changes_nothing(old in old(), planned_ms in number()) {
        prop_assert_eq!(retarget(old, planned_ms, planned_ms), old);
    }
}

/// Epochs until any start is forgotten: each comes nearer by the factor 4.
const EPOCHS_OF_APPROACH: u64 = 20;
/// Epochs that are measured.
const EPOCHS: u64 = 300;
/// By how much the measured interval may differ from the planned one, in percent.
///
/// An epoch measures n = `retarget_interval` - 1 random times, and the mean of planned / measured is n / (n - 1): with 31 the
/// interval is 3.3 % longer than planned. Around that, the mean of 300 epochs deviates by 1.5 %; three times that is room
/// enough for the seeds here.
const TOLERANCE_PERCENT: u64 = 8;

#[derive(Default)]
struct Chain(Vec<Header>);

impl Ancestors for Chain {
    fn at(&self, height: Height) -> Option<&Header> {
        self.0.get(height.0 as usize)
    }
}

impl Chain {
    /// Blocks up to `height`, by miners that try `hashes_per_ms` hashes in a millisecond.
    fn mined(params: &ChainParams, hashes_per_ms: f64, height: u64, dice: &mut Dice) -> Self {
        let (mut chain, mut now_ms) = (Self::default(), 1_000_000.0);
        for height in (0..=height).map(Height) {
            let seal = match height {
                Height(0) => Seal::Genesis,
                _ => Seal::Pow { difficulty: difficulty(params, height, &chain), nonce: 0 },
            };
            if let Seal::Pow { difficulty, .. } = &seal {
                now_ms += hashes_until_success(*difficulty, dice) / hashes_per_ms;
            }
            let timestamp = Timestamp(now_ms as u64).max(Timestamp(median_time(height, &chain).0 + 1));
            chain.0.push(Header {
                height,
                parent: Hash::default(),
                transactions_root: Hash::default(),
                state_root: Hash::default(),
                timestamp,
                proposer: Address([0; 20]),
                seal,
            });
        }
        chain
    }
}

/// A number of hashes drawn from the geometric distribution: each is worth the difficulty with one chance in `difficulty`.
fn hashes_until_success(difficulty: Difficulty, dice: &mut Dice) -> f64 {
    let even = (dice.roll(1 << 53) + 1) as f64 / (1u64 << 53) as f64;
    1.0 + (even.ln() / (-1.0 / difficulty.0 as f64).ln_1p()).floor()
}

#[test]
fn an_even_hash_rate_comes_to_the_planned_interval() {
    // This hash rate is to have 100,000: a thousand times that, 25 times, a thousandth, and the least there is.
    for (seed, start) in [(1, 100_000_000), (2, 2_500_000), (3, 100), (4, DIFFICULTY_MIN.0)] {
        let params = ChainParams { difficulty_start: Difficulty(start), ..ChainParams::default() };
        let (first, last) = (EPOCHS_OF_APPROACH * params.retarget_interval, EPOCHS * params.retarget_interval);
        let last = first + last;
        let chain = Chain::mined(&params, 10.0, last, &mut Dice(seed));
        let time = |height: u64| chain.0[height as usize].timestamp;
        let interval_ms = time(last).since(time(first)) / (last - first);
        let allowed_ms = params.block_interval_ms * TOLERANCE_PERCENT / 100;
        assert!(
            interval_ms.abs_diff(params.block_interval_ms) <= allowed_ms,
            "from difficulty {start}, seed {seed}: {interval_ms} ms, and {} are planned",
            params.block_interval_ms
        );
    }
}
