//! The scenarios of this folder: each is read, and planned for many seeds.

use assay_scenarios::{Plan, PlannedAction, Scenario, Summary, catalogue, format_duration};
use insta::assert_snapshot;
use std::{collections::BTreeSet, path::Path};

const FOLDER: &str = env!("CARGO_MANIFEST_DIR");

fn summaries() -> Vec<Summary> {
    catalogue::list(Path::new(FOLDER)).unwrap_or_else(|error| panic!("{error}"))
}

fn shipped(name: &str) -> Scenario {
    Scenario::load(&Path::new(FOLDER).join(format!("{name}.toml"))).unwrap_or_else(|error| panic!("{error}"))
}

fn render(plan: &Plan) -> String {
    let line = |fault: &assay_scenarios::PlannedFault| {
        let until = fault.until.map_or("the end".to_owned(), format_duration);
        format!(
            "{}, line {}: {} to {until} {}: {}",
            fault.id,
            fault.line,
            format_duration(fault.at),
            fault.kind,
            fault.detail
        )
    };
    plan.faults.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_scenarios_beside_the_catalogue_are_read() {
    for folder in ["nightly", "planted"] {
        let beside = catalogue::list(&Path::new(FOLDER).join(folder)).unwrap_or_else(|error| panic!("{error}"));
        assert!(!beside.is_empty(), "{folder}");
        for summary in beside {
            shipped(&format!("{folder}/{}", summary.name)).plan(0);
        }
    }
}

#[test]
fn the_catalogue() {
    let line =
        |s: &Summary| format!("{}: {} nodes, {}, {} faults", s.name, s.nodes, format_duration(s.duration), s.faults);
    let lines: Vec<String> = summaries().iter().map(line).collect();
    assert_snapshot!(lines.join("\n"), @r#"
        backup-fails: 5 nodes, 13m, 1 faults
        bit-rot-alone: 5 nodes, 11m, 3 faults
        bit-rot-sst: 5 nodes, 9m, 2 faults
        bit-rot-under-load: 5 nodes, 8m30s, 2 faults
        cache-small: 2 nodes, 45m, 0 faults
        clock-skew: 5 nodes, 14m, 5 faults
        corrupt-manifest: 5 nodes, 7m30s, 2 faults
        crash-restart: 5 nodes, 15m, 4 faults
        disk-fails: 5 nodes, 10m, 1 faults
        disk-full-all: 5 nodes, 12m, 1 faults
        disk-full-long: 5 nodes, 14m, 1 faults
        disk-full-majority: 5 nodes, 8m, 1 faults
        disk-full-one: 5 nodes, 8m30s, 2 faults
        fsync-fails: 5 nodes, 8m30s, 4 faults
        isolated-miner: 5 nodes, 22m, 1 faults
        liar-block-flood: 5 nodes, 10m, 1 faults
        liar-eclipse: 5 nodes, 13m, 2 faults
        liar-false-time: 5 nodes, 13m, 1 faults
        liar-invalid-signature: 5 nodes, 11m, 1 faults
        liar-invalid-state-root: 5 nodes, 13m, 1 faults
        liar-malformed: 5 nodes, 10m, 1 faults
        liar-poison-addresses: 5 nodes, 11m, 2 faults
        liar-secret-chain: 5 nodes, 12m, 1 faults
        liar-slow-rest: 5 nodes, 11m, 1 faults
        liar-slow-sync: 5 nodes, 11m, 2 faults
        liar-stale-replay: 5 nodes, 10m, 1 faults
        liar-transaction-flood: 5 nodes, 10m, 1 faults
        liar-withhold: 5 nodes, 13m, 1 faults
        memory-full: 5 nodes, 20m, 1 faults
        miners-leave: 5 nodes, 50m, 1 faults
        node-away: 5 nodes, 14m, 1 faults
        partition-heal: 5 nodes, 9m30s, 1 faults
        poot-clock-skew: 5 nodes, 12m, 5 faults
        poot-crash: 5 nodes, 11m, 5 faults
        poot-liar-block-flood: 5 nodes, 7m, 1 faults
        poot-liar-eclipse: 5 nodes, 10m, 2 faults
        poot-liar-false-proofs: 5 nodes, 8m, 1 faults
        poot-liar-false-time: 5 nodes, 8m, 1 faults
        poot-liar-invalid-signature: 5 nodes, 8m, 1 faults
        poot-liar-invalid-state-root: 5 nodes, 8m, 1 faults
        poot-liar-malformed: 5 nodes, 7m, 1 faults
        poot-liar-poison-addresses: 5 nodes, 8m, 2 faults
        poot-liar-slow-rest: 5 nodes, 8m, 1 faults
        poot-liar-slow-sync: 5 nodes, 8m, 2 faults
        poot-liar-stale-replay: 5 nodes, 7m, 1 faults
        poot-liar-transaction-flood: 5 nodes, 7m, 1 faults
        poot-liar-two-proposals: 5 nodes, 8m, 1 faults
        poot-liar-withhold: 5 nodes, 8m, 1 faults
        poot-operator-full: 5 nodes, 42m, 1 faults
        poot-operator-silent: 5 nodes, 18m, 1 faults
        poot-power-cut: 5 nodes, 9m, 3 faults
        poot-split: 5 nodes, 10m, 1 faults
        poot-steady: 5 nodes, 8m, 0 faults
        pos-clock-skew: 4 nodes, 7m, 5 faults
        pos-crash: 5 nodes, 8m, 5 faults
        pos-crash-pair: 4 nodes, 7m, 24 faults
        pos-liar-cut-off: 4 nodes, 8m, 24 faults
        pos-liar-double-vote: 4 nodes, 5m, 1 faults
        pos-liar-false-certificate: 4 nodes, 5m, 1 faults
        pos-liar-false-time: 4 nodes, 5m, 1 faults
        pos-liar-forgetful: 4 nodes, 5m, 1 faults
        pos-liar-invalid-signature: 4 nodes, 5m, 1 faults
        pos-liar-invalid-state-root: 4 nodes, 5m, 1 faults
        pos-liar-malformed: 4 nodes, 5m, 1 faults
        pos-liar-stale-replay: 4 nodes, 5m, 1 faults
        pos-liar-twin: 5 nodes, 5m, 1 faults
        pos-liar-two-proposals: 4 nodes, 5m, 1 faults
        pos-liar-withhold: 4 nodes, 5m, 1 faults
        pos-power-cut: 4 nodes, 6m, 5 faults
        pos-slow-links: 4 nodes, 12m, 1 faults
        pos-split-even: 4 nodes, 6m, 1 faults
        pos-split-long: 4 nodes, 12m, 1 faults
        pos-split-uneven: 4 nodes, 6m, 1 faults
        pos-steady: 5 nodes, 6m, 0 faults
        pos-swizzle: 4 nodes, 4m, 24 faults
        power-cut-cluster: 5 nodes, 8m30s, 5 faults
        power-cut-rolling: 5 nodes, 8m, 5 faults
        rebuild-slow: 5 nodes, 57m, 2 faults
        restore-from-backup: 5 nodes, 8m30s, 2 faults
        schema-newer: 5 nodes, 7m, 1 faults
        slow-disk: 5 nodes, 8m, 1 faults
        steady: 5 nodes, 10m, 0 faults
        torn-wal: 5 nodes, 9m30s, 6 faults
        volume-not-persisted: 5 nodes, 8m, 2 faults
    "#);
    for summary in summaries() {
        assert_eq!(summary.path.file_stem(), Some(summary.name.as_ref()), "a scenario has its file's name");
    }
}

#[test]
fn a_folder_with_a_broken_file_says_where() {
    let broken = Path::new(FOLDER).join("tests/broken");
    let text = catalogue::list(&broken).map_or_else(|error| error.to_string(), |list| format!("{list:?}"));
    assert_snapshot!(text.replace(FOLDER, "scenarios"), @r#"scenarios/tests/broken/typo.toml:6:1: unknown key `duraton` in the file's top level; did you mean `duration`?"#);
}

#[test]
fn every_broken_file_says_where() {
    let read = |name: &str| {
        let path = Path::new(FOLDER).join(format!("tests/broken/{name}.toml"));
        Scenario::load(&path).map_or_else(|error| error.to_string(), |_| "accepted".to_owned())
    };
    let lines = ["typo", "unplanted"].map(read).join("\n");
    assert_snapshot!(lines.replace(FOLDER, "scenarios"), @r#"
        scenarios/tests/broken/typo.toml:6:1: unknown key `duraton` in the file's top level; did you mean `duration`?
        scenarios/tests/broken/unplanted.toml:11:1: `fsync_lies` breaks what every node relies on, and the scenario is not planted; use `fsync_fails`, or set planted = true and say in `[expect]` what it `violates`
    "#);
}

#[test]
fn every_scenario_has_a_plan_for_every_seed() {
    for scenario in summaries().iter().map(|summary| shipped(&summary.name)) {
        for seed in 0..50 {
            let plan = scenario.plan(seed);
            assert_eq!(plan, scenario.plan(seed), "{} {seed}", scenario.name);
            assert_eq!(plan.faults.len(), scenario.faults.len());
            for fault in &plan.faults {
                let context = format!("{} {seed}: {fault:?}", scenario.name);
                assert!(
                    fault.at < scenario.duration && fault.until.is_some_and(|end| end <= scenario.duration),
                    "{context}"
                );
                assert!(fault.targets.iter().all(|node| node.0 < scenario.nodes.get()), "{context}");
                assert!(fault.targets.is_sorted() && !fault.targets.is_empty(), "{context}");
            }
        }
    }
}

#[test]
fn plans_of_seed_7() {
    assert_snapshot!(render(&shipped("partition-heal").plan(7)), @r#"fault 1, line 25: 1m to 2m36s partition: n0 n1 | n2 n3 n4"#);
    assert_snapshot!(render(&shipped("isolated-miner").plan(7)), @r#"fault 1, line 25: 1m to 9m isolate: n3"#);
    assert_snapshot!(render(&shipped("crash-restart").plan(7)), @r#"
        fault 1, line 19: 2m to 2m30s kill: n3, starts again after 30s
        fault 2, line 25: 4m to 4m45s power_cut: n1 n2, starts again after 45s
        fault 3, line 31: 6m to 6m restart: n3
        fault 4, line 36: 7m to 7m20s pause: n2
    "#);
    assert_eq!(shipped("steady").plan(7).faults, []);
}

#[test]
fn plans_of_storage_faults_of_seed_7() {
    let planned = |name: &str| render(&shipped(name).plan(7));
    assert_snapshot!(planned("disk-full-one"), @r#"
        fault 1, line 21: 1m to 2m30s disk_full: n3, 0B left
        fault 2, line 27: 3m to 4m30s disk_full: n1, 16KiB left
    "#);
    assert_snapshot!(planned("disk-full-majority"), @r#"fault 1, line 21: 1m30s to 3m30s disk_full: n0 n2 n3, 16KiB left"#);
    assert_snapshot!(planned("power-cut-cluster"), @r#"
        fault 1, line 23: 1m to 1m5s power_cut: n0 n1 n2 n3 n4, starts again after 5s
        fault 2, line 28: 1m46s830ms to 1m51s830ms power_cut: n0 n1 n2 n3 n4, starts again after 5s
        fault 3, line 33: 2m33s270ms to 2m38s270ms power_cut: n0 n1 n2 n3 n4, starts again after 5s
        fault 4, line 38: 3m19s410ms to 3m24s410ms power_cut: n0 n1 n2 n3 n4, starts again after 5s
        fault 5, line 43: 4m8s90ms to 4m13s90ms power_cut: n0 n1 n2 n3 n4, starts again after 5s
    "#);
    assert_snapshot!(planned("power-cut-rolling"), @r#"
        fault 1, line 21: 1m to 1m15s power_cut: n0, unsynced writes torn, starts again after 15s
        fault 2, line 26: 1m40s to 1m55s power_cut: n1, unsynced writes torn, starts again after 15s
        fault 3, line 31: 2m20s to 2m35s power_cut: n2, unsynced writes torn, starts again after 15s
        fault 4, line 36: 3m to 3m15s power_cut: n3, unsynced writes torn, starts again after 15s
        fault 5, line 41: 3m40s to 3m55s power_cut: n4, unsynced writes torn, starts again after 15s
    "#);
    assert_snapshot!(planned("torn-wal"), @r#"
        fault 1, line 25: 40s to 2m disk_error: n0 n1, each sync of wal fails
        fault 2, line 30: 1m50s to 2m1s power_cut: n0 n1, unsynced writes torn, starts again after 11s
        fault 3, line 35: 2m20s to 3m40s disk_error: n2 n3, each sync of wal fails
        fault 4, line 40: 3m30s to 3m41s power_cut: n2 n3, unsynced writes torn, starts again after 11s
        fault 5, line 45: 4m to 5m20s disk_error: n0 n4, each sync of wal fails
        fault 6, line 50: 5m10s to 5m21s power_cut: n0 n4, unsynced writes torn, starts again after 11s
    "#);
    assert_snapshot!(planned("bit-rot-sst"), @r#"
        fault 1, line 21: 3m to 3m10s bit_rot: n2 n3, 16 bits of sst flipped while down, starts again after 10s
        fault 2, line 27: 4m30s to 4m40s bit_rot: n1 n2, 16 bits of sst flipped while down, starts again after 10s
    "#);
    assert_snapshot!(planned("bit-rot-under-load"), @r#"
        fault 1, line 21: 3m to 3m bit_rot: n1 n3, 16 bits of sst flipped
        fault 2, line 26: 4m15s to 4m15s restart: n1 n3
    "#);
    assert_snapshot!(planned("corrupt-manifest"), @r#"
        fault 1, line 21: 1m30s to 1m40s bit_rot: n2 n3, 64 bits of manifest current flipped while down, starts again after 10s
        fault 2, line 27: 3m to 3m10s bit_rot: n1 n2, 64 bits of manifest current flipped while down, starts again after 10s
    "#);
    assert_snapshot!(planned("fsync-fails"), @r#"
        fault 1, line 22: 1m to 2m20s fsync_fails: n1 n3, sync 1 of wal fails and loses what was pending
        fault 2, line 28: 1m12s to 1m27s power_cut: n1 n3, starts again after 15s
        fault 3, line 34: 3m to 4m20s fsync_fails: n1 n3, each sync of wal fails and loses what was pending
        fault 4, line 40: 4m10s to 4m21s power_cut: n1 n3, starts again after 11s
    "#);
    assert_snapshot!(planned("slow-disk"), @r#"fault 1, line 21: 1m to 4m disk_slow: n3, each sync of any file takes 200ms longer"#);
    assert_snapshot!(planned("restore-from-backup"), @r#"
        fault 1, line 23: 2m to 2m backup: n0
        fault 2, line 28: 2m10s to 2m40s lose_volume: n0 n1 n2 n3 n4, starts again after 30s, n0 from the newest backup
    "#);
    assert_snapshot!(planned("volume-not-persisted"), @r#"
        fault 1, line 21: 2m to 2m10s lose_volume: n2, starts again after 10s
        fault 2, line 26: 3m30s to 3m40s lose_volume: n2, starts again after 10s
    "#);
    assert_snapshot!(planned("schema-newer"), @r#"fault 1, line 20: 1m30s to 2m15s schema_newer: n3"#);
}

/// What a fault destroys must be fetched from somewhere, so some node or backup keeps the whole chain.
#[test]
fn a_whole_copy_of_the_chain_is_left() {
    for scenario in summaries().iter().map(|summary| shipped(&summary.name)) {
        let nodes = usize::from(scenario.nodes.get());
        for fault in (0..50).flat_map(|seed| scenario.plan(seed).faults) {
            let left = match &fault.action {
                PlannedAction::BitRot { nodes: hit, .. } => hit.len() < nodes,
                PlannedAction::LoseVolume { nodes: hit, restore, .. } => hit.len() < nodes || !restore.is_empty(),
                _ => true,
            };
            assert!(left, "{}: {fault:?}", scenario.name);
        }
    }
}

#[test]
fn seeds_choose_different_nodes() {
    let scenario = shipped("isolated-miner");
    let chosen: BTreeSet<_> = (0..50).flat_map(|seed| scenario.plan(seed).faults).map(|fault| fault.targets).collect();
    assert_eq!(chosen.len(), 5, "each node is isolated by some seed");
}

/// The faults of this file begin in its order, so they can be compared with the plan's one by one.
#[test]
fn a_choice_is_independent_of_the_other_faults() {
    let whole = shipped("crash-restart");
    for seed in 0..50 {
        let all = whole.plan(seed).faults;
        for (fault, planned) in whole.faults.iter().zip(all) {
            let mut part = whole.clone();
            part.faults = vec![fault.clone()];
            assert_eq!(part.plan(seed).faults, [planned], "seed {seed}, {}", fault.id);
        }
    }
}

#[test]
fn a_plan_is_in_the_order_of_time() {
    let text = "name = \"x\"\nabout = \"A test.\"\nconsensus = \"pow\"\nnodes = 4\nduration = \"20m\"\n\
        [[fault]]\nat = \"3m\"\nkill = [\"n2\", \"n0\"]\n\
        [[fault]]\nat = \"1m\"\nfor = \"1m\"\nlink = { between = [\"n0\"], to = [\"n1\", \"n3\"], delay = \"50ms\", \
        loss = \"2.5%\" }\n\
        [[fault]]\nat = \"1m\"\nfor = \"30s\"\none_way = { from = [\"n3\"], to = [\"n0\"] }\n\
        [[fault]]\nat = \"2m\"\nfor = \"30s\"\npartition = [[\"n3\", \"n1\"]]\n\
        [expect]\nalerts = [\"NodeDown\"]\n";
    let scenario = Scenario::parse("x.toml", text).unwrap_or_else(|error| panic!("{error}"));
    assert_snapshot!(render(&scenario.plan(1)), @r#"
        fault 2, line 9: 1m to 2m link: n0 <-> n1 n3 delay 50ms, jitter 0s, loss 2.5%
        fault 3, line 13: 1m to 1m30s one_way: n3 -> n0 dropped
        fault 4, line 17: 2m to 2m30s partition: n1 n3 | n0 n2
        fault 1, line 6: 3m to the end kill: n0 n2, stays down
    "#);
    assert_eq!(scenario.line_of("alerts"), Some(22));
    assert_eq!(scenario.line_of("fork"), None);
    let groups = scenario.plan(1).faults.into_iter().find_map(|fault| match fault.action {
        PlannedAction::Partition { groups } => Some(groups.concat().len()),
        _ => None,
    });
    assert_eq!(groups, Some(4), "the nodes that are not named are a group too");
}
