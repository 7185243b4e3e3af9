//! Samples of a series made fit for drawing. A sample holds until the next one.

use std::collections::BTreeMap;

use crate::parts::Series;

/// Most samples drawn per line, about two per pixel; the rest would only make the file large.
const SAMPLES_MAX: usize = 2000;

/// Slices that a smoothed line is averaged over.
pub(super) const SLICES: usize = 240;

/// Samples of one node: seconds and value, both finite.
pub(super) type Samples = Vec<(f64, f64)>;

/// Lines of `series` by node, made smaller by `reduce`; lines without a finite sample are left out.
pub(super) fn lines(series: &Series, reduce: impl Fn(Samples) -> Samples) -> Vec<(&str, Samples)> {
    let finite =
        |samples: &[(f64, f64)]| samples.iter().copied().filter(|it| it.0.is_finite() && it.1.is_finite()).collect();
    series
        .lines
        .iter()
        .map(|(node, samples)| (node.as_str(), reduce(finite(samples))))
        .filter(|(_, samples)| !samples.is_empty())
        .collect()
}

/// Lowest, middle and highest value of all `lines` at each time that any of them has a sample.
pub(super) fn envelope(lines: &[(&str, Samples)]) -> Vec<(f64, [f64; 3])> {
    let mut times: Vec<f64> = lines.iter().flat_map(|(_, samples)| samples.iter().map(|(at, _)| *at)).collect();
    times.sort_by(f64::total_cmp);
    times.dedup();
    let mut cursors = vec![0; lines.len()];
    let mut out = Vec::new();
    for at in times {
        let mut values = Vec::new();
        for ((_, samples), cursor) in lines.iter().zip(&mut cursors) {
            while samples.get(*cursor).is_some_and(|(when, _)| *when <= at) {
                *cursor += 1;
            }
            values.extend(cursor.checked_sub(1).map(|index| samples[index].1));
        }
        values.sort_by(f64::total_cmp);
        if let (Some(low), Some(high)) = (values.first(), values.last()) {
            out.push((at, [*low, values[values.len() / 2], *high]));
        }
    }
    out
}

/// Length of the slices of a smoothed line over `duration`, in seconds.
pub(super) fn slice(duration: f64) -> f64 {
    duration / SLICES as f64
}

/// The mean of `samples` in each of [`SLICES`] equal slices of `duration` that has any, at the middle of the slice; as
/// they are if they are fewer. For rates, whose every wiggle would hide the lines behind.
pub(super) fn smooth(samples: Samples, duration: f64) -> Samples {
    if samples.len() <= SLICES {
        return samples;
    }
    let slice = slice(duration);
    let mut sums: BTreeMap<usize, (f64, u32)> = BTreeMap::new();
    for (at, value) in samples {
        let sum = sums.entry(((at / slice).max(0.0) as usize).min(SLICES - 1)).or_default();
        *sum = (sum.0 + value, sum.1 + 1);
    }
    sums.into_iter().map(|(index, (sum, n))| ((index as f64 + 0.5) * slice, sum / f64::from(n))).collect()
}

/// Drops samples that repeat the value before and after them, then keeps the extremes of equal shares.
pub(super) fn thin(finite: Samples) -> Samples {
    let mut kept: Samples = Vec::new();
    for (index, sample) in finite.iter().enumerate() {
        let same = |other: Option<&(f64, f64)>| other.is_some_and(|other| other.1 == sample.1);
        if !(same(kept.last()) && same(finite.get(index + 1))) {
            kept.push(*sample);
        }
    }
    if kept.len() <= SAMPLES_MAX {
        return kept;
    }
    let share = kept.len().div_ceil(SAMPLES_MAX / 2);
    kept.chunks(share)
        .flat_map(|chunk| {
            let low = chunk.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1));
            let high = chunk.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1));
            let mut pair: Samples = low.into_iter().chain(high).collect();
            pair.sort_by(|a, b| a.0.total_cmp(&b.0));
            pair.dedup();
            pair
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_corners_and_extremes() {
        let flat = [(0.0, 1.0), (1.0, 1.0), (2.0, 1.0), (3.0, 4.0)];
        assert_eq!(thin(flat.to_vec()), [(0.0, 1.0), (2.0, 1.0), (3.0, 4.0)]);
        let mut long: Samples = (0..100_000).map(|i| (f64::from(i), f64::from(i % 7))).collect();
        long[50_001].1 = 99.0;
        let thinned = thin(long);
        assert!(thinned.len() <= SAMPLES_MAX, "{} samples", thinned.len());
        assert!(thinned.contains(&(50_001.0, 99.0)), "the peak is drawn");
    }

    #[test]
    fn smoothing_averages_equal_slices() {
        let few = vec![(0.0, 1.0), (1.0, 9.0)];
        assert_eq!(smooth(few.clone(), 480.0), few);
        let many: Samples = (0..480).map(|at| (f64::from(at), f64::from(at % 2))).collect();
        let smoothed = smooth(many, 480.0);
        assert_eq!(smoothed.len(), SLICES);
        assert_eq!(smoothed[3], (7.0, 0.5));
    }

    #[test]
    fn the_envelope_spans_all_lines() {
        let lines = [("a", vec![(0.0, 1.0), (2.0, 5.0)]), ("b", vec![(1.0, 3.0)])];
        assert_eq!(envelope(&lines), [(0.0, [1.0; 3]), (1.0, [1.0, 3.0, 3.0]), (2.0, [3.0, 5.0, 5.0])]);
    }
}
