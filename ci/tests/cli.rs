//! The command line: exit status, what is said where, and files.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "these tests start the program")]

use std::{
    path::Path,
    process::{Command, Output},
};

const SCENARIO: &str = r#"name = "short"
about = "Two nodes for two minutes; one is killed."
consensus = "pow"
nodes = 2
duration = "2m"

[chain]
block_interval = "2s"
confirmations = 2

[workload]
transfers_per_second = 1
stop_before_end = "1m"

[[fault]]
at = "20s"
kill = ["n1"]
restart_after = "5s"

[expect]
confirms_within = "1m"
"#;

/// Runs `assay` in `dir`, where the scenario is in `short.toml`.
fn assay(dir: &Path, args: &[&str]) -> Output {
    std::fs::write(dir.join("short.toml"), SCENARIO).expect("the folder can be written");
    Command::new(env!("CARGO_BIN_EXE_assay")).args(args).current_dir(dir).output().expect("the program starts")
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[track_caller]
fn passed(output: &Output) -> String {
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}{}", text(&output.stderr));
    said
}

#[test]
fn a_run_leaves_its_report_and_is_silent_in_a_pipe() {
    let dir = folder();
    let output = assay(dir.path(), &["run", "short.toml", "--seed", "1"]);
    let said = passed(&output);
    assert!(said.starts_with("passed short seed 1: "), "{said}");
    assert!(said.ends_with("report: target/assay/short-1/report.html\n"), "{said}");
    assert_eq!(text(&output.stderr), "");
    for file in ["report.json", "report.html", "summary.md", "junit.xml", "plots/height.svg"] {
        assert!(dir.path().join("target/assay/short-1").join(file).is_file(), "{file}");
    }
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let dir = folder();
    let wrong = SCENARIO.replace("restart_after", "restart_in");
    std::fs::write(dir.path().join("wrong.toml"), wrong).expect("the folder can be written");
    let output = assay(dir.path(), &["run", "wrong.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).starts_with("assay: wrong.toml:18:1: unknown key"), "{}", text(&output.stderr));
    let output = assay(dir.path(), &["run", "no-such-thing"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("corrupt-manifest, crash-restart"), "{}", text(&output.stderr));
    let output = assay(dir.path(), &["run", "short.toml", "--on", "compose", "--trace", "events"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("a live run has no trace"), "{}", text(&output.stderr));
    let lossy = SCENARIO.replace("[workload]", "[network]\nloss = \"1%\"\n\n[workload]");
    std::fs::write(dir.path().join("lossy.toml"), lossy).expect("the folder can be written");
    let output = assay(dir.path(), &["run", "lossy.toml", "--on", "process"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("cannot be had with '--on process'"), "{}", text(&output.stderr));
    assert_eq!(assay(dir.path(), &["sweep", "--seeds", "5..5"]).status.code(), Some(2));
    assert_eq!(assay(dir.path(), &["report", "nowhere"]).status.code(), Some(2));
}

#[test]
fn a_failed_run_ends_with_the_command_that_repeats_it() {
    let dir = folder();
    let harsh = SCENARIO.replace("[expect]", "[expect]\nconfirmed_transactions_min = 100000");
    std::fs::write(dir.path().join("harsh.toml"), harsh).expect("the folder can be written");
    let output = assay(dir.path(), &["run", "harsh.toml", "--seed", "2", "--out", "out"]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    assert_eq!(said.lines().last(), Some("cargo assay run harsh.toml --seed 2"), "{said}");
    assert!(said.contains("harsh.toml:21: confirmed_transactions_min is"), "{said}");
}

#[test]
fn a_report_renders_again_to_the_same_bytes_and_replays_to_the_same_run() {
    let dir = folder();
    let scenarios = dir.path().join("scenarios");
    std::fs::create_dir(&scenarios).expect("the folder can be written");
    std::fs::write(scenarios.join("short.toml"), SCENARIO).expect("the folder can be written");
    passed(&assay(dir.path(), &["run", "short", "--seed", "3", "--out", "out"]));
    passed(&assay(dir.path(), &["report", "out", "--out", "again"]));
    for file in ["report.json", "report.html", "summary.md", "junit.xml"] {
        let [first, again] =
            ["out", "again"].map(|folder| std::fs::read(dir.path().join(folder).join(file)).expect("a file"));
        assert_eq!(first, again, "{file}");
    }
    // A report holds its scenario, so what becomes of the file is nothing to it.
    std::fs::remove_dir_all(&scenarios).expect("the folder can be removed");
    let output = assay(dir.path(), &["replay", "out", "--json"]);
    let outcome: serde_json::Value = serde_json::from_str(&passed(&output)).expect("the outcome is JSON");
    let record: serde_json::Value =
        serde_json::from_slice(&std::fs::read(dir.path().join("out/report.json")).expect("a file")).expect("a record");
    assert_eq!(outcome["trace_hash"], record["trace_hash"]);
    let output = assay(dir.path(), &["replay", "out", "--until", "30s", "--logs", "n1"]);
    passed(&output);
    let logs = text(&output.stderr);
    assert!(logs.contains("chain.head") && logs.lines().all(|line| !line.contains("s n0 ")), "{logs}");
}

#[test]
fn shards_merge_to_the_whole_sweep() {
    let dir = folder();
    let sweep = |args: &[&str]| {
        let all: Vec<_> = ["sweep", "short.toml", "--seeds", "0..4"].iter().chain(args).copied().collect();
        passed(&assay(dir.path(), &all))
    };
    sweep(&["--out", "whole", "--jobs", "2"]);
    sweep(&["--out", "one", "--shard", "1/2"]);
    sweep(&["--out", "two", "--shard", "2/2"]);
    passed(&assay(dir.path(), &["sweep", "--merge", "one", "two", "--out", "merged"]));
    let hashes = |folder: &str| -> Vec<(u64, String)> {
        let bytes = std::fs::read(dir.path().join(folder).join("sweep.json")).expect("a file");
        let record: serde_json::Value = serde_json::from_slice(&bytes).expect("a record");
        let runs = record["runs"].as_array().expect("runs").iter();
        runs.map(|run| (run["seed"].as_u64().expect("a seed"), run["trace_hash"].to_string())).collect()
    };
    assert_eq!(hashes("whole").len(), 4);
    assert_eq!(hashes("merged"), hashes("whole"));
}

#[test]
fn two_processes_agree() {
    let dir = folder();
    let said = passed(&assay(dir.path(), &["determinism", "short.toml", "--seed", "4"]));
    assert!(said.starts_with("short 4: equal in two processes, trace "), "{said}");
}

#[test]
fn the_list_names_every_scenario() {
    let dir = folder();
    let said = passed(&assay(dir.path(), &["list"]));
    let names: Vec<_> = said.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let entries = std::fs::read_dir(files).expect("they ship with the project");
    let paths = entries.map(|entry| entry.expect("it can be read").path());
    let scenarios = paths.filter(|path| path.extension().is_some_and(|end| end == "toml"));
    let stem = |path: &std::path::PathBuf| path.file_stem().is_some_and(|stem| stem != "Cargo");
    let mut expected: Vec<_> = scenarios
        .filter(stem)
        .map(|path| path.file_stem().expect("it has one").to_string_lossy().into_owned())
        .collect();
    expected.sort();
    assert_eq!(names, expected);
}
