//! The plot of the users' requests.

use insta::assert_snapshot;

use super::fixture::{passed, violated};
use crate::{Asked, Record, Requests, render};

/// The run of the fixture with nothing but these requests.
fn with(requests: Requests) -> Record {
    let mut record = passed();
    record.series.clear();
    record.requests = requests;
    record
}

fn asked(all: &[(f64, f64)]) -> Asked {
    Asked::from([("submit".into(), [("n0".into(), all.to_vec())].into())])
}

/// The marks of a plot, with that of the legend: `strokes` are what a mark is drawn with.
fn marks(svg: &str, strokes: &str) -> usize {
    let paths = svg.lines().filter(|line| line.starts_with("<path"));
    paths.map(|path| path.matches(strokes).count()).sum()
}

#[test]
fn plot_of_the_requests() {
    assert_snapshot!(render::plots(&violated())["requests"]);
}

#[test]
fn each_outcome_has_a_form_of_its_own_and_its_number() {
    let svg = &render::plots(&passed())["requests"];
    let drawn = ["h0", "m-9 7h18l-9-16z", "m-7-7l14 14m0-14l-14 14"].map(|strokes| marks(svg, strokes) - 1);
    assert_eq!(drawn, [5, 2, 1], "ok, unknown, failed: {svg}");
    for name in ["ok 300", "unknown 2", "failed 1", "median of ok", "95th percentile"] {
        assert!(svg.contains(&format!(">\n{name}\n<")), "no {name:?} in the legend: {svg}");
    }
    let words = "300 ok, 2 unknown, 1 failed; an answer took 50 ms at the median, 500 ms at the 95th percentile, 500 ms at most; \
                 partition from 0:20 to 0:40";
    assert!(svg.contains(words), "{svg}");
}

#[test]
fn the_axis_of_latencies_is_logarithmic() {
    let svg = &render::plots(&passed())["requests"];
    let ticks = ["20 ms", "50 ms", "100 ms", "200 ms", "500 ms", "1 s", "2 s", "5 s"];
    let heights = ticks.map(|tick| height_of(svg, tick));
    assert!(heights.is_sorted_by(|a, b| a > b), "{heights:?}");
    let [twenty, fifty, .., two, five] = heights;
    assert!(((twenty - fifty) - (two - five)).abs() <= 1, "equal factors are equally far apart: {heights:?}");
}

/// The vertical place of a label.
fn height_of(svg: &str, label: &str) -> i32 {
    let text = svg.split("<text").find(|text| text.contains(&format!(">\n{label}\n<")));
    let y = text.and_then(|text| text.split(" y=\"").nth(1)?.split('"').next());
    y.and_then(|y| y.parse().ok()).unwrap_or_else(|| panic!("no label {label:?} in {svg}"))
}

#[test]
fn an_unknown_one_is_where_the_user_gave_up() {
    let [ok, unknown] = [(25.0, 5.0), (20.0, 5.0)].map(|point| {
        let mut requests = Requests::default();
        match point.0 {
            20.0 => requests.unknown = asked(&[point]),
            _ => requests.ok = asked(&[point]),
        }
        let svg = render::plots(&with(requests))["requests"].clone();
        let path = svg.lines().find(|line| line.starts_with("<path")).expect("there is a mark").to_owned();
        path.split(['M', 'h', 'm']).nth(1).expect("it has a place").to_owned()
    });
    assert_eq!(ok, unknown, "a minute has the same place");
}

#[test]
fn without_a_request_there_is_no_plot() {
    assert!(!render::plots(&with(Requests::default())).contains_key("requests"));
    let nobody = Requests { ok: asked(&[]), ..Requests::default() };
    assert!(!render::plots(&with(nobody)).contains_key("requests"));
}

#[test]
fn latencies_that_no_axis_has_are_at_its_end_or_left_out() {
    let odd = [(1.0, 0.0), (2.0, f64::NAN), (f64::INFINITY, 1.0), (3.0, -1.0), (4.0, 1e9), (5.0, 0.04)];
    let svg = &render::plots(&with(Requests { ok: asked(&odd), ..Requests::default() }))["requests"];
    assert_eq!(marks(svg, "h0") - 1, 4, "{svg}");
    let only_odd = Requests { ok: asked(&odd[1..3]), ..Requests::default() };
    assert!(!render::plots(&with(only_odd)).contains_key("requests"));
}

#[test]
fn a_page_with_as_many_requests_as_a_run_keeps_is_small() {
    let mut state = 7_u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / f64::from(1_u32 << 24)
    };
    let mut many = |n: usize| asked(&(0..n).map(|_| (60.0 * draw(), 5.0 * draw())).collect::<Vec<_>>());
    let mut record = with(Requests { ok: many(8192), failed: many(4096), unknown: many(4096), ..Requests::default() });
    record.requests.count.ok = 100_000;
    let page = render::html(&record);
    assert!(page.len() < 600_000, "{} bytes", page.len());
    assert!(page.contains("The record has 16\u{a0}384 of the 100\u{a0}000 requests, evenly spread."), "{page}");
}

#[test]
fn a_record_that_is_older_than_its_requests_is_read() {
    let mut record = passed();
    record.requests = Requests::default();
    let json = render::json(&record);
    let (before, rest) = json.split_once("  \"requests\": {").expect("they are written");
    let (_, after) = rest.split_once("\n  },\n").expect("they end");
    assert_eq!(Record::read(format!("{before}{after}").as_bytes()).expect("it is a record"), record);
    let wrong = json.replacen("\"failed\"", "\"refused\"", 1);
    assert!(Record::read(wrong.as_bytes()).is_err(), "what is not known is refused");
}

#[test]
fn the_requests_of_a_node_are_one_line_of_the_record() {
    let json = render::json(&passed());
    assert!(json.contains("\"n0\": [[20.0, 5.0], [22.0, 5.0]]\n"), "{json}");
}
