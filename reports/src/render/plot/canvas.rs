//! A thin layer over plotters' SVG backend: text, boxes and lines in drawing units, two to a pixel.

use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::{PathElement, Polygon, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontFamily, FontStyle, RGBAColor, RGBColor, TextStyle};

use super::theme;
use crate::text::one_line;

/// Width of a plot on a desk and in a file. Coordinates are whole numbers, hence two units to a pixel.
pub(super) const WIDE: i32 = 2080;

/// Width of a plot on a phone.
pub(super) const NARROW: i32 = 720;

/// Room around a plot in a file.
const MARGIN: i32 = 24;

/// Size of text.
pub(super) const FONT: f64 = 25.0;

/// A point in drawing units.
pub(super) type Point = (i32, i32);

/// The area that plotters draws on.
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// A finished plot.
pub(crate) struct Drawing {
    words: String,
    size: Point,
    body: String,
}

impl Drawing {
    /// Draws with `paint` on an area of `size`, width and height; `words` stand in for it where it cannot be seen.
    pub(super) fn new(words: String, size: Point, paint: impl FnOnce(&Area<'_>)) -> Self {
        Drawing { words, size, body: String::new() }.over(paint)
    }

    /// Draws more on top.
    pub(super) fn over(self, paint: impl FnOnce(&Area<'_>)) -> Self {
        let mut svg = String::new();
        {
            let size = (self.size.0.unsigned_abs(), self.size.1.unsigned_abs());
            let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
            paint(&area);
            ok(area.present());
        }
        let body = svg.split_once(">\n").map_or("", |(_, rest)| rest);
        self.with(body.strip_suffix("</svg>\n").unwrap_or(body))
    }

    /// Puts `elements` of SVG on top.
    pub(super) fn with(mut self, elements: &str) -> Self {
        self.body += elements;
        self
    }

    /// The plot as an element of a page that has [`theme::style`].
    pub(crate) fn inline(&self) -> String {
        format!("{}{}</svg>\n", self.open("", 0), self.body)
    }

    /// The plot as a file: with its style, a background and a margin.
    pub(super) fn standalone(&self) -> String {
        let (width, height) = (self.size.0 + 2 * MARGIN, self.size.1 + 2 * MARGIN);
        let size = format!(" width=\"{}\" height=\"{}\"", width / 2, height / 2);
        let paper = format!("<rect class=\"paper\" x=\"-{MARGIN}\" y=\"-{MARGIN}\" width=\"100%\" height=\"100%\"/>");
        format!("{}<style>{}</style>\n{paper}\n{}</svg>\n", self.open(&size, MARGIN), theme::style(), self.body)
    }

    fn open(&self, size: &str, margin: i32) -> String {
        let words: String = maud::html! { (self.words) }.into_string();
        let (width, height) = (self.size.0 + 2 * margin, self.size.1 + 2 * margin);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\" role=\"img\" aria-label=\"{words}\"{size} \
             viewBox=\"{from} {from} {width} {height}\">\n",
            from = -margin
        )
    }
}

/// Width of `text` in drawing units. An estimate on the safe side, as the font is the reader's.
pub(super) fn width(text: &str) -> i32 {
    (text.chars().count() as f64 * FONT * 0.6) as i32
}

/// Writes a line of text, its middle at the height of `at`.
pub(super) fn text(area: &Area<'_>, content: &str, at: Point, align: HPos, color: RGBColor) {
    ok(area.draw(&Text::new(one_line(content), at, face(FontStyle::Normal, color).pos(Pos::new(align, VPos::Center)))));
}

/// Writes the title of a plot.
pub(super) fn heading(area: &Area<'_>, content: &str, at: Point) {
    let style = face(FontStyle::Bold, theme::INK).pos(Pos::new(HPos::Left, VPos::Center));
    ok(area.draw(&Text::new(one_line(content), at, style)));
}

/// Fills a box.
pub(super) fn fill(area: &Area<'_>, from: Point, to: Point, color: RGBAColor) {
    ok(area.draw(&Rectangle::new([from, to], color.filled())));
}

/// Fills a polygon.
pub(super) fn polygon(area: &Area<'_>, points: Vec<Point>, color: RGBAColor) {
    ok(area.draw(&Polygon::new(points, color.filled())));
}

/// Draws a line.
pub(super) fn path(area: &Area<'_>, points: Vec<Point>, color: RGBColor, stroke: u32) {
    ok(area.draw(&PathElement::new(points, color.stroke_width(stroke))));
}

/// Text of the axes.
pub(super) fn face(style: FontStyle, color: RGBColor) -> TextStyle<'static> {
    // plotters takes the height of a line; SVG wants the size of the font.
    let font: FontDesc<'static> = FontDesc::new(FontFamily::SansSerif, FONT * 1.24, style);
    font.color(&color)
}

/// # Panics
/// Never: drawing into memory without font files has no way to fail.
pub(super) fn ok<T, E: std::fmt::Debug>(result: Result<T, E>) -> T {
    result.expect("drawing into memory does not fail")
}
