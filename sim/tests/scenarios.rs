//! The shipped scenarios, each on a few seeds: what a run finds out, word for word. More seeds are a sweep's work.

use assay_reports::{Record, Verdict, render};
use assay_scenarios::Scenario;
use assay_sim::run::{Options, run};
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
}

/// Reads a shipped scenario with one line changed.
#[allow(clippy::disallowed_methods, reason = "tests read the scenario files")]
fn changed(name: &str, from: &str, to: &str) -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios").join(format!("{name}.toml"));
    let text = std::fs::read_to_string(path).expect("it ships with the project");
    assert!(text.contains(from), "{name} has no {from:?}");
    Scenario::parse("changed.toml", &text.replace(from, to)).expect("the change is a right one")
}

/// The properties fire on real nodes: with k = 6, proof of work does not survive a split of four minutes.
#[test]
fn a_split_longer_than_the_confirmations_loses_confirmed_transactions() {
    let record = play(&changed("partition-heal", "confirmations = 26", "confirmations = 6"), 1);
    assert_eq!(record.verdict, Verdict::Violated);
    let violated: Vec<_> = record.invariants.iter().filter(|i| i.detail.starts_with("at height")).collect();
    assert_eq!(violated.iter().map(|i| i.name.as_str()).collect::<Vec<_>>(), ["agreement"]);
    let finality = record.invariants.iter().find(|i| i.name == "finality").expect("it is one of ours");
    assert!(finality.detail.contains("confirmed blocks lost"), "{}", finality.detail);
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
