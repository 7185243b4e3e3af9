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
    fn steps_are_round() {
        assert_eq!(times(720.0, 99.0), (0..=12).map(|m| f64::from(m) * 60.0).collect::<Vec<_>>());
        assert_eq!(times(720.0, 6.0), (0..=6).map(|m| f64::from(m) * 120.0).collect::<Vec<_>>());
        assert_eq!(values(3.0, true), [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(values(71.0, true), [0.0, 20.0, 40.0, 60.0, 80.0]);
        assert_eq!(values(0.0, true), [0.0, 1.0]);
        assert_eq!(values(0.9, false).iter().map(|v| label(*v)).collect::<Vec<_>>(), ["0", "0.5", "1"]);
        assert!(times(1e7, 99.0).len() <= 14, "ten million seconds need few labels");
    }
}
