//! After the last fault, the nodes come together and confirm new blocks, in bounded time.
//!
//! Nothing is demanded while a fault is on: safety first, then liveness.

use super::{Checked, Invariant, Observation, Sample, Violation};
use assay_node::types::Height;
use std::time::Duration;

/// Nodes count as together when their heights differ by no more: a block is always under way.
const APART_MAX: u64 = 1;

/// The two bounds, and whether each was met.
#[derive(Debug)]
pub struct Liveness {
    caught_up_within: Duration,
    confirms_within: Duration,
    caught_up: bool,
    /// The highest block when the last fault ended; one above it must get confirmed.
    highest_at_heal: Option<Height>,
    confirmed_new: bool,
}

impl Liveness {
    /// Both bounds count from the end of the last fault, or from the start of a run without faults.
    pub fn new(caught_up_within: Duration, confirms_within: Duration) -> Self {
        Self { caught_up_within, confirms_within, caught_up: false, highest_at_heal: None, confirmed_new: false }
    }

    fn sample(&mut self, sample: &Sample) -> Result<Checked, Violation> {
        let Some(healed_for) = sample.healed_for else { return Ok(Checked::No) };
        let running: Vec<_> = sample.nodes.iter().flatten().collect();
        let highest = running.iter().map(|(height, _)| *height).max().unwrap_or_default();
        let lowest = running.iter().map(|(height, _)| *height).min().unwrap_or_default();
        let all_confirmed = running.iter().map(|(_, confirmed)| *confirmed).min().unwrap_or_default();
        let highest_at_heal = *self.highest_at_heal.get_or_insert(highest);
        self.caught_up |= !running.is_empty() && highest.0 - lowest.0 <= APART_MAX;
        self.confirmed_new |= all_confirmed > highest_at_heal;
        if !self.caught_up && healed_for > self.caught_up_within {
            let within = self.caught_up_within.as_secs();
            return Err(Violation(format!(
                "{within} s after the last fault the nodes are still apart: heights {lowest} to {highest}"
            )));
        }
        if !self.confirmed_new && healed_for > self.confirms_within {
            let within = self.confirms_within.as_secs();
            return Err(Violation(format!(
                "{within} s after the last fault not all nodes have confirmed a new block: \
                 the highest was {highest_at_heal} then, confirmed is {all_confirmed} now"
            )));
        }
        Ok(Checked::Yes)
    }
}

impl Invariant for Liveness {
    fn name(&self) -> &'static str {
        "liveness"
    }

    fn about(&self) -> &'static str {
        "After the last fault the nodes come together and confirm new blocks, in bounded time."
    }

    fn check(&mut self, _: usize, seen: &Observation<'_>) -> Result<Checked, Violation> {
        match seen {
            Observation::Sample(sample) => self.sample(sample),
            Observation::End { sample, .. } => {
                self.sample(sample)?;
                if self.caught_up && self.confirmed_new {
                    return Ok(Checked::Yes);
                }
                let missing = if self.caught_up { "a new block was confirmed" } else { "the nodes came together" };
                Err(Violation(format!("the run ended before {missing} after the last fault")))
            }
            _ => Ok(Checked::No),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::tests::sample;

    const BOUND: Duration = Duration::from_secs(60);

    fn liveness() -> Liveness {
        Liveness::new(BOUND, 2 * BOUND)
    }

    /// Nodes at `heights`, six blocks ahead of what they have confirmed, `healed_for` seconds after the last fault.
    fn at(heights: &[u64], healed_for: u64) -> Sample {
        let nodes: Vec<_> = heights.iter().map(|height| Some((*height, height.saturating_sub(6)))).collect();
        Sample { healed_for: Some(Duration::from_secs(healed_for)), ..sample(&nodes) }
    }

    fn check(liveness: &mut Liveness, sample: &Sample) -> Result<Checked, Violation> {
        liveness.check(0, &Observation::Sample(sample))
    }

    #[test]
    fn demands_nothing_while_a_fault_is_on() {
        let on = Sample { healed_for: None, ..at(&[1, 90], 0) };
        assert_eq!(check(&mut liveness(), &on), Ok(Checked::No));
    }

    #[test]
    fn fires_when_nodes_stay_apart() {
        let mut liveness = liveness();
        assert_eq!(check(&mut liveness, &at(&[10, 20], 60)), Ok(Checked::Yes));
        let violation = check(&mut liveness, &at(&[12, 22], 61)).expect_err("they are apart");
        assert_eq!(violation.0, "60 s after the last fault the nodes are still apart: heights 12 to 22");
    }

    #[test]
    fn fires_when_nothing_new_is_confirmed() {
        let mut liveness = liveness();
        assert_eq!(check(&mut liveness, &at(&[10, 10], 0)), Ok(Checked::Yes));
        let violation = check(&mut liveness, &at(&[12, 12], 121)).expect_err("10 and above are not confirmed");
        assert_eq!(
            violation.0,
            "120 s after the last fault not all nodes have confirmed a new block: \
             the highest was 10 then, confirmed is 6 now"
        );
    }

    #[test]
    fn fires_when_the_run_is_too_short_to_tell() {
        let (mut liveness, included) = (liveness(), Default::default());
        let last = at(&[10, 10], 30);
        let violation = liveness.check(0, &Observation::End { sample: &last, included: &included });
        let violation = violation.expect_err("nothing was confirmed");
        assert_eq!(violation.0, "the run ended before a new block was confirmed after the last fault");
        let last = at(&[17, 17], 31);
        assert_eq!(liveness.check(0, &Observation::End { sample: &last, included: &included }), Ok(Checked::Yes));
    }
}
