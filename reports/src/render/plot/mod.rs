//! Plots of the series over virtual time, as SVG.
//!
//! A plot holds no font, script or reference. Colours are attributes; the dark theme replaces them by CSS attribute
//! selectors (see [`theme`]), so that one drawing serves both themes, a page and a file.

mod axis;
mod bands;
mod canvas;
mod chart;
mod frame;
mod gantt;
mod legend;
mod marks;
mod requests;
mod samples;
mod spacetime;
mod theme;
mod ticks;

use std::collections::BTreeMap;

use crate::record::Record;
use crate::text::one_line;
use bands::Band;
use chart::Chart;

pub(crate) use theme::style;

/// Series that every run has, in reading order; the users' requests stand between the two. Others follow by name.
const FIRST: [&str; 4] = ["height", "confirmed_height", "finality_lag", "throughput"];
const THEN: [&str; 7] =
    ["api_latency_median", "api_latency_p95", "agreement_round", "reorg_depth", "peers", "mempool", "messages"];

/// A file `plots/NAME.svg` per series, and for what else is drawn, by name. A name that is no plain file name is rewritten with `_`.
pub fn plots(record: &Record) -> BTreeMap<String, String> {
    figures(record).into_iter().map(|plot| (plot.file, plot.wide.standalone())).collect()
}

/// One of the plots.
pub(crate) struct Plot {
    /// Name of the file, without extension.
    pub(crate) file: String,
    /// What is measured, in one sentence.
    pub(crate) about: String,
    /// The drawing for a desk and for a file.
    pub(crate) wide: canvas::Drawing,
    /// The same for a phone.
    pub(crate) narrow: canvas::Drawing,
}

/// What happened around a violation of `record`, its faults and alerts, and all its series in reading order, with the users'
/// requests among them; a series without a finite sample is left out.
pub(crate) fn figures(record: &Record) -> Vec<Plot> {
    let names = record.series.keys().map(String::as_str);
    let others = names.filter(|name| !FIRST.contains(name) && !THEN.contains(name));
    let bands = Band::of(record);
    let duration = duration(record);
    let faults = gantt::draw(record, duration, canvas::WIDE).zip(gantt::draw(record, duration, canvas::NARROW));
    let faults =
        faults.map(|(wide, narrow)| Plot { file: "faults".to_owned(), about: gantt::left_out(record), wide, narrow });
    let steps = spacetime::draw(record, canvas::WIDE).zip(spacetime::draw(record, canvas::NARROW));
    let steps = steps.map(|(wide, narrow)| Plot {
        file: "violation".to_owned(),
        about: spacetime::ABOUT.to_owned(),
        wide,
        narrow,
    });
    let series = |name: &str| {
        let series = record.series.get(name)?;
        let chart = Chart::new(name, series, duration, &bands)?;
        let (wide, narrow) = (chart.draw(canvas::WIDE), chart.draw(canvas::NARROW));
        let about = [series.about.clone()].into_iter().chain(chart.smoothing()).collect::<Vec<_>>().join(" ");
        Some(Plot { file: file_name(name), about, wide, narrow })
    };
    let first = FIRST.into_iter().filter_map(series);
    let rest = THEN.into_iter().chain(others).filter_map(series);
    let requests = requests::plot(&record.requests, duration, &bands);
    steps.into_iter().chain(faults).chain(first).chain(requests).chain(rest).collect()
}

/// Length of the time axis, the same for all plots: the run, and whatever was sampled or asked after it.
fn duration(record: &Record) -> f64 {
    let times = record.series.values().flat_map(|series| series.lines.values().flatten()).map(|(at, _)| *at);
    times
        .chain([record.virtual_seconds, requests::end(&record.requests)])
        .filter(|at| at.is_finite())
        .fold(1.0, f64::max)
}

/// What people call the series.
fn title(name: &str) -> String {
    match name {
        "reorg_depth" => "Reorganisation depth".to_owned(),
        "api_latency_median" => "API latency, median".to_owned(),
        "api_latency_p95" => "API latency, 95th percentile".to_owned(),
        _ => {
            let text = one_line(name).replace('_', " ");
            let mut chars = text.chars();
            chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
        }
    }
}

fn file_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect()
}
