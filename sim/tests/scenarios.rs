//! The shipped scenarios, each on a few seeds: what a run finds out, word for word. More seeds are a sweep's work.

use assay_reports::{Record, Verdict, render};
use assay_scenarios::Scenario;
use assay_sim::run::{LogFilter, Options, run};
use std::path::Path;

fn scenario(name: &str) -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios").join(format!("{name}.toml"));
    Scenario::load(&path).expect("it ships with the project")
}

fn play(scenario: &Scenario, seed: u64) -> Record {
    run(scenario, seed, Options::default(), &mut |_| ()).expect("the run can be carried out")
}

/// The summary without what differs from machine to machine and from one revision to the next.
fn summary(name: &str, seed: u64) -> String {
    let mut record = play(&scenario(name), seed);
    record.wall_seconds = 0.0;
    record.trace_hash = "not part of the snapshot".into();
    record.trace.clear();
    record.git_rev = "not part of the snapshot".into();
    record.reproduce = format!("cargo assay run scenarios/{name}.toml --seed {seed}");
    render::markdown(&record)
}

macro_rules! snapshots {
    ($($test:ident: $name:literal, $seed:literal;)*) => {$(
        #[test]
        fn $test() {
            insta::assert_snapshot!(summary($name, $seed));
        }
    )*};
}

snapshots! {
    steady_0: "steady", 0;
    steady_1: "steady", 1;
    partition_heal_0: "partition-heal", 0;
    partition_heal_7: "partition-heal", 7;
    crash_restart_0: "crash-restart", 0;
    crash_restart_1: "crash-restart", 1;
    isolated_miner_0: "isolated-miner", 0;
    isolated_miner_1: "isolated-miner", 1;
    disk_full_one_0: "disk-full-one", 0;
    disk_full_majority_0: "disk-full-majority", 0;
    power_cut_cluster_0: "power-cut-cluster", 0;
    power_cut_rolling_0: "power-cut-rolling", 0;
    torn_wal_0: "torn-wal", 0;
    bit_rot_sst_0: "bit-rot-sst", 0;
    bit_rot_under_load_0: "bit-rot-under-load", 0;
    corrupt_manifest_0: "corrupt-manifest", 0;
    fsync_fails_0: "fsync-fails", 0;
    slow_disk_0: "slow-disk", 0;
    restore_from_backup_0: "restore-from-backup", 0;
    volume_not_persisted_0: "volume-not-persisted", 0;
    schema_newer_0: "schema-newer", 0;
    pos_steady_0: "pos-steady", 0;
    pos_split_even_0: "pos-split-even", 0;
    pos_split_uneven_0: "pos-split-uneven", 0;
    pos_crash_0: "pos-crash", 0;
    pos_power_cut_0: "pos-power-cut", 0;
    pos_swizzle_0: "pos-swizzle", 0;
    pos_clock_skew_0: "pos-clock-skew", 0;
    poot_steady_0: "poot-steady", 0;
    poot_split_0: "poot-split", 0;
    poot_crash_0: "poot-crash", 0;
    poot_power_cut_0: "poot-power-cut", 0;
    poot_clock_skew_0: "poot-clock-skew", 0;
}

/// Reads a shipped scenario with one line changed.
#[allow(clippy::disallowed_methods, reason = "tests read the scenario files")]
fn changed(name: &str, from: &str, to: &str) -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios").join(format!("{name}.toml"));
    let text = std::fs::read_to_string(path).expect("it ships with the project");
    assert!(text.contains(from), "{name} has no {from:?}");
    Scenario::parse("changed.toml", &text.replace(from, to)).expect("the change is a right one")
}

/// The properties fire on real nodes: with k = 6, proof of work does not survive a split of 96 seconds.
#[test]
fn a_split_longer_than_the_confirmations_loses_confirmed_transactions() {
    let record = play(&changed("partition-heal", "confirmations = 30", "confirmations = 6"), 1);
    assert_eq!(record.verdict, Verdict::Violated);
    let violated: Vec<_> = record.invariants.iter().filter(|i| i.detail.starts_with("at height")).collect();
    assert_eq!(violated.iter().map(|i| i.name.as_str()).collect::<Vec<_>>(), ["agreement"]);
    let finality = record.invariants.iter().find(|i| i.name == "finality").expect("it is one of ours");
    assert!(finality.detail.contains("confirmed block"), "{}", finality.detail);
}

/// A fault that meets nothing fails the run and names its place in the file.
#[test]
fn a_fault_that_never_fired_fails_the_run() {
    let text = r#"
name = "idle-fault"
about = "A split so short that no packet meets it."
consensus = "pow"
nodes = 2
duration = "2m"
[chain]
block_interval = "2s"
confirmations = 1
[[fault]]
at = "20007ms"
for = "1ms"
partition = [["n0"], ["n1"]]
"#;
    let record = play(&Scenario::parse("idle.toml", text).expect("it is right"), 3);
    assert_eq!(record.verdict, Verdict::Violated);
    let failure = record.failure.expect("a violated run says why");
    assert_eq!(failure, "idle.toml:10: fault 1 (partition) never fired: it met nothing");
}

/// The faults of links that no shipped scenario has.
#[test]
fn a_cluster_lives_through_one_way_cuts_and_bad_links() {
    let text = r#"
name = "bad-links"
about = "A link that carries one way only, and one that is slow and loses packets."
consensus = "pow"
nodes = 3
duration = "5m"
[chain]
block_interval = "2s"
[workload]
transfers_per_second = 2
stop_before_end = "90s"
[[fault]]
at = "30s"
for = "40s"
one_way = { from = ["n0"], to = ["n1"] }
[[fault]]
at = "90s"
for = "60s"
link = { between = ["n1"], to = ["n0", "n2"], delay = "300ms", jitter = "200ms", loss = "5%" }
[expect]
caught_up_within = "60s"
confirms_within = "2m"
confirmed_transactions_min = 300
"#;
    let record = play(&Scenario::parse("bad-links.toml", text).expect("it is right"), 1);
    assert_eq!((record.verdict, record.failure), (Verdict::Passed, None));
    assert!(record.faults.iter().all(|fault| fault.applied_at.is_some() && fault.ended_at.is_some()));
}

/// No node survives a disk that lies, so this is a check of the checks: a planted run passes when it is seen to lose.
#[test]
fn disks_that_lie_are_seen_to_lose_what_was_confirmed() {
    let record = play(&scenario("planted/lying-disks"), 0);
    assert_eq!((record.verdict, record.failure), (Verdict::Passed, None));
    let finality = record.invariants.iter().find(|i| i.name == "finality").expect("it is one of ours");
    assert!(finality.detail.contains("confirmed block"), "{}", finality.detail);
    assert!(record.workload.lost > 0);
}

/// A node that is back from a power cut before its peers have noticed has two connections with each, and the new one did
/// not tell it their topics: its blocks reached nobody but by the sync every ten seconds, and the chain forked all the time.
#[test]
fn a_node_back_from_a_power_cut_is_heard_by_all() {
    let record = play(&scenario("torn-wal"), 0);
    let late = record.timeline.iter().filter(|event| event.kind == "reorg" && event.at > 330.0).count();
    // Each of the five nodes may take back a block now and then; it was 34 times.
    assert!(late <= 10, "{late} reorganisations long after the last fault");
}

/// To look at a run's logs is to look at that run, and not at another one.
#[test]
fn logs_leave_the_run_as_it_is() {
    let scenario = scenario("torn-wal");
    let logs = Some(LogFilter { hosts: vec![0], level: "error".into() });
    let options = Options { logs, ..Options::default() };
    let logged = run(&scenario, 0, options, &mut |_| ()).expect("the run can be carried out");
    assert_eq!(logged.trace_hash, play(&scenario, 0).trace_hash);
}

/// Seeds share nothing, even side by side in one process.
#[test]
fn equal_seeds_are_equal_side_by_side_and_different_seeds_differ() {
    let scenario = scenario("steady");
    let hash = |seed: u64| play(&scenario, seed).trace_hash;
    let [first, second, other] = std::thread::scope(|scope| {
        [4, 4, 5].map(|seed| scope.spawn(move || hash(seed))).map(|run| run.join().expect("it does not panic"))
    });
    assert_eq!(first, second);
    assert_ne!(first, other);
}
