//! Renderers of one run.

use insta::assert_snapshot;

use super::fixture::{infrastructure, passed, violated};
use crate::{Record, Requests, ScenarioFile, Verdict, baseline, render};

#[test]
fn markdown_of_a_passed_run() {
    assert_snapshot!(render::markdown(&passed()));
}

#[test]
fn markdown_of_a_violated_run() {
    assert_snapshot!(render::markdown(&violated()));
}

#[test]
fn junit_of_a_violated_run() {
    assert_snapshot!(render::junit(&violated()));
}

#[test]
fn junit_tells_an_error_from_a_failure() {
    let xml = render::junit(&infrastructure());
    assert!(xml.contains("failures=\"0\" errors=\"1\""), "{xml}");
    assert!(xml.contains("type=\"infrastructure\""), "{xml}");
}

#[test]
fn lines() {
    let all = [passed(), violated(), infrastructure()].map(|record| render::line(&record)).join("\n");
    assert_snapshot!(all, @r"
    passed partition-heal seed 7: height 6, 1:00 virtual in 0.2 s (240×), deepest reorg 2, worst RTO 1.5 s, 251 confirmed, 0 lost, trace aaaaaaaaaaaa
    violated partition-heal seed 7: agreement violated at 0:41.5: n0 and n2 confirmed different blocks at height 3
    infrastructure partition-heal seed 7: cannot create the output directory: no space left
    ");
}

#[test]
fn colour_only_when_asked_for() {
    assert!(!render::line(&violated()).contains('\u{1b}'));
    let colored = render::line_in_color(&violated());
    assert!(colored.starts_with("\u{1b}[1;31mviolated\u{1b}[0m partition-heal"), "{colored:?}");
}

#[test]
fn plot_of_the_height() {
    let plots = render::plots(&violated());
    assert_eq!(plots.keys().collect::<Vec<_>>(), ["faults", "height", "requests", "violation"]);
    assert_snapshot!(plots["height"]);
}

#[test]
fn plot_of_the_faults() {
    assert_snapshot!(render::plots(&violated())["faults"]);
}

#[test]
fn plot_of_what_was_around_a_violation() {
    assert_snapshot!(render::plots(&violated())["violation"]);
}

#[test]
fn html_begins_with_the_violation_and_ends_with_the_command() {
    let record = violated();
    let page = render::html(&record);
    let find = |text: &str| page.find(text).unwrap_or_else(|| panic!("no {text:?} in the page"));
    let order = [
        "Violated</h1>",
        "agreement violated at 0:41.5",
        "virtual seconds per wall second",
        "<svg",
        "id=\"recovery\"",
        "id=\"timeline\"",
        "id=\"invariants\"",
        "<b>agreement</b>",
        "<b>validity</b>",
        "id=\"expectations\"",
        "id=\"nodes\"",
        "id=\"workload\"",
        "id=\"trace\"",
        "id=\"scenario\"",
        "id=\"reproduce\"",
    ];
    assert!(order.map(find).is_sorted(), "sections out of order: {:?}", order.map(find));
    let command = page.rfind(&record.reproduce).expect("the command is on the page");
    assert!(command > find("id=\"reproduce\""));
}

#[test]
fn html_refers_to_nothing_outside_itself() {
    let page = render::html(&passed());
    for reference in ["src=", "href=", "@import", "url(", "<script", "<link"] {
        assert!(!page.contains(reference), "{reference} in the page");
    }
    let outside: Vec<&str> = page.matches("http").collect();
    let namespaces = page.matches("xmlns=\"http://www.w3.org/2000/svg\"").count();
    assert_eq!(outside.len(), namespaces, "an address beside the namespace of SVG");
}

#[test]
fn no_text_of_a_record_is_markup() {
    let evil = "<script>alert(1)</script>&\"'`|";
    let text = || evil.to_owned();
    let mut record = violated();
    (record.scenario, record.about, record.backend, record.git_rev) = (text(), text(), text(), text());
    (record.trace_hash, record.reproduce, record.failure) = (text(), text(), Some(text()));
    (record.nodes[0].name, record.nodes[0].head) = (text(), text());
    let fault = &mut record.faults[0];
    (fault.kind, fault.detail, fault.target) = (text(), text(), vec![text()]);
    (record.invariants[1].name, record.invariants[1].detail) = (text(), text());
    (record.expectations[0].name, record.expectations[0].actual) = (text(), text());
    (record.timeline[1].kind, record.timeline[1].detail, record.timeline[1].host) = (text(), text(), Some(text()));
    record.scenario_file = Some(ScenarioFile { name: text(), text: text() });
    (record.trace[0].host, record.alerts[0].name) = (text(), text());
    let mut series = record.series.remove("height").expect("the fixture has heights");
    let line = series.lines.remove("n0").expect("the fixture has n0");
    (series.unit, series.about) = (text(), text());
    series.lines.insert(text(), line);
    record.series.insert(text(), series);
    let plots = render::plots(&record);
    assert_eq!(plots.len(), 4);
    let svgs = plots.iter().filter(|(name, _)| *name != "violation").map(|(_, svg)| svg.clone());
    let outputs = [render::html(&record), render::junit(&record)].into_iter().chain(svgs);
    for output in outputs {
        assert!(!output.contains("<script"), "unescaped: {output}");
        assert!(output.contains("&lt;script"), "the text is there, escaped: {output}");
    }
    let markdown = render::markdown(&record);
    let prose = markdown.split("## Reproduce").next().unwrap_or_default();
    assert!(prose.contains("\\<script\\>"), "{prose}");
    let spans = format!("`{}`", "<script>aler");
    let bare = prose.replace("\\<", "").replace(&spans, "");
    assert!(!bare.contains('<'), "markup outside of a code span: {bare}");
    assert!(plots.keys().all(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')), "{plots:?}");
}

#[test]
fn one_record_gives_the_same_bytes() {
    let (a, b) = (violated(), Record::read(render::json(&violated()).as_bytes()).expect("a record reads itself"));
    assert_eq!(render::html(&a), render::html(&b));
    assert_eq!(render::markdown(&a), render::markdown(&b));
    assert_eq!(render::junit(&a), render::junit(&b));
    assert_eq!(render::plots(&a), render::plots(&b));
}

#[test]
fn a_run_that_never_began_has_a_page_without_empty_tables() {
    let mut record = infrastructure();
    record.nodes.clear();
    record.faults.clear();
    record.series.clear();
    record.timeline.clear();
    record.recovery.clear();
    record.alerts.clear();
    record.requests = Requests::default();
    let page = render::html(&record);
    assert!(page.contains("Infrastructure failure</h1>"));
    assert!(!page.contains("<tbody></tbody>"), "{page}");
    assert!(!render::markdown(&record).contains("---|\n\n"), "{}", render::markdown(&record));
    assert!(render::plots(&record).is_empty());
}

#[test]
fn a_verdict_without_a_reason_is_explained() {
    let mut record = violated();
    record.failure = None;
    assert!(render::line(&record).contains("agreement violated at 0:41.5: n0 and n2"), "{}", render::line(&record));
    record.invariants.clear();
    assert!(render::line(&record).contains("reorg_depth_max: expected at most 20, got 24"));
    record.verdict = Verdict::Nondeterministic;
    assert!(render::line(&record).contains("The same seed gave two different runs."));
}

#[test]
fn comparison_with_a_baseline() {
    assert_snapshot!(baseline::compare(&violated(), &passed()));
}
