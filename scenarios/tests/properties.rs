//! The reader takes any text without a panic, and what it accepts can be planned.

use assay_scenarios::{
    ByteSize, LatencyRange, Loss, PlannedAction, Scenario, ScenarioError, format_duration, parse_duration,
};
use proptest::prelude::*;
use std::time::Duration;

const SHIPPED: [&str; 17] = [
    include_str!("../steady.toml"),
    include_str!("../partition-heal.toml"),
    include_str!("../isolated-miner.toml"),
    include_str!("../crash-restart.toml"),
    include_str!("../disk-full-one.toml"),
    include_str!("../disk-full-majority.toml"),
    include_str!("../power-cut-cluster.toml"),
    include_str!("../power-cut-rolling.toml"),
    include_str!("../torn-wal.toml"),
    include_str!("../bit-rot-sst.toml"),
    include_str!("../bit-rot-under-load.toml"),
    include_str!("../corrupt-manifest.toml"),
    include_str!("../fsync-fails.toml"),
    include_str!("../slow-disk.toml"),
    include_str!("../restore-from-backup.toml"),
    include_str!("../volume-not-persisted.toml"),
    include_str!("../schema-newer.toml"),
];

/// The keys that every scenario needs.
const HEAD: &str = "name = \"x\"\nabout = \"y\"\nconsensus = \"pow\"\nnodes = 5\nduration = \"20m\"\n";

/// Words of the format and pieces of TOML, so that a mutation often stays close to a scenario.
const PIECES: [&str; 40] = [
    "[[fault]]\n",
    "at = ",
    "for = ",
    "\"1m\"",
    "\"20m\"",
    "\"0s\"",
    "kill = ",
    "\"one\"",
    "\"all\"",
    "[\"n0\"]",
    "[]",
    "[[",
    "\"n4\"",
    "restart_after = ",
    "pause = \"one\"\n",
    "{ from = [\"n1\"], to = [\"n2\"] }",
    "nodes = 1\n",
    "=",
    "\n",
    "\"",
    "99999999999999999999",
    "-1",
    "fork = \"required\"",
    "planted = true\n",
    "true",
    "disk_full = ",
    "disk_error = ",
    "disk_slow = ",
    "{ nodes = \"one\", ",
    "leave = \"64KiB\" }\n",
    "by = \"200ms\", ",
    "files = [\"wal\", \"sst\"] }\n",
    "nth = 2 }\n",
    "fsync_lies = \"all\"\n",
    "violates = [\"finality\"]\n",
    "bit_rot = ",
    "backup = \"all\"\n",
    "lose_volume = ",
    "restore = [\"n0\"] }\n",
    "é",
];

/// Reads `text` and plans it, or checks that the error is complete: its place is in the text and it says what to do.
fn read_and_plan(text: &str, seed: u64) {
    match Scenario::parse("x.toml", text) {
        Ok(scenario) => {
            let plan = scenario.plan(seed);
            assert_eq!(plan.faults.len(), scenario.faults.len());
            for fault in plan.faults {
                assert!(!fault.targets.is_empty() && !fault.detail.is_empty(), "{fault:?}");
                if let PlannedAction::LoseVolume { restore, .. } = &fault.action {
                    assert!(restore.iter().all(|node| fault.targets.contains(node)), "{fault:?}");
                }
            }
        }
        Err(ScenarioError::Invalid { place, problem, .. }) => {
            assert!(place.line >= 1 && place.line as usize <= text.matches('\n').count() + 1, "{place} in {text:?}");
            assert!(place.column >= 1);
            assert!(!problem.remedy().is_empty());
        }
        Err(error @ ScenarioError::Unreadable { .. }) => panic!("{error}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn any_text(text in any::<String>(), seed: u64) {
        read_and_plan(&text, seed);
    }

    #[test]
    fn pieces(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..40), seed: u64) {
        read_and_plan(&format!("{HEAD}{}", pieces.concat()), seed);
    }

    #[test]
    fn mutated_scenarios(
        which in 0..SHIPPED.len(),
        edits in prop::collection::vec(
            (any::<prop::sample::Index>(), 0..12_usize, prop::sample::select(&PIECES[..])),
            1..4,
        ),
        seed: u64,
    ) {
        let mut chars: Vec<char> = SHIPPED[which].chars().collect();
        for (at, removed, piece) in edits {
            let at = at.index(chars.len());
            let end = (at + removed).min(chars.len());
            chars.splice(at..end, piece.chars());
        }
        read_and_plan(&chars.into_iter().collect::<String>(), seed);
    }

    #[test]
    fn deep_nesting(depth in 1..20_000_usize) {
        read_and_plan(&format!("fault = {}", "[".repeat(depth)), 0);
        read_and_plan(&format!("fault = {}", "{ a = ".repeat(depth)), 0);
    }

    #[test]
    fn durations_round_trip(millis: u64) {
        let duration = Duration::from_millis(millis);
        prop_assert_eq!(parse_duration(&format_duration(duration)), Some(duration));
    }

    #[test]
    fn any_duration_text(text in "[0-9dhms .-]{0,12}") {
        if let Some(duration) = parse_duration(&text) {
            prop_assert_eq!(parse_duration(&format_duration(duration)), Some(duration));
        }
    }

    #[test]
    fn byte_sizes_round_trip(bytes: u64, text in "[0-9KMGiB .-]{0,12}") {
        let size = ByteSize(bytes);
        prop_assert_eq!(ByteSize::parse(&size.to_string()), Some(size));
        if let Some(size) = ByteSize::parse(&text) {
            prop_assert_eq!(ByteSize::parse(&size.to_string()), Some(size));
        }
    }

    #[test]
    fn losses_and_latencies_round_trip(parts in 0..=1_000_000_u32, min in 1..60_000_u64, more in 0..60_000_u64) {
        let loss = Loss::from_parts_per_million(parts);
        prop_assert_eq!(Loss::parse(&loss.to_string()), Some(loss));
        let range = LatencyRange { min: Duration::from_millis(min), max: Duration::from_millis(min + more) };
        prop_assert_eq!(LatencyRange::parse(&range.to_string()), Some(range));
    }
}
