//! How wrong a wall clock is.

use crate::format_duration;
use std::{fmt, time::Duration};

/// What a `clock` fault adds to the wall clock of a machine while it lasts. At its end the clock is set right, in one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockError {
    /// How far it is off from the start of the fault, in milliseconds; positive is fast. At most
    /// [`SKEW_MAX`](crate::limits::SKEW_MAX) either way.
    pub skew_ms: i64,
    /// How much faster it runs from then on, in millionths; within [`DRIFT_PPM`](crate::limits::DRIFT_PPM).
    pub drift_ppm: i64,
}

/// In words: `30s fast, gaining 200ms a second`.
impl fmt::Display for ClockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = format_duration(Duration::from_millis(self.skew_ms.unsigned_abs()));
        let skew = match self.skew_ms {
            0 => None,
            1.. => Some(format!("{size} fast")),
            _ => Some(format!("{size} slow")),
        };
        let drift = match self.drift_ppm {
            0 => None,
            ppm => Some(format!("drifting by {ppm:+} ppm")),
        };
        let parts: Vec<_> = skew.into_iter().chain(drift).collect();
        write!(f, "clock {}", parts.join(", "))
    }
}
