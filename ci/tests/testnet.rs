//! `assay testnet`: exit status, what is printed, and that a net outlives the command that started it.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "these tests start the program")]

use serde_json::Value;
use std::{
    path::Path,
    process::{Command, Output},
};

fn testnet(dir: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
    command.arg("testnet").args(args).current_dir(dir).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[track_caller]
fn ends_with(output: &Output, code: i32) -> String {
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(code), "{said}{}", text(&output.stderr));
    said
}

#[track_caller]
fn json(output: &Output, code: i32) -> Value {
    serde_json::from_str(&ends_with(output, code)).expect("one JSON value")
}

/// Ends what a test that fails would leave behind.
struct Ends<'a>(&'a Path);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        let _ended = testnet(self.0, &["down", "--wipe"]);
    }
}

#[test]
fn what_is_wrong_is_told_with_what_to_do() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for args in [&["status"][..], &["down"], &["load"], &["logs", "--name", "none"], &["chaos", "kill", "n0"]] {
        let output = testnet(dir.path(), args);
        ends_with(&output, 2);
        assert!(text(&output.stderr).contains("'assay testnet up' starts one"), "{args:?}: {}", text(&output.stderr));
    }
    for args in [
        &["up", "--nodes", "0"][..],
        &["up", "--nodes", "33"],
        &["up", "--name", "Latest!"],
        &["up", "--name", "latest"],
        &["up", "--ports", "6000,6001"],
        &["up", "--block-interval", "1ms"],
        &["up", "--program", "no-such-program"],
        &["faucet", "abc"],
        &["load", "--rate", "0"],
        &["init", "--profile", "pow"],
    ] {
        ends_with(&testnet(dir.path(), args), 2);
    }
    assert_eq!(ends_with(&testnet(dir.path(), &["list"]), 0), "");
    assert_eq!(json(&testnet(dir.path(), &["list", "--json"]), 0), Value::Array(Vec::new()));
    ends_with(&testnet(dir.path(), &["clean"]), 0);
}

#[test]
fn every_command_teaches() {
    let commands = [
        "up", "status", "logs", "load", "faucet", "chaos", "backup", "restore", "upgrade", "dump", "down", "list",
        "clean", "init",
    ];
    let dir = tempfile::tempdir().expect("a temporary folder");
    for command in commands {
        let said = ends_with(&testnet(dir.path(), &[command, "--help"]), 0);
        assert!(said.contains("Examples:\n  assay testnet ") && said.contains("--json"), "{said}");
    }
}

#[test]
fn a_net_outlives_its_command_and_every_answer_can_be_json() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let dir = dir.path();
    let _ends = Ends(dir);
    let up = ["up", "--nodes", "2", "--block-interval", "300ms", "--accounts", "2", "--json"];
    let up = json(&testnet(dir, &up), 0);
    assert_eq!(up["net"]["nodes"].as_array().map(Vec::len), Some(2), "{up}");
    let address = up["accounts"]["accounts"][1]["address"].as_str().expect("it has one").to_owned();
    ends_with(&testnet(dir, &["up"]), 2);

    let status = json(&testnet(dir, &["status", "--json"]), 0);
    assert_eq!((&status["healthy"], &status["nodes"][1]["peers"]), (&Value::Bool(true), &1.into()), "{status}");
    let table = ends_with(&testnet(dir, &["status", "--watch"]), 0);
    assert_eq!(table.matches("http://").count(), 2, "in a pipe once: {table}");
    assert!(!table.contains('\x1b'), "no colours in a pipe: {table}");

    let paid = json(&testnet(dir, &["faucet", &address, "5", "--wait", "--json"]), 0);
    assert!(paid["confirmed_at"].as_u64().is_some(), "{paid}");
    let load = json(&testnet(dir, &["load", "--rate", "20", "--for", "1s", "--json"]), 0);
    assert!(load["acknowledged"].as_u64().is_some_and(|count| count > 0), "{load}");
    assert!(load["answer"]["p99_ms"].as_f64().is_some_and(|millis| millis > 0.0), "{load}");

    let killed = json(&testnet(dir, &["chaos", "kill", "n1", "--json"]), 0);
    assert_eq!(killed[0]["node"], "n1", "{killed}");
    let status = json(&testnet(dir, &["status", "--json"]), 1);
    assert_eq!(status["nodes"][1]["state"], "stopped", "{status}");
    let logs = ends_with(&testnet(dir, &["logs", "n0", "--since", "1h"]), 0);
    assert!(logs.lines().all(|line| line.starts_with("n0  ")) && logs.contains("node.started"), "{logs}");

    let list = json(&testnet(dir, &["list", "--json"]), 0);
    assert_eq!((&list[0]["name"], &list[0]["running"]), (&"dev".into(), &1.into()), "{list}");
    let down = json(&testnet(dir, &["down", "--json"]), 0);
    assert_eq!(down["nodes"][0]["ending"], "stopped", "{down}");
    ends_with(&testnet(dir, &["status"]), 1);
    ends_with(&testnet(dir, &["load"]), 2);
    ends_with(&testnet(dir, &["up", "--nodes", "3"]), 2);
    let wiped = json(&testnet(dir, &["down", "--wipe", "--json"]), 0);
    assert_eq!(wiped["wiped"], true, "{wiped}");
    ends_with(&testnet(dir, &["status"]), 2);
}
