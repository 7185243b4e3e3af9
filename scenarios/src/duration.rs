//! Durations as people write them: `20ms`, `90s`, `3m`, `1h30m`. Whole numbers, larger units first.

use std::time::Duration;

/// The units, largest first, in milliseconds.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// Reads a duration; `None` when it is not one. A unit may occur once and larger units come first.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut millis: u64 = 0;
    let mut units = UNITS.iter();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let unit_end = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let (_, scale) = units.find(|(name, _)| *name == unit)?;
        millis = millis.checked_add(number.parse::<u64>().ok()?.checked_mul(*scale)?)?;
        rest = tail;
    }
    (!text.is_empty()).then(|| Duration::from_millis(millis))
}

/// Writes a duration so that [`parse_duration`] reads it back, to the millisecond: `14m20s`.
pub fn format_duration(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if rest == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, scale) in UNITS {
        if rest >= scale {
            text.push_str(&format!("{}{unit}", rest / scale));
            rest %= scale;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{format_duration, parse_duration};

    #[test]
    fn reads_and_writes() {
        let show = |text| parse_duration(text).map_or("none".to_owned(), format_duration);
        let shown: Vec<String> = ["3m", "20ms", "90s", "1h", "1h30m", "1m500ms", "0s", "2d", "120m"].map(show).into();
        assert_eq!(shown, ["3m", "20ms", "1m30s", "1h", "1h30m", "1m500ms", "0s", "2d", "2h"]);
    }

    #[test]
    fn refuses_what_is_not_a_duration() {
        for text in
            ["", "3", "m", "3 m", "-3m", "1.5s", "3m3m", "30s1m", "3y", "99999999999999999999s", "9999999999999d"]
        {
            assert_eq!(parse_duration(text), None, "{text:?}");
        }
    }
}
