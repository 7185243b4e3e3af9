//! The users' requests: a mark for each by how long it took, and quantiles of those that were answered.
//!
//! ```text
//! Latency of requests            . ok 1200  × failed 3  △ unknown 40  - median  - 95th percentile
//!   5 s |         △△△△△
//! 500 ms|   .  .  ×     .  :.
//!  50 ms|..:.:.:..      .:.:..:.
//!       |______________________ m:ss
//! ```

use std::collections::BTreeMap;

use plotters::style::RGBColor;

use super::axis::Axis;
use super::bands::Band;
use super::canvas::{Drawing, NARROW, Point, WIDE, path, width};
use super::frame::{Frame, words_with};
use super::legend::{Key, Legend};
use super::marks::{self, Mark};
use super::{Plot, theme, ticks};
use crate::requests::{Requests, in_order};
use crate::text::{count, latency, seconds};

/// Windows that the run is cut into for the quantiles.
const WINDOWS: u32 = 48;
/// Latencies in seconds that the axis has, at most; others are drawn at its ends.
const LOWEST: f64 = 0.0001;
const HIGHEST: f64 = 10_000.0;
const HEIGHT: i32 = 440;
const TITLE: &str = "Latency of requests";
/// The quantiles: which, their names and colours.
const QUANTILES: [(f64, &str, RGBColor); 2] =
    [(0.5, "median of ok", theme::INK), (0.95, "95th percentile", theme::NODES[2])];
/// Width of their lines.
const STROKE: u32 = 6;

/// A point of the plot: seconds since the run began, and the latency in seconds.
type Sample = (f64, f64);

/// The plot and its file; `None` if there is nothing to draw.
pub(super) fn plot(requests: &Requests, duration: f64, bands: &[Band]) -> Option<Plot> {
    let plot = Requested::new(requests, duration, bands)?;
    let [(wide, on_wide), (narrow, on_narrow)] = [WIDE, NARROW].map(|wide| plot.draw(wide));
    Some(Plot { file: "requests".to_owned(), about: plot.about(on_wide, on_narrow), wide, narrow })
}

/// When the last point is.
pub(super) fn end(requests: &Requests) -> f64 {
    samples(requests).into_iter().flatten().map(|(when, _)| when).fold(0.0, f64::max)
}

/// The points: answered, unknown and failed. Whoever got no answer saw so when he gave up.
fn samples(requests: &Requests) -> [Vec<Sample>; 3] {
    let [ok, unknown, failed] = [&requests.ok, &requests.unknown, &requests.failed].map(in_order);
    [ok, unknown.into_iter().map(|(sent, took)| (sent + took, took)).collect(), failed]
}

/// The requests with all that is needed to draw them.
struct Requested<'a> {
    requests: &'a Requests,
    outcomes: [Outcome; 3],
    duration: f64,
    bands: &'a [Band],
}

/// The requests of one outcome.
struct Outcome {
    mark: Mark,
    name: &'static str,
    /// How many there were.
    count: u64,
    /// Those that are drawn.
    samples: Vec<Sample>,
}

impl<'a> Requested<'a> {
    fn new(requests: &'a Requests, duration: f64, bands: &'a [Band]) -> Option<Self> {
        let count = requests.count;
        let [ok, unknown, failed] = samples(requests);
        let outcomes = [
            Outcome { mark: Mark::Dot, name: "ok", count: count.ok, samples: ok },
            Outcome { mark: Mark::Triangle, name: "unknown", count: count.unknown, samples: unknown },
            Outcome { mark: Mark::Cross, name: "failed", count: count.failed, samples: failed },
        ];
        let is_empty = outcomes.iter().all(|it| it.samples.is_empty());
        (!is_empty).then_some(Self { requests, outcomes, duration, bands })
    }

    /// The drawing, `wide` units wide, and how many marks it has.
    fn draw(&self, wide: i32) -> (Drawing, usize) {
        let legend = self.legend(wide);
        let frame = Frame::new(TITLE, &legend, self.bands, self.duration, (wide, HEIGHT));
        let (mut marks, mut drawn, mut lines) = (String::new(), 0, Vec::new());
        let drawing = Drawing::new(self.words(), frame.size(), |area| {
            let at = frame.draw(area, self.axis());
            let place = |(when, took): &Sample| at((*when, took.clamp(LOWEST, HIGHEST)));
            for Outcome { mark, samples, .. } in &self.outcomes {
                let mut points = marks::apart(*mark, samples.iter().map(place));
                drawn += points.len();
                points.extend(legend.places(*mark));
                marks += &marks::element(*mark, &points);
            }
            lines = self.lines(place);
        });
        let drawing = drawing.with(&marks).over(|area| {
            for (points, color) in lines {
                path(area, points, color, STROKE);
            }
        });
        (drawing, drawn)
    }

    /// The quantile lines, flat over each window. A window without an answer breaks them.
    fn lines(&self, place: impl Fn(&Sample) -> Point) -> Vec<(Vec<Point>, RGBColor)> {
        let window = self.window();
        let windows = windows(self.answered(), window);
        let runs = windows.chunk_by(|(a, _), (b, _)| a + 1 == *b);
        let of = |(q, _, color): (f64, &str, RGBColor)| {
            let corners = |(index, sorted): &(u32, Vec<f64>)| {
                let ends = [*index, index + 1].map(|edge| f64::from(edge) * window);
                ends.map(|edge| place(&(edge, quantile(sorted, q))))
            };
            runs.clone().map(|run| (run.iter().flat_map(corners).collect(), color)).collect::<Vec<_>>()
        };
        QUANTILES.into_iter().rev().flat_map(of).collect()
    }

    fn answered(&self) -> &[Sample] {
        &self.outcomes[0].samples
    }

    /// Length of a window in seconds.
    fn window(&self) -> f64 {
        self.duration / f64::from(WINDOWS)
    }

    fn axis(&self) -> Axis {
        let latencies = || self.outcomes.iter().flat_map(|it| &it.samples).map(|(_, took)| *took);
        let [low, high] = [f64::min, f64::max].map(|pick| latencies().reduce(pick).unwrap_or(LOWEST));
        let ticks = ticks::decades(low.clamp(LOWEST, HIGHEST), high.clamp(LOWEST, HIGHEST));
        let (first, last) = (ticks.first().copied().unwrap_or(LOWEST), ticks.last().copied().unwrap_or(HIGHEST));
        // Room for the marks at its ends: a 32nd of its length.
        let pad = (0..5).fold(last / first, |factor: f64, _| factor.sqrt());
        let range = first / pad..last * pad;
        Axis { range, ticks, label: latency, scale: ticks::log10 }
    }

    fn legend(&self, wide: i32) -> Legend {
        let outcomes = self.outcomes.iter().map(|it| (format!("{} {}", it.name, count(it.count)), Key::Mark(it.mark)));
        let lines = QUANTILES.into_iter().map(|(_, name, color)| (name.to_owned(), Key::Line(color)));
        Legend::beside(width(TITLE), outcomes.chain(lines).collect(), wide)
    }

    /// The plot in words, for those who cannot see it.
    fn words(&self) -> String {
        let outcomes = self.outcomes.iter().map(|it| format!("{} {}", count(it.count), it.name));
        let mut words = format!("{TITLE} over virtual time: {}", outcomes.collect::<Vec<_>>().join(", "));
        let mut sorted: Vec<f64> = self.answered().iter().map(|(_, took)| *took).collect();
        sorted.sort_by(f64::total_cmp);
        if let Some(most) = sorted.last() {
            let [median, p95] = QUANTILES.map(|(q, ..)| latency(quantile(&sorted, q)));
            let most = latency(*most);
            words += &format!("; an answer took {median} at the median, {p95} at the 95th percentile, {most} at most");
        }
        words_with(self.bands, words)
    }

    /// What the marks mean, and which of the requests are there.
    fn about(&self, on_wide: usize, on_narrow: usize) -> String {
        let all = count(self.requests.count.total());
        let in_record: u64 = self.outcomes.iter().map(|it| it.samples.len() as u64).sum();
        let mut about = format!(
            "A dot is a request that was answered; a cross one that the node refused or that could not be sent, so that it has \
             no effect; a triangle one without an answer, with an effect or not, at the time when the user gave up. The lines \
             are quantiles of the answers to what was sent within {}. ",
            seconds(self.window())
        );
        if in_record < self.requests.count.total() {
            about += &format!("The record has {} of the {all} requests, evenly spread. ", count(in_record));
        }
        about += "Dots on the same 2 pixels are one, and other marks on the same 6: ";
        let [on_wide, on_narrow] = [on_wide, on_narrow].map(|n| count(n as u64));
        about + &format!("{} requests are {on_wide} marks, {on_narrow} on a phone.", count(in_record))
    }
}

/// The latencies in each window of so many seconds that has any, sorted.
fn windows(samples: &[Sample], window: f64) -> Vec<(u32, Vec<f64>)> {
    let mut windows: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for (sent, took) in samples {
        let index = ((sent / window).max(0.0) as u32).min(WINDOWS - 1);
        windows.entry(index).or_default().push(*took);
    }
    let sorted = windows.into_iter().map(|(index, mut latencies)| {
        latencies.sort_by(f64::total_cmp);
        (index, latencies)
    });
    sorted.collect()
}

/// The least of `sorted`, which is not empty, that a share of `q` of them does not exceed.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let rank = (sorted.len() as f64 * q).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_one_of_the_latencies() {
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!([0.5, 0.95, 1.0].map(|q| quantile(&hundred, q)), [50.0, 95.0, 100.0]);
        assert_eq!([0.5, 0.95].map(|q| quantile(&[7.0], q)), [7.0, 7.0]);
    }

    #[test]
    fn windows_without_an_answer_are_missing() {
        let samples = [(0.0, 3.0), (9.9, 1.0), (25.0, 2.0), (1e6, 4.0)];
        let expected = [(0, vec![1.0, 3.0]), (2, vec![2.0]), (WINDOWS - 1, vec![4.0])];
        assert_eq!(windows(&samples, 10.0), expected);
    }
}
