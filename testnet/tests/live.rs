//! A scenario on real processes and containers: every kind of fault that needs no disk of its own, what is refused before
//! anything starts, and how a container is locked in. Without a container engine the last is skipped, and counts as ignored.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a live test reads files of the system")]

use assay_reports::{InvariantStatus, Record, Verdict};
use assay_scenarios::Scenario;
use assay_testnet::{
    TestnetError,
    live::{Options, check_containers, check_processes, on_containers, on_processes},
    program,
};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Duration,
};

/// The image of the test; another than the one that people use.
const IMAGE: &str = "assay-node:test";
/// Bytes of the image, at most.
const IMAGE_BYTES_MAX: u64 = 60_000_000;
/// When a container has to be healthy, since the run began.
const HEALTHY_WITHIN: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let has_engine = Command::new("docker").arg("version").output().is_ok_and(|output| output.status.success());
    if !has_engine {
        eprintln!("skipped: no container engine");
    }
    let refused = check_containers(&scenario("tests/scenarios/kill-and-split.toml"), 3).err();
    if let Some(reason) = &refused {
        eprintln!("skipped: {reason}");
    }
    let tests = vec![
        Trial::test("processes_are_killed_stand_still_and_are_cut_off_and_the_chain_goes_on", on_real_processes),
        Trial::test("what_processes_cannot_do_is_told_before_anything_starts", refusals),
        Trial::test("containers_do_the_same_and_are_locked_in", on_real_containers)
            .with_ignored_flag(!has_engine || refused.is_some()),
    ];
    libtest_mimic::run(&arguments, tests).exit_code()
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn scenario(name: &str) -> Scenario {
    Scenario::load(&file(name)).expect("it ships with the project")
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("the system gives threads")
}

/// What a run of `kill-and-split` must show, wherever it was.
fn judge(record: &Record, backend: &str) {
    assert_eq!((record.verdict, record.failure.as_deref()), (Verdict::Passed, None));
    assert_eq!(record.backend, backend);
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
    assert!(record.nodes.iter().all(|node| node.blocks_produced > 0 && node.height > 0), "{:?}", record.nodes);
}

fn on_real_processes() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let scenario = scenario("tests/scenarios/kill-and-split.toml");
    let nodes = folder.path().join("nodes");
    let mut silent = |_: &_| ();
    let played = on_processes(&scenario, 3, program()?, &nodes, Options::default(), &mut silent);
    judge(&runtime().block_on(played)?.record, "process");
    Ok(())
}

fn refusals() -> Result<(), Failed> {
    for (name, word) in [("pos-clock-skew", "clock"), ("slow-disk", "disk_slow"), ("pos-liar-twin", "lie")] {
        let scenario = scenario(&format!("../scenarios/{name}.toml"));
        let error = check_processes(&scenario, 3).expect_err("it is the simulator's alone");
        assert!(matches!(error, TestnetError::CannotDo { .. }));
        let error = error.to_string();
        let start = format!("{name}.toml:");
        assert!(error.contains(&start) && error.contains(&format!("`{word}` cannot be had")), "{error}");
    }
    Ok(())
}

fn docker(arguments: &[&str]) -> Result<String, Failed> {
    let output = Command::new("docker").args(arguments).output()?;
    if !output.status.success() {
        return Err(Failed::from(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// All containers of live runs.
fn inspected() -> Result<Vec<Value>, Failed> {
    let ids = docker(&["ps", "-q", "--filter", &format!("ancestor={IMAGE}")])?;
    let arguments: Vec<&str> = ["inspect"].into_iter().chain(ids.lines()).collect();
    if arguments.len() == 1 {
        return Ok(Vec::new());
    }
    Ok(serde_json::from_str(&docker(&arguments)?)?)
}

fn on_real_containers() -> Result<(), Failed> {
    let built = Command::new(file("image/build")).arg("--binary").arg(program()?).args(["--tag", IMAGE]).output()?;
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let bytes: u64 = docker(&["image", "inspect", "-f", "{{.Size}}", IMAGE])?.parse()?;
    assert!(bytes < IMAGE_BYTES_MAX, "{bytes}");
    let shell = docker(&["run", "--rm", "--network", "none", "--entrypoint", "/bin/sh", IMAGE, "-c", "true"]);
    assert!(shell.is_err(), "there is a shell in the image");

    let folder = tempfile::tempdir()?;
    let scenario = scenario("tests/scenarios/kill-and-split.toml");
    let nodes = folder.path().join("nodes");
    let (mut first, mut healthy_at) = (Vec::new(), None);
    let mut look = |progress: &assay_sim::run::Progress| {
        if healthy_at.is_some() || progress.at > HEALTHY_WITHIN {
            return;
        }
        let Ok(containers) = inspected() else { return };
        let is_healthy = |it: &&Value| it["State"]["Health"]["Status"] == "healthy";
        if containers.iter().any(|it| is_healthy(&it)) {
            healthy_at = Some(progress.at);
            first = containers;
        }
    };
    let played = on_containers(&scenario, 3, IMAGE, &nodes, Options::default(), &mut look);
    let played = runtime().block_on(played)?;
    judge(&played.record, "compose");
    assert!(healthy_at.is_some(), "no container was healthy within {HEALTHY_WITHIN:?}");
    for container in &first {
        let (host, user) = (&container["HostConfig"], container["Config"]["User"].as_str().unwrap_or_default());
        assert!(!user.is_empty() && !user.starts_with("0:"), "{user}");
        assert_eq!(host["ReadonlyRootfs"], true);
        assert_eq!(host["CapDrop"], serde_json::json!(["ALL"]));
        assert!(host["CapAdd"].is_null() && host["Privileged"] == false, "{host}");
        assert_eq!(host["SecurityOpt"], serde_json::json!(["no-new-privileges:true"]));
    }
    assert_eq!(inspected()?.len(), 0, "containers are left");
    docker(&["image", "rm", IMAGE])?;
    Ok(())
}
