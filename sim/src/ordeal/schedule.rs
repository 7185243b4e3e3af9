//! The planned faults of a run, and what became of each.

use assay_scenarios::{Plan, PlannedFault};
use std::time::Duration;

/// Something that was done, for the timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// When.
    pub at: Duration,
    /// To whom; `None` for the network.
    pub node: Option<usize>,
    /// Its kind: that of its fault, `heal`, `start` or `resume`.
    pub kind: String,
    /// What was done.
    pub detail: String,
}

/// A planned fault and what became of it.
#[derive(Clone, Debug)]
pub struct Progress {
    /// The plan.
    pub fault: PlannedFault,
    /// When it began.
    pub applied_at: Option<Duration>,
    /// When its effect was over.
    pub ended_at: Option<Duration>,
    /// What it met: packets dropped or delayed, processes stopped, operations of a disk struck, bits flipped, nodes that
    /// ran out of space or refused to start. 0 has not fired.
    pub hits: u64,
}

/// All faults of a plan, in its order.
#[derive(Clone, Debug)]
pub struct Schedule(Vec<Progress>);

impl Schedule {
    /// Nothing is done yet.
    pub fn new(plan: &Plan) -> Self {
        let planned =
            |fault: &PlannedFault| Progress { fault: fault.clone(), applied_at: None, ended_at: None, hits: 0 };
        Self(plan.faults.iter().map(planned).collect())
    }

    /// What became of each fault.
    pub fn progress(&self) -> &[Progress] {
        &self.0
    }

    /// Fault number `n` of the plan, from 0, to note what becomes of it.
    ///
    /// # Panics
    /// When there is none.
    pub fn of(&mut self, n: usize) -> &mut Progress {
        &mut self.0[n]
    }

    /// The faults that are on now.
    pub fn on(&self) -> impl Iterator<Item = &Progress> {
        self.0.iter().filter(|fault| fault.applied_at.is_some() && fault.ended_at.is_none())
    }

    /// When the last fault was over; `None` while one is on or still to come. A node that stays down is no longer a
    /// fault that is on: the others must go on without it.
    pub fn healed_at(&self) -> Option<Duration> {
        let over = |fault: &Progress| match (fault.fault.until, fault.ended_at) {
            (Some(_), ended_at) => ended_at,
            (None, _) => fault.applied_at,
        };
        self.0.iter().map(over).try_fold(Duration::ZERO, |latest, at| Some(latest.max(at?)))
    }
}
