//! The links between hosts: one for each ordered pair, with a latency and a random stream of its own.

use crate::{
    entropy::{self, Stream},
    host_id::HostId,
};
use std::{collections::BTreeMap, ops::RangeInclusive, time::Duration};

/// How packets fare between any two hosts when no fault is on.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkModel {
    /// Each link draws its base latency from this range, once.
    pub latency: RangeInclusive<Duration>,
    /// A packet is later than the base by up to this much. Packets of a link never overtake one another.
    pub jitter: Duration,
    /// The probability that a packet is lost, 0 to 1.
    pub loss: f64,
}

impl Default for LinkModel {
    /// A wide-area network: 20 to 80 ms, 2 ms of jitter, no loss.
    fn default() -> Self {
        let latency = Duration::from_millis(20)..=Duration::from_millis(80);
        Self { latency, jitter: Duration::from_millis(2), loss: 0.0 }
    }
}

/// One direction between two hosts.
pub(super) struct Link {
    pub base: Duration,
    /// Jitter and loss of the model.
    pub rng: Stream,
    /// Jitter and loss of fault rules, so that a fault does not move what comes after it.
    pub fault_rng: Stream,
    /// When the last packet arrives, or arrived.
    last_arrival: Duration,
}

impl Link {
    /// When a packet arrives that would arrive at `at` if it were alone.
    pub fn arrival(&mut self, at: Duration) -> Duration {
        self.last_arrival = self.last_arrival.max(at);
        self.last_arrival
    }
}

/// All links that have been used, or asked for.
pub(super) struct Links {
    seed: u64,
    pub model: LinkModel,
    links: BTreeMap<(HostId, HostId), Link>,
}

impl Links {
    pub fn new(seed: u64, model: LinkModel) -> Self {
        Self { seed, model, links: BTreeMap::new() }
    }

    pub fn get(&mut self, from: HostId, to: HostId) -> &mut Link {
        let Self { seed, model, links } = self;
        links.entry((from, to)).or_insert_with(|| {
            let owner = format!("{from}->{to}");
            let mut rng = entropy::stream(*seed, "link", &owner);
            let base = entropy::duration(&mut rng, *model.latency.start(), *model.latency.end());
            let fault_rng = entropy::stream(*seed, "link fault", &owner);
            Link { base, rng, fault_rng, last_arrival: Duration::ZERO }
        })
    }
}
