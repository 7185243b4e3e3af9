//! A scenario on real processes: every kind of fault that needs no privileges, and what is refused before anything starts.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a live test reads files of the system")]

use assay_reports::{InvariantStatus, Record, Verdict};
use assay_scenarios::Scenario;
use assay_testnet::{
    TestnetError,
    live::{Options, on_processes},
    program,
};
use std::path::{Path, PathBuf};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

async fn play(scenario: &Scenario, folder: &Path) -> Result<Record, TestnetError> {
    let program = program().unwrap_or_else(|error| panic!("{error}"));
    on_processes(scenario, 3, program, &folder.join("nodes"), Options::default(), &mut |_| ()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_are_killed_stand_still_and_are_cut_off_and_the_chain_goes_on() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let scenario = Scenario::load(&file("tests/scenarios/kill-and-split.toml")).expect("it ships with the project");
    let record = play(&scenario, folder.path()).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((record.verdict, record.failure.as_deref()), (Verdict::Passed, None));
    assert_eq!(record.backend, "process");
    for fault in &record.faults {
        assert!(fault.applied_at.is_some() && fault.ended_at.is_some(), "{fault:?}");
    }
    assert_eq!(record.nodes.iter().map(|node| node.restarts).collect::<Vec<_>>(), [0, 1, 0, 1]);
    assert!(record.recovery.iter().all(|recovery| recovery.rto.is_some()), "{:?}", record.recovery);
    let held = |name: &str| {
        record.invariants.iter().any(|it| it.name == name && it.status == InvariantStatus::Held && it.checks > 0)
    };
    for name in ["agreement", "validity", "finality", "bounded", "liveness"] {
        assert!(held(name), "{name}: {:?}", record.invariants);
    }
    assert!(record.workload.acknowledged > 50 && record.workload.lost == 0, "{:?}", record.workload);
    assert!(record.nodes.iter().all(|node| node.blocks_produced > 0), "{:?}", record.nodes);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_processes_cannot_do_is_told_before_anything_starts() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    for (name, word) in [("pos-clock-skew", "clock"), ("slow-disk", "disk_slow"), ("pos-liar-twin", "lie")] {
        let scenario = Scenario::load(&file(&format!("../scenarios/{name}.toml"))).expect("it ships with the project");
        let error = play(&scenario, folder.path()).await.expect_err("it is the simulator's alone").to_string();
        let start = format!("{name}.toml:");
        assert!(error.contains(&start) && error.contains(&format!("`{word}` cannot be had")), "{error}");
        assert!(!folder.path().join("nodes").exists(), "nothing is laid out");
    }
}
