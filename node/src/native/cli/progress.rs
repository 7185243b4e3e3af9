//! How far a command is, on a terminal; nothing in a pipe or a log.

use crate::storage::Progress;
use std::io::{self, IsTerminal, Write};

/// A line on standard error that is written over as a command goes on, and is gone when it ends.
pub struct Line {
    is_on: bool,
    shown: String,
}

impl Line {
    /// A line, when standard error is a terminal.
    pub fn new() -> Self {
        Self { is_on: io::stderr().is_terminal(), shown: String::new() }
    }

    /// Shows that `what` has done so many of so many bytes; of an unknown number when `total` is 0.
    pub fn show(&mut self, what: &str, done: u64, total: u64) {
        self.write(text(what, done, total));
    }

    /// Shows how far work on a database is.
    pub fn tell(&mut self, progress: Progress) {
        self.write(format!("{} {} %", progress.part, percent(progress)));
    }

    fn write(&mut self, text: String) {
        if self.is_on && text != self.shown {
            // A terminal that is gone takes no lines, and the command goes on.
            let _gone = write!(io::stderr(), "\r\x1b[K{text}").and_then(|()| io::stderr().flush());
            self.shown = text;
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.shown.is_empty() {
            let _gone = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

fn text(what: &str, done: u64, total: u64) -> String {
    const CELLS: u64 = 30;
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    if total == 0 {
        return format!("{what} {:.1} MiB", mib(done));
    }
    let part = |of: u64| (u128::from(of) * u128::from(done.min(total)) / u128::from(total)) as u64;
    let full = part(CELLS) as usize;
    let bar = "#".repeat(full) + &".".repeat(CELLS as usize - full);
    format!("{what} [{bar}] {:3} % of {:.1} MiB", part(100), mib(total))
}

/// Of an estimate; so it may be reached early.
fn percent(Progress { done, of, .. }: Progress) -> u64 {
    (u128::from(done) * 100).checked_div(u128::from(of)).unwrap_or(0).min(100) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_was_estimated_is_all_of_it() {
        let of = |done, of| percent(Progress { part: "records", done, of });
        assert_eq!([of(0, 0), of(5, 0), of(1, 3), of(3, 3), of(7, 3)], [0, 0, 33, 100, 100]);
        assert_eq!(of(u64::MAX, u64::MAX), 100);
    }

    #[test]
    fn a_line_tells_the_part_that_is_done() {
        assert_eq!(text("copy", 0, 1 << 20), "copy [..............................]   0 % of 1.0 MiB");
        assert_eq!(text("copy", 1 << 19, 1 << 20), "copy [###############...............]  50 % of 1.0 MiB");
        assert_eq!(text("copy", 9, 3), "copy [##############################] 100 % of 0.0 MiB");
        assert_eq!(text("check", 3 << 20, 0), "check 3.0 MiB");
    }
}
