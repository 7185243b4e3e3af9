//! The verdict in one line, for a terminal.

use crate::figures::{Figures, sentence};
use crate::record::{Record, Verdict};
use crate::text::{clock, count, one_line, seconds, short};

/// One line without a line break: verdict, scenario, seed, and then the key figures or the reason. Plain text.
pub fn line(record: &Record) -> String {
    format!("{} {}", record.verdict, tail(record))
}

/// [`line()`] with the verdict in the colours of a terminal.
pub fn line_in_color(record: &Record) -> String {
    format!("{} {}", colored(record.verdict), tail(record))
}

/// The word for a verdict between ANSI escapes: bold green, red or yellow.
pub(crate) fn colored(verdict: Verdict) -> String {
    let color = match verdict {
        Verdict::Passed => 32,
        Verdict::Violated | Verdict::Nondeterministic => 31,
        Verdict::Infrastructure => 33,
    };
    format!("\u{1b}[1;{color}m{verdict}\u{1b}[0m")
}

fn tail(record: &Record) -> String {
    let figures = Figures::of(record);
    let head = format!("{} seed {}: ", record.scenario, record.seed);
    let tail = match record.verdict {
        Verdict::Passed => format!(
            "height {}, {} virtual in {} ({}), deepest reorg {}, worst RTO {}, {} confirmed, {} lost, trace {}",
            count(figures.height),
            clock(record.virtual_seconds),
            seconds(record.wall_seconds),
            figures.speed_text(),
            figures.reorg_depth_max,
            figures.rto_worst.text(),
            count(record.workload.confirmed),
            count(record.workload.lost),
            short(&record.trace_hash),
        ),
        _ => sentence(record),
    };
    one_line(&(head + &tail))
}
