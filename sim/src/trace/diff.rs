//! Where two text traces first differ.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    io::{self, BufRead},
};

/// The first event that is not the same in two runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The host, by name.
    pub host: String,
    /// The subsystem's name.
    pub subsystem: String,
    /// The event's number within its lane, from 0.
    pub index: u64,
    /// Time and text in the left run; none if the left run has no such event.
    pub left: Option<String>,
    /// The same of the right run.
    pub right: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let none = || "(no such event)".to_owned();
        writeln!(f, "host {}, subsystem {}, event {}", self.host, self.subsystem, self.index)?;
        writeln!(f, "  left:  {}", self.left.clone().unwrap_or_else(none))?;
        write!(f, "  right: {}", self.right.clone().unwrap_or_else(none))
    }
}

/// Why two traces could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum DiffError {
    /// A trace could not be read.
    #[error("cannot read the trace")]
    Read(#[from] io::Error),
    /// A line is not `host subsystem index time text`.
    #[error("line {line} of the {side} trace is not an event: {text:?}")]
    NotAnEvent {
        /// `left` or `right`.
        side: &'static str,
        /// From 1.
        line: u64,
        /// The line.
        text: String,
    },
}

type LaneKey = (String, String);

struct Side<R> {
    name: &'static str,
    reader: R,
    line: u64,
    /// Read, not yet matched with the other side. Lanes may interleave differently; memory is bounded by how much.
    waiting: BTreeMap<LaneKey, VecDeque<(u64, String)>>,
}

impl<R: BufRead> Side<R> {
    fn new(name: &'static str, reader: R) -> Self {
        Self { name, reader, line: 0, waiting: BTreeMap::new() }
    }

    /// Reads one event; returns its lane, or none at the end.
    fn advance(&mut self) -> Result<Option<LaneKey>, DiffError> {
        let mut text = String::new();
        if self.reader.read_line(&mut text)? == 0 {
            return Ok(None);
        }
        self.line += 1;
        let event = text.trim_end_matches('\n');
        let mut parts = event.splitn(4, ' ');
        let parsed = (|| {
            let key = (parts.next()?.to_owned(), parts.next()?.to_owned());
            let index = parts.next()?.parse().ok()?;
            Some((key, index, parts.next()?.to_owned()))
        })();
        let Some((key, index, rest)) = parsed else {
            return Err(DiffError::NotAnEvent { side: self.name, line: self.line, text: event.to_owned() });
        };
        self.waiting.entry(key.clone()).or_default().push_back((index, rest));
        Ok(Some(key))
    }

    fn take(&mut self, key: &LaneKey) -> Option<(u64, String)> {
        let queue = self.waiting.get_mut(key)?;
        let event = queue.pop_front();
        if queue.is_empty() {
            self.waiting.remove(key);
        }
        event
    }
}

/// Compares two text traces lane by lane and returns the first difference in reading order. An event that only one
/// of them has counts as a difference once both are at their end.
pub fn first_difference(left: impl BufRead, right: impl BufRead) -> Result<Option<Difference>, DiffError> {
    let (mut left, mut right) = (Side::new("left", left), Side::new("right", right));
    loop {
        let keys = [left.advance()?, right.advance()?];
        if keys == [None, None] {
            break;
        }
        for key in keys.iter().flatten() {
            if !left.waiting.contains_key(key) || !right.waiting.contains_key(key) {
                continue;
            }
            let (a, b) = (left.take(key), right.take(key));
            if a != b {
                return Ok(Some(difference(key, a, b)));
            }
        }
    }
    let longer = left.waiting.keys().chain(right.waiting.keys()).next().cloned();
    Ok(longer.map(|key| {
        let (a, b) = (left.take(&key), right.take(&key));
        difference(&key, a, b)
    }))
}

fn difference(key: &LaneKey, left: Option<(u64, String)>, right: Option<(u64, String)>) -> Difference {
    let index = left.as_ref().or(right.as_ref()).map_or(0, |(index, _)| *index);
    let text = |side: Option<(u64, String)>| side.map(|(_, text)| text);
    Difference { host: key.0.clone(), subsystem: key.1.clone(), index, left: text(left), right: text(right) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(a: &str, b: &str) -> Option<Difference> {
        first_difference(a.as_bytes(), b.as_bytes()).expect("well-formed")
    }

    #[test]
    fn equal_lanes_are_equal_whatever_their_interleaving() {
        let a = "n0 disk 0 1.0 open\nn1 disk 0 1.0 open\nn0 disk 1 1.5 sync\n";
        let b = "n0 disk 0 1.0 open\nn0 disk 1 1.5 sync\nn1 disk 0 1.0 open\n";
        assert_eq!(diff(a, b), None);
    }

    #[test]
    fn the_first_differing_event_is_named_with_both_sides() {
        let a = "n0 disk 0 1.0 open\nn0 disk 1 1.5 append 5\nn0 disk 2 1.5 sync\n";
        let b = "n0 disk 0 1.0 open\nn0 disk 1 1.5 append 6\nn0 disk 2 1.6 sync\n";
        let found = diff(a, b).expect("they differ");
        assert_eq!((found.host.as_str(), found.subsystem.as_str(), found.index), ("n0", "disk", 1));
        assert_eq!(found.left.as_deref(), Some("1.5 append 5"));
        assert_eq!(found.right.as_deref(), Some("1.5 append 6"));
    }

    #[test]
    fn a_longer_run_differs_where_the_other_ends() {
        let found = diff("n0 disk 0 1.0 open\n", "n0 disk 0 1.0 open\nn0 disk 1 2.0 sync\n").expect("they differ");
        assert_eq!((found.index, found.left, found.right.as_deref()), (1, None, Some("2.0 sync")));
    }

    #[test]
    fn a_line_that_is_no_event_is_an_error_with_its_number() {
        let error = first_difference(&b"n0 disk 0 1.0 x\nnonsense\n"[..], &b"n0 disk 0 1.0 x\n"[..]).unwrap_err();
        assert_eq!(error.to_string(), "line 2 of the left trace is not an event: \"nonsense\"");
    }
}
