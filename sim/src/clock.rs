//! The clocks of a simulated host.
//!
//! *Virtual time* counts from the start of the world and is the same for all hosts. A host sees it in two forms: as
//! monotonic time (`tokio::time`, and `std::time::Instant` through the interposition) and as *wall time*, which is the
//! world's epoch plus virtual time plus the host's own error: a skew, and a drift that adds to it as time passes.
//!
//! The value is in atomics because RocksDB's background threads read it while the simulation thread waits for them.

use std::{
    sync::atomic::{AtomicI64, AtomicU64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// 2026-01-01T00:00:00Z, the default start of a world's wall clock, since the Unix epoch.
pub const DEFAULT_EPOCH: Duration = Duration::from_secs(1_767_225_600);

/// What a host's monotonic clock shows when the world starts: far from zero, so that programs may subtract.
pub(crate) const MONOTONIC_BASE: Duration = Duration::from_secs(1_000_000);

/// Millionths of a whole.
const PARTS: i128 = 1_000_000;

/// One host's clock. Shared by the host's runtime, its disk and its RocksDB threads.
#[derive(Debug)]
pub struct HostClock {
    epoch: Duration,
    now_ns: AtomicU64,
    skew_ns: AtomicI64,
    drift_ppm: AtomicI64,
    /// Virtual time since which it drifts.
    drifts_since_ns: AtomicU64,
}

impl HostClock {
    /// A clock at virtual time zero without skew. `epoch` is wall time at virtual zero, since the Unix epoch.
    pub fn new(epoch: Duration) -> Self {
        Self {
            epoch,
            now_ns: AtomicU64::new(0),
            skew_ns: AtomicI64::new(0),
            drift_ppm: AtomicI64::new(0),
            drifts_since_ns: AtomicU64::new(0),
        }
    }

    /// Virtual time since the start of the world, as last seen by this host.
    pub fn now(&self) -> Duration {
        Duration::from_nanos(self.now_ns.load(Ordering::Relaxed))
    }

    /// Monotonic time since an arbitrary point, as the host sees it.
    pub fn monotonic(&self) -> Duration {
        Self::monotonic_at(self.now())
    }

    /// What [`HostClock::monotonic`] is at virtual time `now`.
    pub(crate) fn monotonic_at(now: Duration) -> Duration {
        MONOTONIC_BASE + now
    }

    /// Wall time since the Unix epoch, as the host sees it: epoch, virtual time, skew and drift. Never before 1970.
    pub fn wall(&self) -> Duration {
        self.wall_at(self.now())
    }

    /// What [`HostClock::wall`] is at virtual time `now`.
    pub(crate) fn wall_at(&self, now: Duration) -> Duration {
        let true_ns = (self.epoch + now).as_nanos() as i128;
        let drifted_ns = now.as_nanos() as i128 - i128::from(self.drifts_since_ns.load(Ordering::Relaxed));
        let drift_ns = drifted_ns.max(0) * i128::from(self.drift_ppm.load(Ordering::Relaxed)) / PARTS;
        let seen = true_ns + i128::from(self.skew_ns.load(Ordering::Relaxed)) + drift_ns;
        Duration::from_nanos(seen.max(0) as u64)
    }

    /// [`HostClock::wall`] as a `SystemTime`.
    pub fn system_time(&self) -> SystemTime {
        UNIX_EPOCH + self.wall()
    }

    /// Sets how far the host's wall clock is off, in nanoseconds: positive is fast. Monotonic time is not affected.
    pub fn set_skew_ns(&self, skew_ns: i64) {
        self.skew_ns.store(skew_ns, Ordering::Relaxed);
    }

    /// Lets the host's wall clock gain so many millionths from now on, or lose them when below 0. What it gained before is
    /// forgotten.
    pub fn set_drift_ppm(&self, drift_ppm: i64) {
        self.drifts_since_ns.store(self.now_ns.load(Ordering::Relaxed), Ordering::Relaxed);
        self.drift_ppm.store(drift_ppm, Ordering::Relaxed);
    }

    /// The skew set last, in nanoseconds.
    pub fn skew_ns(&self) -> i64 {
        self.skew_ns.load(Ordering::Relaxed)
    }

    pub(crate) fn set_now(&self, now: Duration) {
        self.now_ns.store(now.as_nanos() as u64, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skew_moves_the_wall_clock_only() {
        let clock = HostClock::new(DEFAULT_EPOCH);
        clock.set_now(Duration::from_secs(5));
        assert_eq!(clock.wall(), DEFAULT_EPOCH + Duration::from_secs(5));
        clock.set_skew_ns(-2_000_000_000);
        assert_eq!(clock.wall(), DEFAULT_EPOCH + Duration::from_secs(3));
        assert_eq!(clock.now(), Duration::from_secs(5));
        clock.set_skew_ns(i64::MIN);
        assert_eq!(clock.wall(), Duration::ZERO);
    }

    #[test]
    fn drift_adds_up_and_ends_with_a_step() {
        let clock = HostClock::new(DEFAULT_EPOCH);
        let at = |s| clock.set_now(Duration::from_secs(s));
        at(10);
        clock.set_drift_ppm(-200_000);
        assert_eq!(clock.wall(), DEFAULT_EPOCH + Duration::from_secs(10), "no time has passed");
        at(20);
        assert_eq!(clock.wall(), DEFAULT_EPOCH + Duration::from_secs(18));
        assert_eq!(clock.monotonic() - MONOTONIC_BASE, Duration::from_secs(20));
        clock.set_drift_ppm(0);
        assert_eq!(clock.wall(), DEFAULT_EPOCH + Duration::from_secs(20));
    }
}
