//! Runs are judged by their alerts, with the shipped rules and the real `promtool`.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "these tests start the program")]

use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const SCENARIO: &str = r#"name = "full"
about = "The disk of one of three nodes is full for two minutes."
consensus = "pow"
nodes = 3
duration = "5m"

[chain]
block_interval = "2s"
confirmations = 2

[[fault]]
at = "1m"
for = "2m"
disk_full = ["n1"]

[expect]
confirms_within = "1m"
alerts = ["StorageReadOnly"]
alerts_within = "2m"
alerts_allowed = ["DiskSpaceCritical", "ChainDiverged"]
"#;

fn rules() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testnet/monitoring/rules")
}

fn assay(dir: &Path, args: &[&str]) -> Output {
    fs::write(dir.join("full.toml"), SCENARIO).expect("the folder can be written");
    Command::new(env!("CARGO_BIN_EXE_assay")).args(args).current_dir(dir).output().expect("the program starts")
}

fn text(output: &Output) -> String {
    [&output.stdout[..], &output.stderr[..]].map(String::from_utf8_lossy).concat()
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Copies the shipped rules into the working directory, where they go before those of the sources, changed.
fn change_rules(dir: &Path, change: impl Fn(&str) -> String) {
    let own = dir.join("testnet/monitoring/rules");
    fs::create_dir_all(&own).expect("a folder");
    for entry in fs::read_dir(rules()).expect("the shipped rules") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            let text = fs::read_to_string(&path).expect("a rule file");
            fs::write(own.join(path.file_name().expect("a name")), change(&text)).expect("a file");
        }
    }
}

#[test]
fn what_must_fire_fires_in_time_and_is_in_the_report() {
    let dir = folder();
    let output = assay(dir.path(), &["run", "full.toml", "--out", "out"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let record = fs::read(dir.path().join("out/report.json")).expect("a report");
    let record: Value = serde_json::from_slice(&record).expect("JSON");
    let alert = record["alerts"].as_array().expect("alerts").iter().find(|alert| alert["name"] == "StorageReadOnly");
    let fired_at = alert.and_then(|alert| alert["fired_at"].as_f64()).expect("it has fired");
    assert!((120.0..=180.0).contains(&fired_at), "a minute after the disk was full, and not at {fired_at} s");
    assert!(fs::read_to_string(dir.path().join("out/report.html")).expect("a page").contains("id=\"alerts\""));
}

#[test]
fn a_rule_that_is_gone_or_out_of_reach_fails_the_run() {
    let expr = "assay_storage_state{state=\"full\"} == 1";
    for broken in ["assay_storage_state{state=\"full\"} == 100", "vector(0) > 1"] {
        let dir = folder();
        change_rules(dir.path(), |text| text.replace(expr, broken));
        let output = assay(dir.path(), &["run", "full.toml", "--out", "out"]);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output));
        assert!(text(&output).contains("StorageReadOnly fires by 180 s was expected, and silent"), "{}", text(&output));
    }
}

#[test]
fn a_page_that_nobody_expects_fails_the_run() {
    let dir = folder();
    let always = |text: &str| text.replace("up{job=\"assay-node\"} == 0", "up{job=\"assay-node\"} == 1");
    change_rules(dir.path(), |text| always(text).replace("for: 5m", "for: 1m"));
    let output = assay(dir.path(), &["run", "full.toml", "--out", "out"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("no other page was expected, and NodeDown fired"), "{}", text(&output));
}

#[test]
fn a_simulated_outage_can_be_browsed_in_prometheus() {
    let dir = folder();
    let output = assay(dir.path(), &["run", "full.toml", "--out", "out"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let metrics = assay(dir.path(), &["metrics", "export", "out", "--start", "1800000000"]);
    assert_eq!(metrics.status.code(), Some(0), "{}", text(&metrics));
    fs::write(dir.path().join("metrics.txt"), &metrics.stdout).expect("a file");
    let promtool = |args: &[&str]| {
        let output = Command::new("promtool").args(args).current_dir(dir.path()).output();
        let output = output.expect("promtool is installed: see ci/need-promtool");
        assert!(output.status.success(), "{}", text(&output));
        String::from_utf8(output.stdout).expect("text")
    };
    promtool(&["tsdb", "create-blocks-from", "openmetrics", "metrics.txt", "data"]);
    // Dumping looks for the log that a server would have made.
    fs::create_dir_all(dir.path().join("data/wal")).expect("a folder");
    let dump = promtool(&["tsdb", "dump", "data"]);
    let is_full = |line: &&str| line.contains("assay_storage_state") && line.contains("full") && line.contains("n1");
    let full = dump.lines().filter(is_full).filter(|line| line.contains("} 1 ")).count();
    assert!((7..=9).contains(&full), "eight scrapes in two minutes have seen it, and not {full}");
}
