//! Fault rules: what the network does to the packets of chosen hosts, on top of its links' own model.

use crate::host_id::HostId;
use std::{collections::BTreeSet, time::Duration};

/// One fault, in one direction. It holds for packets from any of `from` to any of `to`.
#[derive(Clone, Debug, PartialEq)]
pub enum Rule {
    /// No packet gets through. Packets that are on their way when the rule comes still arrive.
    Block {
        /// The senders.
        from: BTreeSet<HostId>,
        /// The receivers.
        to: BTreeSet<HostId>,
    },
    /// Packets are late or lost.
    Degrade {
        /// The senders.
        from: BTreeSet<HostId>,
        /// The receivers.
        to: BTreeSet<HostId>,
        /// Added to the latency of each packet.
        delay: Duration,
        /// A packet is later by up to this much more.
        jitter: Duration,
        /// The probability that a packet is lost, 0 to 1.
        loss: f64,
    },
}

impl Rule {
    /// The two rules that keep two groups apart.
    pub fn partition(a: &BTreeSet<HostId>, b: &BTreeSet<HostId>) -> [Self; 2] {
        [Self::Block { from: a.clone(), to: b.clone() }, Self::Block { from: b.clone(), to: a.clone() }]
    }

    /// True if the rule holds for packets of this direction.
    pub fn covers(&self, src: HostId, dst: HostId) -> bool {
        let (Self::Block { from, to } | Self::Degrade { from, to, .. }) = self;
        from.contains(&src) && to.contains(&dst)
    }
}

/// Names a rule of a network; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleId(pub(super) u64);

/// What a rule has done, in packets. A fault whose rule hit nothing did not happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuleStats {
    /// Packets that it dropped.
    pub dropped: u64,
    /// Packets that it made late.
    pub delayed: u64,
}

impl RuleStats {
    /// Packets that it touched.
    pub fn hits(&self) -> u64 {
        self.dropped + self.delayed
    }
}
