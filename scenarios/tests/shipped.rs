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
fn the_catalogue() {
    let line =
        |s: &Summary| format!("{}: {} nodes, {}, {} faults", s.name, s.nodes, format_duration(s.duration), s.faults);
    let lines: Vec<String> = summaries().iter().map(line).collect();
    assert_snapshot!(lines.join("\n"), @r#"
        crash-restart: 5 nodes, 15m, 4 faults
        isolated-miner: 5 nodes, 22m, 1 faults
        partition-heal: 5 nodes, 21m, 1 faults
        steady: 5 nodes, 10m, 0 faults
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
    assert_snapshot!(render(&shipped("partition-heal").plan(7)), @r#"fault 1, line 26: 2m to 6m partition: n0 n1 | n2 n3 n4"#);
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
