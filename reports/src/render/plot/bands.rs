//! Faults and violations over time: marked in the plot and named in lanes above it, so that no two names overlap.

use super::canvas::width;
use crate::parts::InvariantStatus;
use crate::record::Record;
use crate::text::clock;

/// Most lanes above a plot. Faults beyond them are shaded without a name.
const LANES_MAX: usize = 6;

/// Narrowest shading, so that an instant fault is seen.
const BAR_MIN: i32 = 6;

/// An applied fault, or an invariant's violation.
pub(super) struct Band {
    /// When it took effect, in virtual seconds.
    pub(super) from: f64,
    /// When it ended, or the end of the run.
    pub(super) to: f64,
    kind: Kind,
    label: String,
}

/// What a band stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Shaded from its start to its end.
    Fault,
    /// A line at one instant.
    Violation,
}

/// Where a band is drawn, in drawing units.
pub(super) struct Placed {
    /// What it stands for.
    pub(super) kind: Kind,
    /// Left edge.
    pub(super) left: i32,
    /// Right edge.
    pub(super) right: i32,
    /// Name, its left edge, and the lane it is in; `None` if all lanes are taken.
    pub(super) label: Option<(String, i32, usize)>,
}

impl Band {
    /// The faults of `record` that were applied and its violations. Several faults are named with their ids.
    pub(super) fn of(record: &Record) -> Vec<Band> {
        let applied = record.faults.iter().filter_map(|fault| {
            let from = fault.applied_at?;
            let label = match record.faults.len() {
                1 => fault.kind.clone(),
                _ => format!("{} {}", fault.id, fault.kind),
            };
            Some(Band {
                from,
                to: fault.ended_at.unwrap_or(record.virtual_seconds).max(from),
                kind: Kind::Fault,
                label,
            })
        });
        let violated = record.invariants.iter().filter(|it| it.status == InvariantStatus::Violated);
        let violations = violated.filter_map(|it| {
            Some(Band { from: it.at?, to: it.at?, kind: Kind::Violation, label: format!("{} violated", it.name) })
        });
        let mut bands: Vec<Band> = applied.chain(violations).collect();
        bands.sort_by(|a, b| a.from.total_cmp(&b.from));
        bands
    }

    /// The band in words: `f1 partition from 3:00 to 5:00`.
    pub(super) fn words(&self) -> String {
        match self.kind {
            Kind::Fault => format!("{} from {} to {}", self.label, clock(self.from), clock(self.to)),
            Kind::Violation => format!("{} at {}", self.label, clock(self.from)),
        }
    }
}

/// Places `bands` on the time axis given by `x` and gives each name the first free lane. Returns the number of lanes.
pub(super) fn place(bands: &[Band], x: impl Fn(f64) -> i32, edge: i32) -> (Vec<Placed>, usize) {
    let mut free_from: Vec<i32> = Vec::new();
    let placed = bands
        .iter()
        .map(|band| {
            let left = x(band.from).min(edge - BAR_MIN);
            let right = x(band.to).clamp(left + BAR_MIN, edge.max(left + BAR_MIN));
            let room = width(&band.label);
            // Inside the bar if it fits, else to its right, else to its left.
            let at = match right - left {
                bar if bar >= room + 12 => left + (bar - room) / 2,
                _ if right + 10 + room <= edge => right + 10,
                _ => (left - 10 - room).max(0),
            };
            let (start, end) = (left.min(at), right.max(at + room) + 16);
            let lane = free_from.iter().position(|free| *free <= start).unwrap_or(free_from.len());
            if lane >= LANES_MAX {
                return Placed { kind: band.kind, left, right, label: None };
            }
            match free_from.get_mut(lane) {
                Some(free) => *free = end,
                None => free_from.push(end),
            }
            Placed { kind: band.kind, left, right, label: Some((band.label.clone(), at, lane)) }
        })
        .collect();
    (placed, free_from.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn band(from: f64, to: f64) -> Band {
        Band { from, to, kind: Kind::Fault, label: "partition".into() }
    }

    #[test]
    fn names_that_would_overlap_take_another_lane() {
        let bands = [band(0.0, 400.0), band(10.0, 20.0), band(900.0, 990.0)];
        let (placed, lanes) = place(&bands, |at| at as i32, 1000);
        let lane = |index: usize| placed[index].label.as_ref().map(|(_, at, lane)| (*at, *lane));
        assert_eq!(lanes, 2);
        assert_eq!((lane(0).map(|it| it.1), lane(1).map(|it| it.1)), (Some(0), Some(1)));
        let (at, _) = lane(2).expect("there is a free lane");
        assert!(at + width("partition") < 900, "no room on the right: the name is on the left, at {at}");
    }

    #[test]
    fn faults_beyond_the_lanes_are_shaded_without_a_name() {
        let bands: Vec<Band> = (0..9).map(|_| band(0.0, 900.0)).collect();
        let (placed, lanes) = place(&bands, |at| at as i32, 1000);
        assert_eq!(lanes, LANES_MAX);
        assert_eq!(placed.iter().filter(|it| it.label.is_none()).count(), 3);
    }
}
