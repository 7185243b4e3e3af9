//! Rules, dashboards and runbooks are held against what nodes of each engine export.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "these tests start the program")]

use std::{fs, path::Path, process::Command};

/// Minutes of three nodes: with a backup, whose metrics come with it, and requests.
fn scenario(engine: &str) -> String {
    format!(
        r#"name = "{engine}"
about = "Three nodes for three minutes, with all that makes metrics."
consensus = "{engine}"
nodes = 3
duration = "3m"

[chain]
block_interval = "2s"

[node]
backup_every = "1m"

[workload]
transfers_per_second = 1

[expect]
alerts = []
"#
    )
}

#[test]
fn rules_dashboards_and_runbooks_name_what_nodes_export() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let assay = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_assay")).args(args).current_dir(dir.path()).output();
        let output = output.expect("the program starts");
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let engines = ["pow", "pos", "poot"].map(|engine| {
        fs::write(dir.path().join(format!("{engine}.toml")), scenario(engine)).expect("a file");
        assay(&["run", &format!("{engine}.toml"), "--out", engine]);
        let metrics = format!("{engine}.txt");
        fs::write(dir.path().join(&metrics), assay(&["metrics", "export", engine])).expect("a file");
        metrics
    });
    let check = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testnet/monitoring/check");
    let check = fs::canonicalize(check).expect("it is in the sources");
    let run = |files: &[String]| {
        let output = Command::new("python3").arg(&check).args(files).current_dir(dir.path()).output();
        let output = output.expect("python3 is installed: ci/setup python3");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (status, said) = run(&engines);
    assert_eq!(status, Some(0), "{said}");

    // It would be noticed.
    let without = |gone: &str| {
        for file in &engines {
            let text = fs::read_to_string(dir.path().join(file)).expect("a file");
            let kept: Vec<_> = text.lines().filter(|line| !line.contains(gone)).collect();
            fs::write(dir.path().join(format!("less-{file}")), kept.join("\n")).expect("a file");
        }
        run(&engines.clone().map(|file| format!("less-{file}")))
    };
    let (status, said) = without("assay_memory_resident_bytes");
    assert_eq!(status, Some(1), "{said}");
    let names = ["dashboards/node.json: Memory of the process", "runbooks/MemoryHigh.md"];
    for name in names {
        assert!(said.contains(&format!("{name}: no node exports assay_memory_resident_bytes")), "{said}");
    }
}
