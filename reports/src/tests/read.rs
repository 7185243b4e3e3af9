//! Strict reading.

use insta::assert_snapshot;

use super::fixture::passed;
use crate::sweep::SweepRecord;
use crate::{Record, render};

fn error(json: &str) -> String {
    Record::read(json.as_bytes()).expect_err("the record must be refused").to_string()
}

#[test]
fn a_record_reads_what_it_wrote() {
    let mut record = passed();
    record.virtual_seconds = 0.1 + 0.2;
    record.series.clear();
    let again = Record::read(render::json(&record).as_bytes()).expect("a record reads itself");
    assert_eq!(again, record);
    let json = render::json(&passed());
    assert_eq!(Record::read(json.as_bytes()).expect("a record reads itself"), passed());
    assert!(json.contains("\"n0\": [[0.0, 0.0], [10.0, 1.0]"), "samples of a node are one line: {json}");
}

#[test]
fn an_unknown_field_is_refused_at_any_depth() {
    let json = render::json(&passed());
    assert_snapshot!(error(&json.replacen("\"seed\"", "\"sede\": 1, \"seed\"", 1)), @"malformed record: unknown field `sede`, expected one of `schema_version`, `scenario`, `about`, `seed`, `backend`, `git_rev`, `verdict`, `virtual_seconds`, `wall_seconds`, `trace_hash`, `nodes`, `faults`, `invariants`, `expectations`, `recovery`, `alerts`, `workload`, `requests`, `timeline`, `steps`, `trace`, `series`, `scenario_file`, `reproduce`, `failure` at line 5 column 8");
    assert_snapshot!(error(&json.replacen("\"peers\"", "\"pears\": 1, \"peers\"", 1)), @"malformed record: unknown field `pears`, expected one of `name`, `height`, `confirmed_height`, `head`, `peers`, `restarts`, `blocks_produced`, `reorgs`, `reorg_depth_max` at line 18 column 13");
}

#[test]
fn a_missing_field_is_refused() {
    assert_snapshot!(error(&render::json(&passed()).replacen("  \"seed\": 7,\n", "", 1)), @"malformed record: missing field `seed` at line 190 column 1");
}

#[test]
fn a_record_from_before_scenarios_were_kept_in_it_is_read() {
    let mut old = passed();
    old.scenario_file = None;
    let json = render::json(&old).replacen("  \"scenario_file\": null,\n", "", 1);
    assert!(!json.contains("scenario_file"), "{json}");
    assert_eq!(Record::read(json.as_bytes()).expect("an older record is one"), old);
}

#[test]
fn another_schema_is_refused_before_its_fields_are_judged() {
    assert_snapshot!(error(r#"{"schema_version": 2, "brand_new": []}"#), @"record has schema version 2, this program reads version 1");
    assert_snapshot!(error(r#"{"schema_version": 0}"#), @"record has schema version 0, this program reads version 1");
}

#[test]
fn what_is_no_record_is_refused() {
    assert_snapshot!(error("{}"), @"malformed record: missing field `schema_version` at line 1 column 2");
    assert_snapshot!(error(""), @"malformed record: EOF while parsing a value at line 1 column 0");
    let error = SweepRecord::read(render::json(&passed()).as_bytes()).expect_err("a run is no sweep");
    assert_snapshot!(error, @"malformed record: unknown field `scenario`, expected one of `schema_version`, `git_rev`, `shard`, `runs`, `not_run` at line 3 column 12");
}
