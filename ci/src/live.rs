//! Progress on a terminal, silence in a pipe.

use assay_scenarios::format_duration;
use assay_sim::run::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{io::IsTerminal, time::Duration};

/// Redraws a second, at most.
const REDRAWS_PER_SECOND: u8 = 10;

fn bar(length: u64, template: &str) -> ProgressBar {
    let target = if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr_with_hz(REDRAWS_PER_SECOND)
    } else {
        ProgressDrawTarget::hidden()
    };
    let style = ProgressStyle::with_template(template).expect("the template is one of ours");
    ProgressBar::with_draw_target(Some(length), target).with_style(style.progress_chars("━╸─"))
}

/// The line of one run: virtual time, height of each node, the faults that are on.
pub struct RunLine(ProgressBar);

impl RunLine {
    /// Of a run that ends at `end`.
    pub fn new(end: Duration) -> Self {
        Self(bar(end.as_secs(), "{bar:24} {msg}"))
    }

    /// Shows how far the run is.
    pub fn show(&self, progress: &Progress) {
        self.0.set_position(progress.at.as_secs());
        self.0.set_message(text(progress));
    }

    /// Removes the line.
    pub fn finish(self) {
        self.0.finish_and_clear();
    }
}

fn text(progress: &Progress) -> String {
    let heights: Vec<_> =
        progress.heights.iter().map(|height| height.map_or("down".to_owned(), |height| height.to_string())).collect();
    let faults = if progress.faults.is_empty() { "no fault".to_owned() } else { progress.faults.join("; ") };
    let (at, end) = (format_duration(progress.at), format_duration(progress.end));
    format!("{at} of {end}  heights {}  {faults}", heights.join(" "))
}

/// The bar of a sweep.
pub struct SweepBar(ProgressBar);

impl SweepBar {
    /// Of `runs` runs.
    pub fn new(runs: usize) -> Self {
        Self(bar(runs as u64, "{bar:32} {pos}/{len} runs  {msg}  {elapsed} gone, {eta} to go"))
    }

    /// One more run is over; `failed` so far.
    pub fn done(&self, failed: usize) {
        self.0.set_message(match failed {
            0 => "all passed".to_owned(),
            failed => format!("{failed} failed"),
        });
        self.0.inc(1);
    }

    /// Prints a line above the bar, or to standard error when there is none.
    pub fn say(&self, line: &str) {
        if self.0.is_hidden() {
            eprintln!("{line}");
        } else {
            self.0.println(line);
        }
    }

    /// Removes the bar.
    pub fn finish(self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_in_one_line() {
        let progress = Progress {
            at: Duration::from_secs(200),
            end: Duration::from_secs(600),
            heights: vec![Some(12), None, Some(13)],
            faults: vec!["kill n1".to_owned()],
        };
        assert_eq!(text(&progress), "3m20s of 10m  heights 12 down 13  kill n1");
    }
}
