//! What the chains did around the first violation: a line for each node, time to the right, and each block on its way from
//! who made it to who took it in.
//!
//! ```text
//! n0 ──■7─────────●8──────×──      ■ made  ● new head  × taken back  ○ confirmed
//!        ╲       ╱        |
//! n1 ─────●7───■8─────────|──      | the violation
//! ```

use std::collections::BTreeMap;

use plotters::style::text_anchor::HPos;
use plotters::style::{Color, RGBColor};

use super::canvas::{Area, Drawing, FONT, Point, fill, heading, path, text, width};
use super::frame::RIGHT;
use super::legend::{Legend, ROW};
use super::theme;
use crate::parts::{Step, StepKind};
use crate::record::Record;
use crate::text::{clock_fine, plural};

/// Most lanes; the record has the steps of all nodes.
const LANES_MAX: usize = 16;
const LANE: i32 = 84;
const TIMES: i32 = 48;
/// Half of a mark's size.
const MARK: i32 = 8;
const TITLE: &str = "Around the violation";

/// A drawing `wide` units wide; `None` if there are no steps.
pub(super) fn draw(record: &Record, wide: i32) -> Option<Drawing> {
    let (first, last) = (record.steps.first()?, record.steps.last()?);
    let violated_at = record.invariants.iter().filter_map(|it| it.at).reduce(f64::min)?;
    let (from, to) = (first.at.min(violated_at), last.at.max(violated_at));
    let hosts: Vec<&str> = record.nodes.iter().map(|node| node.name.as_str()).take(LANES_MAX).collect();
    let lanes: BTreeMap<&str, usize> = hosts.iter().enumerate().map(|(lane, host)| (*host, lane)).collect();
    let left = hosts.iter().map(|host| width(host)).max().unwrap_or(0) + 20;
    let items = hosts.iter().zip(theme::NODES.iter().cycle()).map(|(host, color)| (format!("made by {host}"), *color));
    let legend = Legend::beside(width(TITLE), items.collect(), wide);
    let top = ROW * legend.rows + 10;
    let bottom = top + LANE * hosts.len() as i32;
    let span = (to - from).max(0.001);
    let x = |at: f64| left + ((at - from) / span * f64::from(wide - RIGHT - left)).round() as i32;
    let y = |lane: usize| top + LANE * lane as i32 + LANE / 2;
    let scene = Scene { lanes: &lanes, made: makers(&record.steps), x: &x, y: &y };
    let words = format!(
        "{TITLE} at {}: {} of {} from {} to {}",
        clock_fine(violated_at),
        plural(record.steps.len(), "step"),
        plural(hosts.len(), "node"),
        clock_fine(from),
        clock_fine(to)
    );
    Some(Drawing::new(words, (wide, bottom + TIMES), |area| {
        heading(area, TITLE, (0, ROW / 2));
        legend.draw(area);
        for (host, lane) in &lanes {
            text(area, host, (0, y(*lane)), HPos::Left, theme::INK);
            path(area, vec![(left, y(*lane)), (wide - RIGHT, y(*lane))], theme::AXIS, 2);
        }
        for step in &record.steps {
            scene.way(area, step);
        }
        for step in &record.steps {
            scene.mark(area, step);
        }
        let at = x(violated_at);
        fill(area, (at - 1, top), (at + 2, bottom), theme::BAD.to_rgba());
        for at in [from, violated_at, to] {
            let label = clock_fine(at);
            let (room, color) = (width(&label) / 2, if at == violated_at { theme::BAD } else { theme::MUTED });
            let is_free = at == violated_at || (x(at) - x(violated_at)).abs() > 2 * room + FONT as i32;
            if is_free {
                let middle = x(at).clamp(room, wide - room);
                text(area, &label, (middle, bottom + TIMES / 2), HPos::Center, color);
            }
        }
    }))
}

/// What the marks mean.
pub(super) const ABOUT: &str = "A square: the node made a block of this height. A dot: it took the block in as its head, and the line comes from who \
     made it. A ring: it confirmed it. A cross: it took blocks back to this height. The red line: the violation.";

/// Who made each block, and when.
fn makers(steps: &[Step]) -> BTreeMap<&str, &Step> {
    let mut makers = BTreeMap::new();
    for step in steps.iter().filter(|step| step.kind == StepKind::Made) {
        makers.entry(step.block.as_str()).or_insert(step);
    }
    makers
}

struct Scene<'a> {
    lanes: &'a BTreeMap<&'a str, usize>,
    made: BTreeMap<&'a str, &'a Step>,
    x: &'a dyn Fn(f64) -> i32,
    y: &'a dyn Fn(usize) -> i32,
}

impl Scene<'_> {
    fn place(&self, step: &Step) -> Option<Point> {
        Some(((self.x)(step.at), (self.y)(*self.lanes.get(step.host.as_str())?)))
    }

    /// The colour of a block is that of its maker.
    fn color(&self, step: &Step) -> RGBColor {
        let maker = self.made.get(step.block.as_str()).and_then(|made| self.lanes.get(made.host.as_str()));
        maker.map_or(theme::MUTED, |lane| theme::NODES[lane % theme::NODES.len()])
    }

    /// A block's way to a node that has it as its head.
    fn way(&self, area: &Area<'_>, step: &Step) {
        let made = self.made.get(step.block.as_str()).filter(|made| made.host != step.host);
        let (StepKind::Head, Some(made)) = (step.kind, made) else { return };
        if let (Some(from), Some(to)) = (self.place(made), self.place(step)) {
            path(area, vec![from, to], self.color(step), 2);
        }
    }

    fn mark(&self, area: &Area<'_>, step: &Step) {
        let Some((x, y)) = self.place(step) else { return };
        let color = self.color(step);
        match step.kind {
            StepKind::Made => {
                fill(area, (x - MARK, y - MARK), (x + MARK, y + MARK), color.to_rgba());
                text(area, &step.height.to_string(), (x, y - MARK - 16), HPos::Center, theme::INK);
            }
            StepKind::Head => fill(area, (x - MARK / 2, y - MARK / 2), (x + MARK / 2, y + MARK / 2), color.to_rgba()),
            StepKind::Confirmed => {
                let ring = vec![(x - MARK, y), (x, y + MARK), (x + MARK, y), (x, y - MARK), (x - MARK, y)];
                path(area, ring, color, 2);
            }
            StepKind::TakenBack => {
                path(area, vec![(x - MARK, y - MARK), (x + MARK, y + MARK)], theme::BAD, 4);
                path(area, vec![(x - MARK, y + MARK), (x + MARK, y - MARK)], theme::BAD, 4);
                text(area, &step.height.to_string(), (x, y + MARK + 16), HPos::Center, theme::BAD);
            }
            StepKind::Read => path(area, vec![(x, y - MARK), (x, y + MARK)], theme::INK, 3),
        }
    }
}
