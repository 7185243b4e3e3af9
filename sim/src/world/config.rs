//! What a world is made from, and why it cannot be.

use crate::{clock::DEFAULT_EPOCH, net::LinkModel, trace::Trace};
use std::time::Duration;

/// The window that [`WorldConfig::with_link`] chooses at most: longer ones gain little and blur latencies.
const WINDOW_MAX: Duration = Duration::from_millis(10);
pub(super) const NANOS_PER_MILLI: u128 = 1_000_000;

/// What a world is made from.
#[derive(Clone, Debug)]
pub struct WorldConfig {
    /// Everything random comes from it.
    pub seed: u64,
    /// Wall time at virtual zero, since the Unix epoch.
    pub epoch: Duration,
    /// How long hosts run without hearing of each other: whole milliseconds, no more than the smallest latency. The
    /// longer, the faster the simulation.
    pub window: Duration,
    /// The links between hosts.
    pub link: LinkModel,
    /// Where events go.
    pub trace: Trace,
}

impl WorldConfig {
    /// The default links, a window that suits them, 2026 and a trace that hashes only.
    pub fn new(seed: u64) -> Self {
        Self::with_link(seed, LinkModel::default())
    }

    /// The same with other links. The window is their smallest latency, at most 10 ms, in whole milliseconds.
    pub fn with_link(seed: u64, link: LinkModel) -> Self {
        let millis = link.latency.start().as_millis().min(WINDOW_MAX.as_millis()) as u64;
        Self { seed, epoch: DEFAULT_EPOCH, window: Duration::from_millis(millis), link, trace: Trace::new() }
    }

    /// Fails if no world can be made from it.
    pub(super) fn check(&self) -> Result<(), WorldError> {
        let (window, latency) = (self.window, *self.link.latency.start());
        if window.is_zero() || window > latency || !window.as_nanos().is_multiple_of(NANOS_PER_MILLI) {
            return Err(WorldError::Window { window, latency });
        }
        if self.link.latency.is_empty() {
            return Err(WorldError::Link("the range of latencies is empty"));
        }
        if !(0.0..=1.0).contains(&self.link.loss) {
            return Err(WorldError::Link("loss is not within 0 to 1"));
        }
        Ok(())
    }
}

/// Why a world could not be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum WorldError {
    /// The thread was not started by [`run_on_fresh_thread`](super::run_on_fresh_thread), or has had a world before.
    #[error("a world needs a fresh thread of its own: see run_on_fresh_thread")]
    NotFresh,
    /// The window is not in whole milliseconds from 1 ms to the smallest latency.
    #[error("a window of {window:?} is not in whole milliseconds from 1 ms to the smallest latency, {latency:?}")]
    Window {
        /// As given.
        window: Duration,
        /// As given.
        latency: Duration,
    },
    /// A probability of the link model is not within 0 to 1, or its range of latencies is empty.
    #[error("the link model is impossible: {0}")]
    Link(&'static str),
    /// Another library in this program defines `getrandom` or `clock_gettime`.
    #[error("the program's calls for entropy and time do not reach the simulator")]
    NotInterposed,
}
