//! An axis that knows its ticks and how to write them.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

/// The axis; values outside of `range` are mapped as well.
pub(super) struct Axis {
    /// Values at its two ends; the second is the greater.
    pub(super) range: Range<f64>,
    /// Where the labels are.
    pub(super) ticks: Vec<f64>,
    /// How a label is written.
    pub(super) label: fn(f64) -> String,
    /// What grows evenly along the axis: the value itself, or its logarithm.
    pub(super) scale: fn(f64) -> f64,
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let [start, end, value] = [self.range.start, self.range.end, *value].map(self.scale);
        let share = (value - start) / (end - start);
        limit.0 + (share * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        // Light points would be unlabelled rules between the ticks.
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.clone() }
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

impl ValueFormatter<f64> for Axis {
    fn format(value: &f64) -> String {
        value.to_string()
    }

    fn format_ext(&self, value: &f64) -> String {
        (self.label)(*value)
    }
}
