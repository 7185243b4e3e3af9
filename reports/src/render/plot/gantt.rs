//! The faults of a run over time: as planned, as applied, and until the cluster was whole; beneath them the alerts.
//!
//! ```text
//! f1 partition · n0 n1 | n2 n3 n4
//!        [=== planned, outlined ===]
//!        [#### applied ############][~ recovery ~]
//! NodeDown
//!                  [## firing ######]
//! ```

use plotters::style::text_anchor::HPos;
use plotters::style::{Color, RGBColor};

use super::canvas::{Area, Drawing, FONT, fill, heading, path, text, width};
use super::frame::{LEFT, RIGHT};
use super::legend::{Legend, ROW};
use super::theme;
use super::ticks;
use crate::parts::{Alert, Fault};
use crate::record::Record;
use crate::text::{clock, plural, seconds};

/// Most rows; the tables have all faults and alerts.
const ROWS_MAX: usize = 40;
/// Height of a row: its name, and its bars.
const HEIGHT: i32 = 72;
const BAR: i32 = 22;
/// Narrowest bar, so that an instant is seen.
const BAR_MIN: i32 = 6;
const TIMES: i32 = 48;
const TITLE: &str = "Faults and alerts";

/// A stretch of time with a colour.
struct Bar {
    from: f64,
    to: f64,
    color: RGBColor,
    is_outline: bool,
}

struct Row {
    name: String,
    words: String,
    bars: Vec<Bar>,
}

/// The drawing of `record`, `wide` units wide; `None` without a fault or an alert.
pub(super) fn draw(record: &Record, duration: f64, wide: i32) -> Option<Drawing> {
    let faults = record.faults.iter().map(|fault| fault_row(record, fault));
    let alerts = record.alerts.iter().map(|alert| alert_row(alert, duration));
    let all: Vec<Row> = faults.chain(alerts).collect();
    let rows = &all[..all.len().min(ROWS_MAX)];
    if rows.is_empty() {
        return None;
    }
    let words: Vec<&str> = rows.iter().map(|row| row.words.as_str()).collect();
    let mut items = vec![
        ("planned".to_owned(), theme::MUTED),
        ("applied".to_owned(), theme::FAULT),
        ("recovery".to_owned(), theme::NODES[1]),
    ];
    if !record.alerts.is_empty() {
        items.push(("alert".to_owned(), theme::NODES[0]));
        items.push(("false or late".to_owned(), theme::BAD));
    }
    let legend = Legend::beside(width(TITLE), items, wide);
    let top = ROW * legend.rows + 10;
    let bottom = top + HEIGHT * rows.len() as i32;
    // As in the charts below.
    let room = f64::from(wide - LEFT - RIGHT);
    let x = |at: f64| LEFT + (at.clamp(0.0, duration) / duration * room).round() as i32;
    Some(Drawing::new(format!("{TITLE}: {}", words.join("; ")), (wide, bottom + TIMES), |area| {
        heading(area, TITLE, (0, ROW / 2));
        legend.draw(area);
        let label_room = f64::from(width(&clock(duration))) + FONT;
        for at in ticks::times(duration, room / label_room) {
            path(area, vec![(x(at), top), (x(at), bottom)], theme::GRID, 2);
            let label = clock(at);
            text(area, &label, (x(at), bottom + TIMES / 2 + 4), HPos::Center, theme::MUTED);
        }
        for (n, row) in rows.iter().enumerate() {
            row.draw(area, top + HEIGHT * n as i32, x, wide);
        }
    }))
}

impl Row {
    fn draw(&self, area: &Area<'_>, top: i32, x: impl Fn(f64) -> i32, wide: i32) {
        let first = self.bars.first().map_or(0, |bar| x(bar.from));
        let left = first.min((wide - width(&self.name)).max(0));
        text(area, &self.name, (left, top + 20), HPos::Left, theme::INK);
        for bar in &self.bars {
            let (from, to) = (x(bar.from), x(bar.to).max(x(bar.from) + BAR_MIN));
            let (y, end) = (top + 40, top + 40 + BAR);
            match bar.is_outline {
                true => {
                    let corners = vec![(from, y - 4), (to, y - 4), (to, end + 4), (from, end + 4), (from, y - 4)];
                    path(area, corners, bar.color, 3);
                }
                false => fill(area, (from, y), (to, end), bar.color.to_rgba()),
            }
        }
    }
}

fn fault_row(record: &Record, fault: &Fault) -> Row {
    let end = record.virtual_seconds;
    let planned = Bar {
        from: fault.planned_at,
        to: fault.planned_until.unwrap_or(fault.planned_at),
        color: theme::MUTED,
        is_outline: true,
    };
    let applied = fault.applied_at.map(|from| Bar {
        from,
        to: fault.ended_at.unwrap_or(end),
        color: theme::FAULT,
        is_outline: false,
    });
    let recovery = record.recovery.iter().find(|it| it.fault == fault.id);
    let recovering = fault.ended_at.zip(recovery).map(|(from, recovery)| Bar {
        from,
        to: recovery.rto.map_or(end, |rto| from + rto),
        color: theme::NODES[1],
        is_outline: false,
    });
    let name = format!("{} {} · {}", fault.id, fault.kind, fault.target.join(" "));
    let applied_words = match (fault.applied_at, fault.ended_at) {
        (None, _) => "never applied".to_owned(),
        (Some(from), None) => format!("applied from {}", clock(from)),
        (Some(from), Some(to)) => format!("applied from {} to {}", clock(from), clock(to)),
    };
    let recovery_words = recovery.map_or_else(String::new, |it| match it.rto {
        Some(rto) => format!(", whole again after {}", seconds(rto)),
        None => ", not recovered".to_owned(),
    });
    let words = format!("{name}: planned at {}, {applied_words}{recovery_words}", clock(fault.planned_at));
    Row { name, words, bars: [Some(planned), applied, recovering].into_iter().flatten().collect() }
}

fn alert_row(alert: &Alert, duration: f64) -> Row {
    let status = alert.status();
    let name = match status.is_good() {
        true => alert.name.clone(),
        false => format!("{} ({})", alert.name, status.as_str()),
    };
    // When it has to have fired.
    let due = alert.due.map(|at| Bar { from: at, to: at, color: theme::MUTED, is_outline: true });
    let fired = alert.fired_at.map(|from| Bar {
        from,
        to: alert.fired_until.unwrap_or(duration).max(from),
        color: if status.is_good() { theme::NODES[0] } else { theme::BAD },
        is_outline: false,
    });
    let words = match alert.fired_at {
        Some(at) => format!("alert {}: {}, at {}", alert.name, status.as_str(), clock(at)),
        None => format!("alert {}: {}", alert.name, status.as_str()),
    };
    Row { name, words, bars: fired.into_iter().chain(due).collect() }
}

/// What the drawing leaves out, in words.
pub(super) fn left_out(record: &Record) -> String {
    let shown = "Outlined: as planned. Filled: as it was.";
    match (record.faults.len() + record.alerts.len()).saturating_sub(ROWS_MAX) {
        0 => shown.to_owned(),
        n => format!("{shown} {} more: see the tables.", plural(n, "row")),
    }
}
