//! One series as a chart: lines within a [`Frame`].
//!
//! Lines that coincide are drawn side by side, each shifted by a few units of the drawing in the order of the legend.

use plotters::style::{Color, RGBColor};

use super::axis::Axis;
use super::bands::Band;
use super::canvas::{Area, Drawing, Point, path, polygon, width};
use super::frame::{Frame, words_with};
use super::legend::Legend;
use super::samples::{SLICES, Samples, envelope, lines, slice, smooth, thin};
use super::ticks::{self, label};
use super::{theme, title};
use crate::parts::Series;
use crate::text::{plural, seconds};

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

    /// Draws the chart, `wide` units wide.
    pub(super) fn draw(&self, wide: i32) -> Drawing {
        let (heading, legend) = (self.heading(), self.legend(wide));
        let frame = Frame::new(&heading, &legend, self.bands, self.duration, (wide, self.plot_height));
        Drawing::new(self.words(), frame.size(), |area| {
            let at = frame.draw(area, self.axis());
            match self.is_band() {
                true => self.draw_band(area, at),
                false => self.draw_lines(area, at),
            }
        })
    }

    /// The chart in words, for those who cannot see it.
    fn words(&self) -> String {
        let [low, high] = [f64::min, f64::max].map(|pick| self.values().reduce(pick).unwrap_or(0.0));
        let (title, lines, unit) = (&self.title, plural(self.lines.len(), "line"), self.unit);
        let words = format!("{title} over virtual time, {lines}, {} to {} {unit}", label(low), label(high));
        words_with(self.bands, words)
    }

    fn values(&self) -> impl Iterator<Item = f64> {
        self.lines.iter().flat_map(|(_, samples)| samples.iter().map(|(_, value)| *value))
    }

    /// The axis of the values.
    fn axis(&self) -> Axis {
        let whole = self.values().all(|value| value.fract() == 0.0);
        let ticks = ticks::values(self.values().fold(0.0, f64::max), whole);
        let highest = ticks.last().copied().unwrap_or(1.0);
        let pad = highest * f64::from(PAD) / f64::from(self.plot_height - 2 * PAD);
        Axis { range: -pad..highest + pad, ticks, label, scale: |value| value }
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
