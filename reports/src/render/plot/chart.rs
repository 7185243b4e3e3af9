//! One series as a chart.
//!
//! ```text
//! title, unit                      legend
//!        [ partition ]  [kill]            lanes: faults by name
//! 80 |   :  shaded   :  :    :
//! 40 |   :           :  :    :
//!  0 |___:___________:__:____:______ m:ss
//! ```
//! Lines that coincide are drawn side by side, each shifted by a few units of the drawing in the order of the legend.

use plotters::chart::ChartBuilder;
use plotters::style::text_anchor::HPos;
use plotters::style::{Color, FontStyle, RGBColor, TRANSPARENT};

use super::axis::Axis;
use super::bands::{Band, Kind, Placed, place};
use super::canvas::{Area, Drawing, FONT, Point, face, fill, heading, ok, path, polygon, text, width};
use super::legend::{Legend, ROW};
use super::samples::{SLICES, Samples, envelope, lines, slice, smooth, thin};
use super::ticks::{self, label};
use super::{theme, title};
use crate::parts::Series;
use crate::text::{clock, plural, seconds};

/// Left margin: the labels of the values.
pub(super) const LEFT: i32 = 104;
/// Right margin: half of a time label of a day, which is centred on its tick.
pub(super) const RIGHT: i32 = 60;
const LANE: i32 = 38;
const TIMES: i32 = 56;
/// Series whose every wiggle would hide the others: smoothed.
const SMOOTHED: [&str; 2] = ["messages", "throughput"];
/// Series that change steadily from sample to sample, beside those that are smoothed: without steps.
const STEADY: [&str; 4] = ["api_latency_median", "api_latency_p95", "clock_offset", "finality_lag"];
/// Room between the value 0 and the axis, and above the highest tick, for shifted lines.
const PAD: i32 = 16;

/// A series with all that is needed to draw it.
pub(super) struct Chart<'a> {
    title: String,
    unit: &'a str,
    lines: Vec<(&'a str, Samples)>,
    bands: &'a [Band],
    duration: f64,
    plot_height: i32,
    stepped: bool,
    smoothed: bool,
}

impl<'a> Chart<'a> {
    /// `None` if the series has no finite sample.
    pub(super) fn new(name: &str, series: &'a Series, duration: f64, bands: &'a [Band]) -> Option<Self> {
        let stepped = !SMOOTHED.contains(&name) && !STEADY.contains(&name);
        let smoothed = SMOOTHED.contains(&name) && series.lines.values().any(|line| line.len() > SLICES);
        let lines = if smoothed { lines(series, |line| smooth(line, duration)) } else { lines(series, thin) };
        (!lines.is_empty()).then(|| Chart {
            title: title(name),
            unit: &series.unit,
            lines,
            bands,
            duration,
            plot_height: if name.ends_with("height") { 440 } else { 300 },
            stepped,
            smoothed,
        })
    }

    /// How the lines were averaged, in one sentence, if they were.
    pub(super) fn smoothing(&self) -> Option<String> {
        self.smoothed.then(|| format!("Each point is the mean of {}.", seconds(slice(self.duration))))
    }

    /// Draws the chart, `wide` units wide; see the module's picture.
    pub(super) fn draw(&self, wide: i32) -> Drawing {
        let legend = self.legend(wide);
        let x = |at: f64| LEFT + (at / self.duration * f64::from(wide - LEFT - RIGHT)).round() as i32;
        let (bands, lanes) = place(self.bands, x, wide - RIGHT);
        let header = ROW * legend.rows + 10;
        let top = header + LANE * lanes as i32 + 6;
        let height = top + self.plot_height + TIMES;
        Drawing::new(self.words(), (wide, height), |area| {
            heading(area, &self.heading(), (0, ROW / 2));
            legend.draw(area);
            for band in &bands {
                self.mark(area, band, header, top);
            }
            self.plot(area, top, wide);
        })
    }

    /// The chart in words, for those who cannot see it.
    fn words(&self) -> String {
        let [low, high] = [f64::min, f64::max].map(|pick| self.values().reduce(pick).unwrap_or(0.0));
        let (title, lines, unit) = (&self.title, plural(self.lines.len(), "line"), self.unit);
        let mut words = format!("{title} over virtual time, {lines}, {} to {} {unit}", label(low), label(high));
        for (index, band) in self.bands.iter().enumerate() {
            words += if index == 0 { "; " } else { ", " };
            words += &band.words();
        }
        words
    }

    fn values(&self) -> impl Iterator<Item = f64> {
        self.lines.iter().flat_map(|(_, samples)| samples.iter().map(|(_, value)| *value))
    }

    /// Shades a fault or draws a violation's line, and names it in its lane.
    fn mark(&self, area: &Area<'_>, band: &Placed, header: i32, top: i32) {
        let (color, shade) = match band.kind {
            Kind::Fault => (theme::FAULT, 0.15),
            Kind::Violation => (theme::BAD, 1.0),
        };
        let bottom = top + self.plot_height;
        fill(area, (band.left, top), (band.right, bottom), color.mix(shade));
        let Some((name, at, lane)) = &band.label else { return };
        let y = header + LANE * *lane as i32;
        let ink = match band.kind {
            Kind::Fault => {
                fill(area, (band.left, y), (band.right, y + LANE - 6), color.mix(0.4));
                theme::INK
            }
            Kind::Violation => {
                fill(area, (band.left, y), (band.right, top), color.mix(1.0));
                color
            }
        };
        text(area, name, (at + width(name) / 2, y + LANE / 2 - 3), HPos::Center, ink);
    }

    fn plot(&self, area: &Area<'_>, top: i32, wide: i32) {
        let values = || self.values();
        let whole = values().all(|value| value.fract() == 0.0);
        let y_ticks = ticks::values(values().fold(0.0, f64::max), whole);
        let highest = y_ticks.last().copied().unwrap_or(1.0);
        let pad = highest * f64::from(PAD) / f64::from(self.plot_height - 2 * PAD);
        let room = f64::from(width(&clock(self.duration))) + FONT;
        let times = ticks::times(self.duration, f64::from(wide - LEFT - RIGHT) / room);
        let x = Axis { range: 0.0..self.duration, ticks: times, label: clock };
        let y = Axis { range: -pad..highest + pad, ticks: y_ticks, label };
        let mut chart = ok(ChartBuilder::on(area)
            .margin_top(top)
            .margin_right(RIGHT)
            .x_label_area_size(TIMES)
            .y_label_area_size(LEFT)
            .build_cartesian_2d(x, y));
        ok(chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(theme::GRID.stroke_width(2))
            .light_line_style(TRANSPARENT)
            .axis_style(theme::AXIS.stroke_width(2))
            .label_style(face(FontStyle::Normal, theme::MUTED))
            .draw());
        let at = |sample: (f64, f64)| chart.backend_coord(&sample);
        if self.is_band() {
            self.draw_band(area, at);
        } else {
            self.draw_lines(area, at);
        }
    }

    fn draw_lines(&self, area: &Area<'_>, at: impl Fn((f64, f64)) -> Point) {
        let (spacing, stroke) = if self.lines.len() <= 5 { (5, 4) } else { (4, 3) };
        let last = self.lines.len() as i32 - 1;
        for (index, (_, samples)) in self.lines.iter().enumerate() {
            let shift = (2 * index as i32 - last) * spacing / 2;
            let points = self.corners(samples.iter().map(|sample| at(*sample)), shift);
            path(area, points, theme::NODES[index], stroke);
        }
    }

    fn draw_band(&self, area: &Area<'_>, at: impl Fn((f64, f64)) -> Point) {
        let envelope = envelope(&self.lines);
        let edge = |which: usize| self.corners(envelope.iter().map(|(when, values)| at((*when, values[which]))), 0);
        let mut outline = edge(0);
        outline.extend(edge(2).into_iter().rev());
        polygon(area, outline, theme::NODES[0].mix(0.3));
        path(area, edge(0), theme::NODES[5], 2);
        path(area, edge(2), theme::NODES[5], 2);
        path(area, edge(1), theme::NODES[0], 4);
    }

    /// The points of a line, shifted down by `shift`; with the corners of its steps if the series is stepped.
    fn corners(&self, points: impl Iterator<Item = Point>, shift: i32) -> Vec<Point> {
        let mut out: Vec<Point> = Vec::new();
        for (x, y) in points.map(|(x, y)| (x, y + shift)) {
            if let Some(&(_, before)) = out.last()
                && self.stepped
                && before != y
            {
                out.push((x, before));
            }
            out.push((x, y));
        }
        out
    }

    fn is_band(&self) -> bool {
        self.lines.len() > theme::NODES.len()
    }

    /// Title and unit, unless they say the same.
    fn heading(&self) -> String {
        match self.unit {
            unit if unit.is_empty() || unit == self.title.to_lowercase() => self.title.clone(),
            unit => format!("{}, {unit}", self.title),
        }
    }

    /// The legend: a name per line, or what the band means.
    fn legend(&self, wide: i32) -> Legend {
        let items: Vec<(String, RGBColor)> = if self.is_band() {
            vec![
                (format!("median of {} nodes", self.lines.len()), theme::NODES[0]),
                ("lowest to highest".to_owned(), theme::NODES[5]),
            ]
        } else {
            self.lines.iter().zip(theme::NODES).map(|((node, _), color)| ((*node).to_owned(), color)).collect()
        };
        Legend::beside(width(&self.heading()), items, wide)
    }
}
