//! One seed, one trace: in another process, time zone, directory and home, on one CPU, and on a machine that is busy.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "these tests start the program")]

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// Kills, power cuts, an orderly restart, a pause, flushes and compactions.
const PROCESSES: &str = "../scenarios/crash-restart.toml";
/// Every fault of a disk, backups and what operators do to data.
const STORAGE: &str = "tests/storage.toml";

fn file(scenario: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(scenario)
}

/// Runs the scenario by `program` with `change` made to the command, and gives the trace's hash.
fn hash(scenario: &str, program: &[&str], seed: u64, change: impl FnOnce(&mut Command, &Path)) -> String {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let assay = env!("CARGO_BIN_EXE_assay");
    let line: Vec<_> = program.iter().copied().chain([assay]).collect();
    let mut command = Command::new(line[0]);
    command.args(&line[1..]).arg("run").arg(file(scenario)).args(["--json", "--seed", &seed.to_string()]);
    command.arg("--out").arg(dir.path().join("out"));
    change(&mut command, dir.path());
    let output = command.output().expect("the program starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let outcome: serde_json::Value = serde_json::from_str(&text).expect("the outcome is JSON");
    outcome["trace_hash"].as_str().expect("there is a hash").to_owned()
}

/// Processes that do nothing but keep the CPUs busy; they end with this.
struct Load(Vec<Child>);

impl Load {
    fn start() -> Self {
        let spin = || Command::new("sh").args(["-c", "while :; do :; done"]).stdout(Stdio::null()).spawn();
        Self((0..4).map(|_| spin().expect("there is a shell")).collect())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for child in &mut self.0 {
            child.kill().expect("it is ours");
            child.wait().expect("it was killed");
        }
    }
}

/// Holds the hash of a scenario against that of runs elsewhere.
fn is_a_function_of_the_seed(scenario: &str) {
    let usual = hash(scenario, &[], 5, |_, _| ());
    assert_ne!(hash(scenario, &[], 6, |_, _| ()), usual, "another seed");
    let elsewhere = hash(scenario, &[], 5, |command, dir| {
        command.env("TZ", "Pacific/Chatham").env("HOME", dir).current_dir(dir);
    });
    assert_eq!(elsewhere, usual, "another time zone, home and working directory");
    assert_eq!(hash(scenario, &["taskset", "-c", "0"], 5, |_, _| ()), usual, "one CPU");
    let load = Load::start();
    assert_eq!(hash(scenario, &[], 5, |_, _| ()), usual, "busy CPUs");
    drop(load);
}

#[test]
fn a_trace_of_processes_that_die_is_a_function_of_the_seed_alone() {
    is_a_function_of_the_seed(PROCESSES);
}

#[test]
fn a_trace_of_disks_that_fail_is_a_function_of_the_seed_alone() {
    is_a_function_of_the_seed(STORAGE);
}
