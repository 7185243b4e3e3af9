//! Faults of storage and of operators: what a file may say, and the plan that it gives.

use assay_scenarios::{
    Action, ByteSize, DiskDeed, FileKind, Files, NodeIndex, Operations, PlannedAction, Scenario, format_duration,
};
use insta::assert_snapshot;
use std::{collections::BTreeSet, time::Duration};

const HEAD: &str = "name = \"x\"\nabout = \"A test.\"\nconsensus = \"pow\"\nnodes = 5\nduration = \"20m\"\n";

fn read(tail: &str) -> Scenario {
    Scenario::parse("x.toml", &format!("{HEAD}{tail}")).unwrap_or_else(|error| panic!("{error}"))
}

/// The scenario with one fault of `body`, at one minute.
fn one(body: &str) -> Scenario {
    read(&format!("[[fault]]\nat = \"1m\"\n{body}"))
}

/// What seed 3 makes of a fault of each of `bodies`.
fn plans(bodies: &[&str]) -> String {
    let line = |body: &&str| {
        let plan = one(body).plan(3);
        let lines = plan.faults.iter().map(|fault| {
            let until = fault.until.map_or("the end".to_owned(), format_duration);
            format!("{} to {until} {}: {}", format_duration(fault.at), fault.kind, fault.detail)
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    bodies.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn disks() {
    assert_snapshot!(plans(&[
        "for = \"30s\"\ndisk_full = \"one\"",
        "for = \"30s\"\ndisk_full = { nodes = [\"n1\", \"n0\"], leave = \"64KiB\" }",
        "for = \"30s\"\ndisk_error = [\"n1\"]",
        "for = \"30s\"\ndisk_error = { nodes = \"minority\", operations = \"read\", files = [\"sst\", \"wal\"], nth = 3 }",
        "for = \"30s\"\nfsync_fails = { nodes = \"one\", files = \"wal\" }",
        "for = \"30s\"\nfsync_fails = { nodes = \"one\", nth = 2 }",
        "for = \"30s\"\ndisk_slow = { nodes = \"all\", by = \"200ms\" }",
        "for = \"30s\"\ndisk_slow = { nodes = \"one\", by = \"1s\", operations = \"sync\", files = \"manifest\" }",
        "for = \"30s\"\nmisdirected_write = \"one\"",
        "for = \"30s\"\nmisdirected_write = { nodes = \"one\", files = \"sst\", nth = 20 }",
    ]), @r#"
        1m to 1m30s disk_full: n3, 0B left
        1m to 1m30s disk_full: n0 n1, 64KiB left
        1m to 1m30s disk_error: n1, each operation of any file fails
        1m to 1m30s disk_error: n1 n3, read 3 of wal sst fails
        1m to 1m30s fsync_fails: n3, each sync of wal fails and loses what was pending
        1m to 1m30s fsync_fails: n3, sync 2 of any file fails and loses what was pending
        1m to 1m30s disk_slow: n0 n1 n2 n3 n4, each operation of any file takes 200ms longer
        1m to 1m30s disk_slow: n3, each sync of manifest takes 1s longer
        1m to 1m30s misdirected_write: n3, write 1 of any file lands elsewhere
        1m to 1m30s misdirected_write: n3, write 20 of sst lands elsewhere
    "#);
    let planted = "planted = true\n[[fault]]\nat = \"1m\"\nfor = \"1m\"\nfsync_lies = { nodes = \"all\", files = \"wal\" }\n\
        [expect]\nviolates = [\"finality\", \"no_panic\"]";
    let scenario = read(planted);
    assert_snapshot!(scenario.plan(3).faults[0].detail, @r#"n0 n1 n2 n3 n4, each sync of wal is reported and not done"#);
    assert!(scenario.planted);
    assert_eq!(scenario.expect.violates, ["finality", "no_panic"]);
    assert_eq!(scenario.line_of("violates"), Some(12));
}

#[test]
fn processes_and_operators() {
    assert_snapshot!(plans(&[
        "power_cut = { nodes = \"minority\", torn = true }",
        "restart_after = \"10s\"\npower_cut = { nodes = [\"n4\"], torn = true }",
        "restart_after = \"10s\"\npower_cut = { nodes = [\"n4\"] }",
        "bit_rot = \"one\"",
        "restart_after = \"10s\"\nbit_rot = { nodes = \"one\", files = [\"current\", \"manifest\"], bits = 64 }",
        "bit_rot = { nodes = [\"n0\"], files = \"all\", bits = 4096 }",
        "restart_after = \"10s\"\nlose_volume = \"one\"",
        "backup = \"all\"",
        "for = \"40s\"\nschema_newer = \"one\"",
        "backup = [\"n0\", \"n2\"]\n[[fault]]\nat = \"70s\"\nrestart_after = \"30s\"\n\
            lose_volume = { nodes = \"all\", restore = [\"n2\", \"n0\"] }",
    ]), @r#"
        1m to the end power_cut: n1 n3, unsynced writes torn, stays down
        1m to 1m10s power_cut: n4, unsynced writes torn, starts again after 10s
        1m to 1m10s power_cut: n4, starts again after 10s
        1m to 1m bit_rot: n3, 1 bit of sst flipped
        1m to 1m10s bit_rot: n3, 64 bits of manifest current flipped while down, starts again after 10s
        1m to 1m bit_rot: n0, 4096 bits of any file flipped
        1m to 1m10s lose_volume: n3, starts again after 10s
        1m to 1m backup: n0 n1 n2 n3 n4
        1m to 1m40s schema_newer: n3
        1m to 1m backup: n0 n2
        1m10s to 1m40s lose_volume: n0 n1 n2 n3 n4, starts again after 30s, n0 n2 from the newest backup
    "#);
}

#[test]
fn a_target_alone_has_the_defaults() {
    let deed = |body: &str| match one(&format!("for = \"1m\"\n{body}")).faults.remove(0).action {
        Action::Disk { lasts, deed, .. } => {
            assert_eq!(lasts, Duration::from_secs(60));
            deed
        }
        other => panic!("{other:?}"),
    };
    for (alone, table) in [
        ("disk_full = \"one\"", "disk_full = { nodes = \"one\", leave = \"0B\" }"),
        ("disk_error = \"one\"", "disk_error = { nodes = \"one\", operations = \"all\", files = \"all\" }"),
        ("fsync_fails = \"one\"", "fsync_fails = { nodes = \"one\", files = \"all\" }"),
        ("misdirected_write = \"one\"", "misdirected_write = { nodes = \"one\", files = \"all\", nth = 1 }"),
    ] {
        assert_eq!(deed(alone), deed(table), "{alone}");
    }
    let (operations, files) = (Operations::All, Files::All);
    assert_eq!(deed("disk_error = \"one\""), DiskDeed::Error { operations, files, nth: None });
    assert_eq!(deed("disk_full = \"one\""), DiskDeed::Full { leave: ByteSize(0) });
    let rot = one("bit_rot = \"one\"").plan(3).faults.remove(0).action;
    let (nodes, files) = (rot.targets(), Files::Kinds(vec![FileKind::Sst]));
    assert_eq!(rot, PlannedAction::BitRot { nodes, files, bits: 1, restart_after: None });
}

#[test]
fn only_targets_are_restored() {
    let scenario = read(
        "[[fault]]\nat = \"1m\"\nbackup = \"all\"\n\
         [[fault]]\nat = \"2m\"\nrestart_after = \"30s\"\nlose_volume = { nodes = \"minority\", restore = [\"n0\", \"n4\"] }",
    );
    let mut seen = BTreeSet::new();
    for seed in 0..50 {
        let PlannedAction::LoseVolume { nodes, restore, .. } = scenario.plan(seed).faults.remove(1).action else {
            panic!("the second fault loses volumes");
        };
        let expected: Vec<_> = [NodeIndex(0), NodeIndex(4)].into_iter().filter(|node| nodes.contains(node)).collect();
        assert_eq!(restore, expected, "seed {seed}");
        seen.insert(restore);
    }
    assert_eq!(seen.len(), 4, "some seeds choose neither, one or both");
}

#[test]
fn what_stops_writes() {
    let stops = |body: &str| match &one(&format!("for = \"1m\"\n{body}")).faults[0].action {
        Action::Disk { deed, .. } => deed.stops_writes(),
        other => panic!("{other:?}"),
    };
    for body in ["disk_full = \"one\"", "disk_error = \"one\"", "fsync_fails = \"one\""] {
        assert!(stops(body), "{body}");
    }
    for body in ["disk_slow = { nodes = \"one\", by = \"1s\" }", "misdirected_write = \"one\""] {
        assert!(!stops(body), "{body}");
    }
}
