//! The metrics, as OpenMetrics text and as JSON.

use super::model::{Metric, MetricsInfo, Sample};
use crate::NodeView;
use axum::{Json, extract::State, http::header::CONTENT_TYPE, response::IntoResponse};
use std::collections::BTreeMap;

/// The media type of OpenMetrics 1.0.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All metrics as OpenMetrics text.
#[utoipa::path(
    get, path = "/metrics", tag = "metrics",
    responses((status = 200, body = String, content_type = "application/openmetrics-text"))
)]
pub(super) async fn text(State(view): State<NodeView>) -> impl IntoResponse {
    ([(CONTENT_TYPE, OPEN_METRICS)], rendered(&view).await)
}

/// All metrics as JSON.
#[utoipa::path(get, path = "/api/metrics", tag = "metrics", responses((status = 200, body = MetricsInfo)))]
pub(super) async fn json(State(view): State<NodeView>) -> Json<MetricsInfo> {
    Json(parse(&rendered(&view).await))
}

async fn rendered(view: &NodeView) -> String {
    let (inner, snapshot) = (view.clone(), *view.snapshot.borrow());
    view.blocking.run(move || inner.metrics.render(&inner, &snapshot)).await
}

/// Reads what [`crate::Metrics::render`] writes: descriptions of a metric, then its samples. A line of another form is
/// passed over.
fn parse(text: &str) -> MetricsInfo {
    let mut metrics: BTreeMap<String, Metric> = BTreeMap::new();
    let mut current = String::new();
    for line in text.lines() {
        if let Some(description) = line.strip_prefix("# ") {
            let mut parts = description.splitn(3, ' ');
            let (Some(keyword), Some(name), Some(value)) = (parts.next(), parts.next(), parts.next()) else { continue };
            current = name.to_owned();
            let metric = metrics.entry(current.clone()).or_default();
            match keyword {
                "TYPE" => metric.kind = value.to_owned(),
                "HELP" => metric.help = value.trim_end_matches('.').to_owned(),
                _ => {}
            }
        } else if let Some(sample) = parse_sample(line) {
            metrics.entry(current.clone()).or_default().samples.push(sample);
        }
    }
    MetricsInfo { metrics }
}

/// `name value` or `name{label="text",...} value`.
fn parse_sample(line: &str) -> Option<Sample> {
    let name_end = line.find(['{', ' '])?;
    let (name, rest) = line.split_at(name_end);
    let mut labels = BTreeMap::new();
    let mut rest = rest;
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (key, after_key) = rest.split_once("=\"")?;
            let (value, after_value) = parse_quoted(after_key)?;
            labels.insert(key.to_owned(), value);
            rest = after_value.strip_prefix(',').unwrap_or(after_value);
        }
        rest = &rest[1..];
    }
    let value: f64 = rest.trim().split(' ').next()?.parse().ok()?;
    Some(Sample { name: name.to_owned(), labels, value: value.is_finite().then_some(value) })
}

/// Text up to the closing quote, and what comes after it.
fn parse_quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match characters.next()?.1 {
                'n' => '\n',
                other => other,
            }),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_may_hold_braces_quotes_and_commas() {
        let sample = parse_sample(r#"a_total{route="/tx/{hash}",why="a \"b\",\\c\n"} 3"#).expect("it is a sample");
        assert_eq!(sample.labels["route"], "/tx/{hash}");
        assert_eq!(sample.labels["why"], "a \"b\",\\c\n");
        assert_eq!((sample.name.as_str(), sample.value), ("a_total", Some(3.0)));
    }

    #[test]
    fn samples_stand_under_their_metric() {
        let text = "# HELP height Height.\n# TYPE height gauge\nheight 7\n# TYPE t histogram\nt_bucket{le=\"+Inf\"} 2\nt_sum NaN\n# EOF\n";
        let MetricsInfo { metrics } = parse(text);
        assert_eq!(metrics["height"].samples[0].value, Some(7.0));
        assert_eq!((metrics["height"].kind.as_str(), metrics["height"].help.as_str()), ("gauge", "Height"));
        let values: Vec<_> = metrics["t"].samples.iter().map(|sample| (sample.name.as_str(), sample.value)).collect();
        assert_eq!(values, [("t_bucket", Some(2.0)), ("t_sum", None)]);
        assert_eq!(metrics.len(), 2);
    }

    #[test]
    fn a_broken_line_is_passed_over() {
        for line in ["", "x", "x{", "x{a=\"b} 1", "x{a} 1", "x one"] {
            assert_eq!(parse_sample(line), None, "{line:?}");
        }
    }
}
