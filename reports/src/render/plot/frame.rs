//! What every chart over virtual time has around its lines.
//!
//! ```text
//! heading                          legend
//!        [ partition ]  [kill]            lanes: faults by name
//! 80 |   :  shaded   :  :    :
//! 40 |   :           :  :    :
//!  0 |___:___________:__:____:______ m:ss
//! ```

use plotters::chart::ChartBuilder;
use plotters::style::text_anchor::HPos;
use plotters::style::{Color, FontStyle, TRANSPARENT};

use super::axis::Axis;
use super::bands::{Band, Kind, Placed, place};
use super::canvas::{Area, FONT, Point, face, fill, heading, ok, text, width};
use super::legend::{Legend, ROW};
use super::{theme, ticks};
use crate::text::clock;

/// Left margin: the labels of the values.
pub(super) const LEFT: i32 = 104;
/// Right margin: half of a time label of a day, which is centred on its tick.
pub(super) const RIGHT: i32 = 60;
const LANE: i32 = 38;
const TIMES: i32 = 56;

/// The surroundings of a chart, with their places in drawing units.
pub(super) struct Frame<'a> {
    heading: &'a str,
    legend: &'a Legend,
    bands: Vec<Placed>,
    duration: f64,
    wide: i32,
    plot_height: i32,
    header: i32,
    top: i32,
}

impl<'a> Frame<'a> {
    /// Around a plot over `duration`, `wide` units wide with its surroundings and `plot_height` high without them.
    pub(super) fn new(
        heading: &'a str,
        legend: &'a Legend,
        bands: &[Band],
        duration: f64,
        (wide, plot_height): Point,
    ) -> Self {
        let x = |at: f64| LEFT + (at / duration * f64::from(wide - LEFT - RIGHT)).round() as i32;
        let (bands, lanes) = place(bands, x, wide - RIGHT);
        let header = ROW * legend.rows + 10;
        let top = header + LANE * lanes as i32 + 6;
        Frame { heading, legend, bands, duration, wide, plot_height, header, top }
    }

    /// Width and height of the whole.
    pub(super) fn size(&self) -> Point {
        (self.wide, self.top + self.plot_height + TIMES)
    }

    /// Draws it with `y` as the axis of the values. Returns where a value at a time is.
    pub(super) fn draw(&self, area: &Area<'_>, y: Axis) -> impl Fn((f64, f64)) -> Point {
        heading(area, self.heading, (0, ROW / 2));
        self.legend.draw(area);
        for band in &self.bands {
            self.mark(area, band);
        }
        let room = f64::from(width(&clock(self.duration))) + FONT;
        let times = ticks::times(self.duration, f64::from(self.wide - LEFT - RIGHT) / room);
        let x = Axis { range: 0.0..self.duration, ticks: times, label: clock, scale: |at| at };
        let mut chart = ok(ChartBuilder::on(area)
            .margin_top(self.top)
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
        move |value| chart.backend_coord(&value)
    }

    /// Shades a fault or draws a violation's line, and names it in its lane.
    fn mark(&self, area: &Area<'_>, band: &Placed) {
        let (color, shade) = match band.kind {
            Kind::Fault => (theme::FAULT, 0.15),
            Kind::Violation => (theme::BAD, 1.0),
        };
        let bottom = self.top + self.plot_height;
        fill(area, (band.left, self.top), (band.right, bottom), color.mix(shade));
        let Some((name, at, lane)) = &band.label else { return };
        let y = self.header + LANE * *lane as i32;
        let ink = match band.kind {
            Kind::Fault => {
                fill(area, (band.left, y), (band.right, y + LANE - 6), color.mix(0.4));
                theme::INK
            }
            Kind::Violation => {
                fill(area, (band.left, y), (band.right, self.top), color.mix(1.0));
                color
            }
        };
        text(area, name, (at + width(name) / 2, y + LANE / 2 - 3), HPos::Center, ink);
    }
}

/// `words` with the faults and violations after them.
pub(super) fn words_with(bands: &[Band], mut words: String) -> String {
    for (index, band) in bands.iter().enumerate() {
        words += if index == 0 { "; " } else { ", " };
        words += &band.words();
    }
    words
}
