//! All invariants of a run, and what each has found.

use crate::invariants::{
    Checked, Invariant, Observation, agreement::Agreement, bounded::Bounded, finality::Finality, innocence::Innocence,
    liveness::Liveness, no_panic::NoPanic, noticed::Noticed, served::Served, state_root::StateRoot, supply::Supply,
    validity::Validity,
};
use assay_node::{
    crypto::Address,
    types::{Block, Genesis},
};
use assay_scenarios::Expect;
use std::{collections::BTreeSet, time::Duration};

/// The first time that a property did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub at: Duration,
    pub detail: String,
}

/// One property and what became of it.
pub(super) struct Check {
    pub invariant: Box<dyn Invariant>,
    /// How often it was held against something.
    pub count: u64,
    pub found: Option<Found>,
}

/// All properties.
pub(super) struct Checks(Vec<Check>);

impl Checks {
    /// `liars` are the validators that may contradict themselves.
    pub fn new(genesis: &Genesis, first: &Block, expect: &Expect, liars: BTreeSet<Address>) -> Self {
        let all: [Box<dyn Invariant>; 11] = [
            Box::<Agreement>::default(),
            Box::new(Validity::new(genesis, first)),
            Box::new(StateRoot::new(genesis, first)),
            Box::new(Supply::new(genesis, first)),
            Box::<Finality>::default(),
            Box::<Noticed>::default(),
            Box::<Served>::default(),
            Box::new(Innocence::new(liars)),
            Box::<NoPanic>::default(),
            Box::<Bounded>::default(),
            Box::new(Liveness::new(expect.caught_up_within, expect.confirms_within)),
        ];
        Self(all.into_iter().map(|invariant| Check { invariant, count: 0, found: None }).collect())
    }

    /// Holds an observation against every property that still stands.
    pub fn observe(&mut self, at: Duration, node: usize, seen: &Observation<'_>) {
        for check in self.0.iter_mut().filter(|check| check.found.is_none()) {
            match check.invariant.check(node, seen) {
                Ok(Checked::No) => {}
                Ok(Checked::Yes) => check.count += 1,
                Err(violation) => {
                    check.count += 1;
                    check.found = Some(Found { at, detail: violation.0 });
                }
            }
        }
    }

    /// Every property with what became of it.
    pub fn all(&self) -> &[Check] {
        &self.0
    }

    /// The violation that came first.
    pub fn first_violation(&self) -> Option<(&'static str, &Found)> {
        let found = self.0.iter().filter_map(|check| Some((check.invariant.name(), check.found.as_ref()?)));
        found.min_by_key(|(_, found)| found.at)
    }
}
