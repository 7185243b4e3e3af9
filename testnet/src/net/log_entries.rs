//! Log lines of several nodes in one order. Pure but for the readers it is given.
//!
//! An entry is a line with a time and the lines without one that follow it: a panic's backtrace, or what a node says before its
//! log begins. Entries of one file keep their order whatever their times say; files are merged by time, and by node where
//! times are equal.

use std::{
    io::{self, BufRead, Read},
    iter::Peekable,
    time::UNIX_EPOCH,
};

/// Bytes of a line that are kept; what is behind them is left out.
pub(crate) const LINE_BYTES_MAX: usize = 64 * 1024;

/// Lines of one entry; those behind them are an entry of their own, with its time.
const ENTRY_LINES_MAX: usize = 1000;

/// A line with a time, and the lines that belong to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Microseconds since 1970; 0 when no time was seen before it.
    pub at: u64,
    /// Its node's number.
    pub node: usize,
    /// At least one.
    pub lines: Vec<String>,
}

/// The entries of one node's log.
pub(crate) struct Entries<R> {
    node: usize,
    reader: R,
    /// The last time that was seen.
    at: u64,
    /// The line that ended the entry before.
    next: Option<(u64, String)>,
}

impl<R: BufRead> Entries<R> {
    pub(crate) fn new(node: usize, reader: R) -> Self {
        Self { node, reader, at: 0, next: None }
    }

    fn line(&mut self) -> io::Result<Option<String>> {
        let mut bytes = Vec::new();
        let limit = LINE_BYTES_MAX as u64;
        if self.reader.by_ref().take(limit).read_until(b'\n', &mut bytes)? == 0 {
            return Ok(None);
        }
        if bytes.last() != Some(&b'\n') && bytes.len() == LINE_BYTES_MAX {
            self.reader.skip_until(b'\n')?;
        }
        Ok(Some(String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned()))
    }

    fn entry(&mut self) -> io::Result<Option<Entry>> {
        let first = match self.next.take() {
            Some(first) => Some(first),
            None => self.line()?.map(|line| (time(&line).unwrap_or(self.at), line)),
        };
        let Some((at, line)) = first else { return Ok(None) };
        self.at = at;
        let mut entry = Entry { at, node: self.node, lines: vec![line] };
        while entry.lines.len() < ENTRY_LINES_MAX {
            match self.line()? {
                None => break,
                Some(line) => match time(&line) {
                    None => entry.lines.push(line),
                    Some(at) => {
                        self.next = Some((at, line));
                        break;
                    }
                },
            }
        }
        Ok(Some(entry))
    }
}

impl<R: BufRead> Iterator for Entries<R> {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        self.entry().transpose()
    }
}

/// All entries in one order. After an error of a reader its entries are over; the error comes as soon as it is met.
pub(crate) fn merge<R: BufRead>(logs: Vec<Entries<R>>) -> impl Iterator<Item = io::Result<Entry>> {
    let mut logs: Vec<Peekable<Entries<R>>> = logs.into_iter().map(Iterator::peekable).collect();
    std::iter::from_fn(move || {
        let key = |entry: &io::Result<Entry>| entry.as_ref().map_or((0, 0), |entry| (entry.at, entry.node));
        let heads = logs.iter_mut().enumerate().filter_map(|(n, log)| Some((key(log.peek()?), n)));
        let (_, n) = heads.min()?;
        let entry = logs[n].next();
        if matches!(entry, Some(Err(_))) {
            drop(logs.remove(n));
        }
        entry
    })
}

/// The time that a line begins with, as the node's log has it in both of its forms.
pub(crate) fn time(line: &str) -> Option<u64> {
    let text = match line.strip_prefix(r#"{"timestamp":""#) {
        Some(rest) => rest.split_once('"')?.0,
        None => line.split_once(' ')?.0,
    };
    let time = humantime::parse_rfc3339(text).ok()?;
    u64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_micros()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(logs: &[&str]) -> Vec<String> {
        let logs = logs.iter().enumerate().map(|(n, text)| Entries::new(n, text.as_bytes())).collect();
        let line = |entry: io::Result<Entry>| {
            let entry = entry.expect("memory can be read");
            format!("n{} {}", entry.node, entry.lines.join(" | "))
        };
        merge(logs).map(line).collect()
    }

    #[test]
    fn lines_are_in_the_order_of_time_and_those_without_stay_with_theirs() {
        let n0 = "early word\n2026-11-29T10:00:01.000001Z  INFO a\n2026-11-29T10:00:03Z ERROR panicked\n   0: frame\n   1: frame\n";
        let n1 = "2026-11-29T10:00:02Z  INFO b\n2026-11-29T10:00:03Z  INFO c";
        let n2 = "{\"timestamp\":\"2026-11-29T10:00:01.5Z\",\"level\":\"INFO\"}\n";
        assert_eq!(
            merged(&[n0, n1, n2]),
            [
                "n0 early word",
                "n0 2026-11-29T10:00:01.000001Z  INFO a",
                "n2 {\"timestamp\":\"2026-11-29T10:00:01.5Z\",\"level\":\"INFO\"}",
                "n1 2026-11-29T10:00:02Z  INFO b",
                "n0 2026-11-29T10:00:03Z ERROR panicked |    0: frame |    1: frame",
                "n1 2026-11-29T10:00:03Z  INFO c",
            ]
        );
    }

    #[test]
    fn a_log_keeps_its_own_order_when_its_clock_steps_back() {
        let n0 = "2026-11-29T10:00:05Z a\n2026-11-29T10:00:01Z b\n";
        let n1 = "2026-11-29T10:00:02Z c\n";
        assert_eq!(
            merged(&[n0, n1]),
            ["n1 2026-11-29T10:00:02Z c", "n0 2026-11-29T10:00:05Z a", "n0 2026-11-29T10:00:01Z b"]
        );
    }

    #[test]
    fn a_line_and_an_entry_are_bounded() {
        let long = format!("2026-11-29T10:00:05Z {}\nnext\n", "x".repeat(2 * LINE_BYTES_MAX));
        let entries: Vec<_> =
            Entries::new(0, long.as_bytes()).map(|entry| entry.expect("memory can be read")).collect();
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].lines[0].len(), LINE_BYTES_MAX);
        assert_eq!(entries[0].lines[1], "next");
        let many = format!("2026-11-29T10:00:05Z a\n{}", "frame\n".repeat(ENTRY_LINES_MAX));
        let entries: Vec<_> =
            Entries::new(0, many.as_bytes()).map(|entry| entry.expect("memory can be read")).collect();
        assert_eq!(entries.iter().map(|entry| entry.lines.len()).collect::<Vec<_>>(), [ENTRY_LINES_MAX, 1]);
        assert_eq!(entries[0].at, entries[1].at);
    }

    #[test]
    fn what_is_no_time() {
        for line in
            ["", "word", "2026-11-29 a", "2026-11-29T10:00:05 a", "{\"timestamp\":\"x\"}", "{\"level\":\"INFO\"}"]
        {
            assert_eq!(time(line), None, "{line}");
        }
    }
}
