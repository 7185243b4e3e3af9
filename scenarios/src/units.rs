//! Quantities with their units: nodes, loss, latency, rate, sizes.

use crate::{format_duration, parse_duration};
use std::{fmt, time::Duration};

/// A node by its position, from 0; written `n0`, `n1`, ...
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIndex(pub u16);

impl NodeIndex {
    /// The position as an index into a list of nodes.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// Reads `n12`; `None` for another form, such as `n012` or `node1`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('n')?;
        let index: u16 = digits.parse().ok()?;
        (index.to_string() == digits).then_some(NodeIndex(index))
    }
}

impl fmt::Display for NodeIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}", self.0)
    }
}

/// The part of packets that is lost, in millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Loss(u32);

impl Loss {
    /// No packet is lost.
    pub const NONE: Loss = Loss(0);
    /// Every packet is lost.
    pub const ALL: Loss = Loss(1_000_000);

    /// From millionths; more than a million counts as a million.
    pub fn from_parts_per_million(parts: u32) -> Self {
        Loss(parts).min(Self::ALL)
    }

    /// Reads a percentage of 0 to 100 with up to four decimals, such as `1%` or `0.25%`; `None` for another form.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, decimals) = text.strip_suffix('%').map(|number| number.split_once('.').unwrap_or((number, "0")))?;
        let digits = |part: &str, most| (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole, 3) || !digits(decimals, 4) {
            return None;
        }
        let parts = whole.parse::<u32>().ok()? * 10_000 + format!("{decimals:0<4}").parse::<u32>().ok()?;
        (parts <= Self::ALL.0).then_some(Loss(parts))
    }

    /// From a fraction of 0 to 1, rounded to a millionth; `None` outside.
    pub fn from_fraction(fraction: f64) -> Option<Self> {
        (0.0..=1.0).contains(&fraction).then(|| Loss((fraction * 1e6).round() as u32))
    }

    /// Millionths, 0 to 1,000,000.
    pub fn parts_per_million(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", f64::from(self.0) / 1e4)
    }
}

/// One-way latency: drawn for each packet, or each link, between `min` and `max`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatencyRange {
    /// Least; at least a millisecond.
    pub min: Duration,
    /// Greatest; not below `min`.
    pub max: Duration,
}

impl LatencyRange {
    /// Reads `20ms..80ms`, or one duration for both; `None` for another form or a greatest below the least.
    pub fn parse(text: &str) -> Option<Self> {
        let (min, max) = text.split_once("..").unwrap_or((text, text));
        let range = LatencyRange { min: parse_duration(min)?, max: parse_duration(max)? };
        (range.min <= range.max).then_some(range)
    }
}

impl fmt::Display for LatencyRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", format_duration(self.min), format_duration(self.max))
    }
}

/// Transfers per second, kept in millionths so that times derived from it are exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TransferRate(u64);

impl TransferRate {
    /// From transfers per second, rounded to a millionth; `None` when negative or not finite.
    pub fn per_second(rate: f64) -> Option<Self> {
        (rate.is_finite() && rate >= 0.0).then(|| TransferRate((rate * 1e6).round() as u64))
    }

    /// Transfers in a million seconds.
    pub fn per_million_seconds(self) -> u64 {
        self.0
    }

    /// Time between two transfers, to the nanosecond; `None` when there are none.
    pub fn interval(self) -> Option<Duration> {
        1_000_000_000_000_000_u64.checked_div(self.0).map(Duration::from_nanos)
    }
}

/// A number of bytes; written `64KiB`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

impl ByteSize {
    /// The units, largest first, in bytes.
    const UNITS: [(&'static str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

    /// Reads a whole number with its unit; `None` for another form, such as `64 KB`.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
        let (_, scale) = Self::UNITS.iter().find(|(name, _)| *name == unit)?;
        number.parse::<u64>().ok()?.checked_mul(*scale).map(ByteSize)
    }
}

/// In the largest unit that leaves a whole number, so that [`ByteSize::parse`] reads it back.
impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |(_, scale): &&(&str, u64)| self.0 >= *scale && self.0.is_multiple_of(*scale);
        let (unit, scale) = Self::UNITS.iter().find(whole).copied().unwrap_or(("B", 1));
        write!(f, "{}{unit}", self.0 / scale)
    }
}

#[cfg(test)]
mod tests {
    use super::{ByteSize, Loss, NodeIndex, TransferRate};
    use std::time::Duration;

    #[test]
    fn node_names_have_one_spelling() {
        assert_eq!(NodeIndex::parse("n12"), Some(NodeIndex(12)));
        for text in ["n", "n01", "n+1", "N1", "node1", "1", "n99999", ""] {
            assert_eq!(NodeIndex::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn byte_sizes_have_their_units() {
        let show = |text| ByteSize::parse(text).map_or("none".to_owned(), |size| size.to_string());
        let shown: Vec<String> = ["0B", "0MiB", "64KiB", "65536B", "1025KiB", "1024MiB", "007B"].map(show).into();
        assert_eq!(shown, ["0B", "0B", "64KiB", "64KiB", "1025KiB", "1GiB", "7B"]);
        for text in ["", "64", "B", "64 KiB", "64KB", "64kib", "1.5MiB", "-1B", "1MiB1KiB", "20000000000GiB"] {
            assert_eq!(ByteSize::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn loss_and_rate_are_exact() {
        assert_eq!(Loss::from_fraction(0.01).map(Loss::parts_per_million), Some(10_000));
        assert_eq!(Loss::from_fraction(0.000_25).map(|loss| loss.to_string()).as_deref(), Some("0.025%"));
        assert_eq!(Loss::from_fraction(f64::NAN), None);
        let rate = TransferRate::per_second(0.5).unwrap_or_default();
        assert_eq!(rate.interval(), Some(Duration::from_secs(2)));
        assert_eq!(TransferRate::default().interval(), None);
    }
}
