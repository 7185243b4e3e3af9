//! Round numbers for the axes. Plain multiplication only: a logarithm may differ in its last bit between machines.

use crate::text::count;

/// Most steps on the time axis, however wide.
const TIME_STEPS_MAX: f64 = 13.0;

/// Steps of the time axis in seconds; beyond a day, whole days.
const TIME_STEPS: [f64; 16] =
    [0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 14_400.0, 43_200.0];

/// Round times from 0 to `end`, at most `steps_max` of them after the first.
pub(super) fn times(end: f64, steps_max: f64) -> Vec<f64> {
    let steps_max = steps_max.clamp(1.0, TIME_STEPS_MAX);
    let fitting = TIME_STEPS.into_iter().find(|step| end / step <= steps_max);
    multiples(fitting.unwrap_or_else(|| 86_400.0 * (end / 86_400.0 / steps_max).ceil()), end)
}

/// About four round values from 0 to the first at or above `top`; whole numbers if `whole`.
pub(super) fn values(top: f64, whole: bool) -> Vec<f64> {
    let wanted = (top / 4.0).max(if whole { 1.0 } else { 1e-6 });
    let mut power = 1e-6;
    while power * 10.0 <= wanted {
        power *= 10.0;
    }
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|step| *step >= wanted * 0.999);
    let mut step = step.unwrap_or(10.0 * power);
    if whole {
        step = step.round().max(1.0);
    }
    multiples(step, (top / step).ceil().max(1.0) * step)
}

/// Most ticks of a logarithmic axis with three to a power of ten; with more, each is a power of ten.
const FINE_TICKS_MAX: usize = 9;

/// The powers of ten that a logarithmic axis may have.
const POWERS: [f64; 10] = [0.0001, 0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0, 10_000.0, 100_000.0];

/// Round values for a logarithmic axis, at least two: from the last that is not above `low` to the first that is not below `high`.
pub(super) fn decades(low: f64, high: f64) -> Vec<f64> {
    let fine = around(&[1.0, 2.0, 5.0], low, high);
    if fine.len() <= FINE_TICKS_MAX { fine } else { around(&[1.0], low, high) }
}

fn around(multiples: &[f64], low: f64, high: f64) -> Vec<f64> {
    let all: Vec<f64> = POWERS.iter().flat_map(|power| multiples.iter().map(move |it| it * power)).collect();
    let from = all.partition_point(|tick| *tick <= low).clamp(1, all.len() - 1) - 1;
    let to = all.partition_point(|tick| *tick < high).clamp(from + 1, all.len() - 1);
    all[from..=to].to_vec()
}

/// The decimal logarithm of a positive number, to about a millionth.
pub(super) fn log10(value: f64) -> f64 {
    let (mut log, mut rest) = (0.0, value);
    while rest >= 10.0 {
        (log, rest) = (log + 1.0, rest / 10.0);
    }
    while rest < 1.0 {
        (log, rest) = (log - 1.0, rest * 10.0);
    }
    // Its digits after the point, in base two: squared, a number has twice the logarithm.
    let mut digit = 0.5;
    for _ in 0..20 {
        rest *= rest;
        if rest >= 10.0 {
            (log, rest) = (log + digit, rest / 10.0);
        }
        digit /= 2.0;
    }
    log
}

/// A value on an axis.
pub(super) fn label(value: f64) -> String {
    if (value - value.round()).abs() < 1e-6 {
        return count(value.round().max(0.0) as u64);
    }
    format!("{value:.3}").trim_end_matches('0').to_owned()
}

fn multiples(step: f64, end: f64) -> Vec<f64> {
    let last = (end / step + 1e-9).floor() as u32;
    (0..=last).map(|index| f64::from(index) * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logarithm_is_near_the_systems() {
        for value in [1e-4, 0.02, 1.0, 3.0, 9.999, 10.0, 4321.0] {
            assert!((log10(value) - value.log10()).abs() < 2e-6, "{value}: {}", log10(value));
        }
    }

    #[test]
    fn steps_are_round() {
        assert_eq!(times(720.0, 99.0), (0..=12).map(|m| f64::from(m) * 60.0).collect::<Vec<_>>());
        assert_eq!(times(720.0, 6.0), (0..=6).map(|m| f64::from(m) * 120.0).collect::<Vec<_>>());
        assert_eq!(values(3.0, true), [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(values(71.0, true), [0.0, 20.0, 40.0, 60.0, 80.0]);
        assert_eq!(values(0.0, true), [0.0, 1.0]);
        assert_eq!(values(0.9, false).iter().map(|v| label(*v)).collect::<Vec<_>>(), ["0", "0.5", "1"]);
        assert_eq!(decades(0.021, 2.0), [0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0]);
        assert_eq!(decades(0.0003, 5.0), [0.0001, 0.001, 0.01, 0.1, 1.0, 10.0]);
        assert_eq!(decades(0.1, 0.1), [0.1, 0.2], "an axis has a length");
        assert_eq!(decades(1e9, 1e9).len(), 2);
        assert!(times(1e7, 99.0).len() <= 14, "ten million seconds need few labels");
    }
}
