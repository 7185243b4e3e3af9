//! Named random streams: one per purpose and owner, all derived from the run's seed.
//!
//! A stream's key is the SHA-256 of the seed, the purpose and the owner, so that a new draw in one place moves no
//! other stream. The generator is ChaCha8; its output is a matter of record, not of secrecy.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// The generator behind every stream. It implements `rand_core::Rng`, so the `rand` crate's helpers work on it.
pub type Stream = ChaCha8Rng;

/// The stream for `purpose` of `owner` in the run of `seed`.
///
/// ```
/// use rand_chacha::rand_core::Rng;
/// let mut a = assay_sim::entropy::stream(7, "link", "n0->n1");
/// let mut b = assay_sim::entropy::stream(7, "link", "n1->n0");
/// assert_ne!(a.next_u64(), b.next_u64());
/// ```
pub fn stream(seed: u64, purpose: &str, owner: &str) -> Stream {
    let mut key = Sha256::new();
    key.update(b"assay stream v1");
    key.update(seed.to_le_bytes());
    for part in [purpose, owner] {
        key.update((part.len() as u64).to_le_bytes());
        key.update(part.as_bytes());
    }
    Stream::from_seed(key.finalize().into())
}

/// A number in `0..bound`; 0 for a bound of 0. The bias is below `bound / 2^64`.
pub fn below(rng: &mut impl Rng, bound: u64) -> u64 {
    ((u128::from(rng.next_u64()) * u128::from(bound)) >> 64) as u64
}

/// A duration in `min..=max`, in nanoseconds; `min` if the range is empty.
pub fn duration(rng: &mut impl Rng, min: Duration, max: Duration) -> Duration {
    let span = max.saturating_sub(min).as_nanos() as u64;
    min + Duration::from_nanos(below(rng, span.saturating_add(1)))
}

/// True with the given probability (0 to 1). Always draws once, so that the stream's position does not depend on it.
pub fn chance(rng: &mut impl Rng, probability: f64) -> bool {
    let draw = rng.next_u64() >> 11;
    (draw as f64) < probability * (1_u64 << 53) as f64
}

/// Fisher-Yates.
pub fn shuffle<T>(rng: &mut impl Rng, items: &mut [T]) {
    for last in (1..items.len()).rev() {
        let other = below(rng, last as u64 + 1) as usize;
        items.swap(last, other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(seed: u64, purpose: &str, owner: &str) -> u64 {
        stream(seed, purpose, owner).next_u64()
    }

    #[test]
    fn a_stream_depends_on_seed_purpose_and_owner() {
        assert_eq!(first(1, "link", "a"), first(1, "link", "a"));
        assert_ne!(first(1, "link", "a"), first(2, "link", "a"));
        assert_ne!(first(1, "link", "a"), first(1, "loss", "a"));
        assert_ne!(first(1, "link", "a"), first(1, "link", "b"));
        // The parts are length-prefixed: their boundary counts.
        assert_ne!(first(1, "ab", "c"), first(1, "a", "bc"));
    }

    #[test]
    fn chance_is_near_its_probability_and_exact_at_the_ends() {
        let mut rng = stream(3, "test", "");
        let hits = (0..10_000).filter(|_| chance(&mut rng, 0.05)).count();
        assert!((400..600).contains(&hits), "{hits} of 10000 at 5 %");
        assert!(!(0..1000).any(|_| chance(&mut rng, 0.0)));
        assert!((0..1000).all(|_| chance(&mut rng, 1.0)));
    }

    #[test]
    fn durations_stay_within_their_range() {
        let mut rng = stream(3, "test", "");
        let (min, max) = (Duration::from_millis(20), Duration::from_millis(80));
        for _ in 0..1000 {
            let d = duration(&mut rng, min, max);
            assert!(d >= min && d <= max, "{d:?}");
        }
        assert_eq!(duration(&mut rng, max, min), max);
    }
}
