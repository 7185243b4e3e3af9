//! The verdict in one line, for a terminal.

use crate::figures::{Figures, sentence};
use crate::record::{Record, Verdict};
use crate::text::{clock, one_line, seconds, short};

/// One line without a line break: verdict, scenario, seed, and then the key figures or the reason.
pub fn line(record: &Record) -> String {
    let figures = Figures::of(record);
    let head = format!("{} {} seed {}: ", record.verdict, record.scenario, record.seed);
    let tail = match record.verdict {
        Verdict::Passed => format!(
            "height {}, {} virtual in {} ({}), deepest reorg {}, worst RTO {}, {} confirmed, {} lost, trace {}",
            figures.height,
            clock(record.virtual_seconds),
            seconds(record.wall_seconds),
            figures.speed_text(),
            figures.reorg_depth_max,
            figures.rto_worst.text(),
            record.workload.confirmed,
            record.workload.lost,
            short(&record.trace_hash),
        ),
        _ => sentence(record),
    };
    one_line(&(head + &tail))
}
