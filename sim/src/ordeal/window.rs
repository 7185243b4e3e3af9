//! What the chains did around the first violation, step by step, for the report's space-time diagram.

use super::seen::Seen;
use assay_node::{chain::ChainEvent, crypto::Hash, types::Height};
use assay_reports::{Step, StepKind};
use std::{collections::VecDeque, time::Duration};

/// How long before the violation it begins, at most: six blocks of a chain that takes ten seconds for each.
const BEFORE: Duration = Duration::from_secs(60);
/// How long after it it ends.
const AFTER: Duration = Duration::from_secs(5);
/// Steps, at most: the last ones before the violation, and as many after it as there is room for.
const STEPS_MAX: usize = 400;

/// The steps, up to now or around the violation.
#[derive(Default)]
pub(super) struct Window(VecDeque<(Duration, Step)>);

impl Window {
    /// A node's chain did something; `violated_at` is when the first violation was, if there was one before this.
    pub fn seen(&mut self, at: Duration, node: usize, seen: &Seen, violated_at: Option<Duration>) {
        let step = |kind, height: Height, block: Option<&Hash>| Step {
            at: at.as_secs_f64(),
            host: format!("n{node}"),
            kind,
            height: height.0,
            block: block.map_or_else(String::new, short),
        };
        let step = match seen {
            Seen::Event(ChainEvent::Produced { height, hash }, _) => step(StepKind::Made, *height, Some(hash)),
            Seen::Event(ChainEvent::Head { height, hash, .. }, _) => step(StepKind::Head, *height, Some(hash)),
            Seen::Event(ChainEvent::Confirmed { height, hash, .. }, _) => {
                step(StepKind::Confirmed, *height, Some(hash))
            }
            Seen::Event(ChainEvent::Reorganised { fork, .. }, _) => step(StepKind::TakenBack, *fork, None),
            Seen::Read { fork, .. } => step(StepKind::Read, *fork, None),
            Seen::Event(ChainEvent::ConfirmedReverted { .. } | ChainEvent::Reloaded { .. }, _) => return,
        };
        match violated_at {
            Some(violated_at) if at > violated_at + AFTER || self.0.len() == STEPS_MAX => return,
            Some(_) => {}
            None => {
                let is_old = |(then, _): &(Duration, Step)| at.saturating_sub(*then) > BEFORE;
                while self.0.front().is_some_and(is_old) || self.0.len() >= STEPS_MAX / 2 {
                    self.0.pop_front();
                }
            }
        }
        self.0.push_back((at, step));
    }

    /// All of them.
    pub fn steps(&self) -> Vec<Step> {
        self.0.iter().map(|(_, step)| step.clone()).collect()
    }
}

fn short(hash: &Hash) -> String {
    hash.to_string().chars().take(8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(window: &mut Window, at: u64, violated_at: Option<u64>) {
        let event = ChainEvent::Head { height: Height(at), hash: Hash::default(), transactions: Vec::new() };
        let violated_at = violated_at.map(Duration::from_secs);
        window.seen(Duration::from_secs(at), 1, &Seen::Event(event, None), violated_at);
    }

    #[test]
    fn it_holds_what_was_just_before_and_just_after() {
        let mut window = Window::default();
        for at in 0..=100 {
            head(&mut window, at, None);
        }
        for at in 101..=200 {
            head(&mut window, at, Some(100));
        }
        let heights: Vec<u64> = window.steps().iter().map(|step| step.height).collect();
        assert_eq!(heights, (40..=105).collect::<Vec<_>>());
    }

    #[test]
    fn it_is_bounded() {
        let mut window = Window::default();
        for _ in 0..1000 {
            head(&mut window, 7, None);
        }
        assert_eq!(window.steps().len(), STEPS_MAX / 2);
        for _ in 0..1000 {
            head(&mut window, 8, Some(7));
        }
        assert_eq!(window.steps().len(), STEPS_MAX);
    }
}
