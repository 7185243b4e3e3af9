//! How long things took, in bounded memory.

use hdrhistogram::Histogram;
use serde::Serialize;
use std::time::Duration;

/// What is told apart, in microseconds: from 1 to an hour, at three digits.
const MICROS: (u64, u64) = (1, 3_600_000_000);
const DIGITS: u8 = 3;

/// How long things took.
#[derive(Clone, Debug)]
pub struct Latencies(Histogram<u64>);

/// Of all that were noted; times in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Quantiles {
    /// How many.
    pub count: u64,
    /// Half of them took no longer.
    pub p50_ms: f64,
    /// Nine of ten took no longer.
    pub p90_ms: f64,
    /// 99 of a hundred took no longer.
    pub p99_ms: f64,
    /// None took longer.
    pub max_ms: f64,
}

impl Default for Latencies {
    fn default() -> Self {
        Self(Histogram::new_with_bounds(MICROS.0, MICROS.1, DIGITS).expect("the bounds are right"))
    }
}

impl Latencies {
    /// Notes one; longer than an hour counts as an hour.
    pub fn note(&mut self, took: Duration) {
        self.0.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(MICROS.0));
    }

    /// What was noted; none when nothing was.
    pub fn quantiles(&self) -> Option<Quantiles> {
        // To a hundredth: the histogram knows three digits, and JSON should not claim more.
        let at = |quantile: f64| (self.0.value_at_quantile(quantile) as f64 / 10.0).round() / 100.0;
        let max_ms = (self.0.max() as f64 / 10.0).round() / 100.0;
        (!self.0.is_empty()).then(|| Quantiles {
            count: self.0.len(),
            p50_ms: at(0.5).min(max_ms),
            p90_ms: at(0.9).min(max_ms),
            p99_ms: at(0.99).min(max_ms),
            max_ms,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_a_thousand_and_of_nothing() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.quantiles(), None);
        for millis in 1..=1000 {
            latencies.note(Duration::from_millis(millis));
        }
        let Quantiles { count, p50_ms, p90_ms, p99_ms, max_ms } = latencies.quantiles().expect("there are some");
        assert_eq!(count, 1000);
        for (got, wanted) in [(p50_ms, 500.0), (p90_ms, 900.0), (p99_ms, 990.0), (max_ms, 1000.0)] {
            assert!((got - wanted).abs() <= wanted / 1000.0, "{got} {wanted}");
        }
        latencies.note(Duration::from_secs(100_000));
        assert!(latencies.quantiles().expect("there are some").max_ms >= 3_600_000.0, "too long is an hour");
    }
}
