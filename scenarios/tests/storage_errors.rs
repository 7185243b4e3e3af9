//! Every error of the reader about faults of storage and of operators, with its exact place and text.

mod messages;

use insta::assert_snapshot;
use messages::{faults, tails};

#[test]
fn tables() {
    let at = |bodies: &[&str]| {
        let bodies: Vec<_> = bodies.iter().map(|body| format!("at = \"1m\"\nfor = \"1m\"\n{body}")).collect();
        faults(&bodies.iter().map(String::as_str).collect::<Vec<_>>())
    };
    assert_snapshot!(at(&[
        "disk_full = { leave = \"1KiB\" }",
        "disk_full = { nodes = \"one\", left = \"1KiB\" }",
        "disk_full = 5",
        "disk_full = \"on\"",
        "disk_full = { nodes = { nodes = \"one\" } }",
        "disk_full = { nodes = [\"n5\"] }",
        "disk_slow = \"one\"",
        "disk_slow = { nodes = \"one\" }",
        "pause = { nodes = \"one\" }",
        "schema_newer = { nodes = \"one\" }",
        "disk_error = { nodes = \"one\", bits = 3 }",
    ]), @r#"
        x.toml:9:13: `nodes` is missing in `disk_full`; add it and write one of `one`, `minority`, `third`, `majority`, `all`, or nodes such as ["n0", "n2"]
        x.toml:9:30: unknown key `left` in `disk_full`; the keys are `nodes`, `leave`
        x.toml:9:13: `disk_full` must be a size, a list of nodes or a table, and is of type integer; write one of `one`, `minority`, `third`, `majority`, `all`, or nodes such as ["n0", "n2"], or { nodes = ..., ... }
        x.toml:9:13: `disk_full = "on"` is not a size, a list of nodes or a table; did you mean `one`?
        x.toml:9:23: `nodes` must be a size or a list of nodes, and is of type table; write one of `one`, `minority`, `third`, `majority`, `all`, or nodes such as ["n0", "n2"]
        x.toml:9:24: `nodes` names `n5`, which is no node of this scenario; they are `n0` to `n4`
        x.toml:9:13: `disk_slow` needs `by`, and a target alone has no place for it; write a table instead: { nodes = ..., by = ... }
        x.toml:9:13: `by` is missing in `disk_slow`; add it and write whole numbers with units (d, h, m, s, ms), such as "90s" or "1h30m"
        x.toml:9:9: `pause` must be a size or a list of nodes, and is of type table; write one of `one`, `minority`, `third`, `majority`, `all`, or nodes such as ["n0", "n2"]
        x.toml:9:16: `schema_newer` must be a size or a list of nodes, and is of type table; write one of `one`, `minority`, `third`, `majority`, `all`, or nodes such as ["n0", "n2"]
        x.toml:9:31: unknown key `bits` in `disk_error`; the keys are `nodes`, `operations`, `files`, `nth`
    "#);
    assert_snapshot!(at(&[
        "disk_full = { nodes = \"one\", leave = 64 }",
        "disk_full = { nodes = \"one\", leave = \"64\" }",
        "disk_full = { nodes = \"one\", leave = \"64KB\" }",
        "disk_full = { nodes = \"one\", leave = \"0.5MiB\" }",
        "disk_full = { nodes = \"one\", leave = \"99999999999GiB\" }",
        "disk_full = { nodes = \"one\", leave = \"2GiB\" }",
        "disk_slow = { nodes = \"one\", by = \"0s\" }",
        "disk_slow = { nodes = \"one\", by = \"2m\" }",
        "disk_error = { nodes = \"one\", operations = \"fsync\" }",
        "disk_error = { nodes = \"one\", operations = \"writes\" }",
        "disk_error = { nodes = \"one\", operations = [\"read\"] }",
        "disk_error = { nodes = \"one\", nth = 0 }",
        "fsync_fails = { nodes = \"one\", files = \"wall\" }",
        "fsync_fails = { nodes = \"one\", files = \"log\" }",
        "fsync_fails = { nodes = \"one\", files = 1 }",
        "fsync_fails = { nodes = \"one\", files = [] }",
        "fsync_fails = { nodes = \"one\", files = [\"wal\", \"all\"] }",
        "fsync_fails = { nodes = \"one\", files = [\"wal\", \"sst\", \"wal\"] }",
        "misdirected_write = { nodes = \"one\", nth = 1.5 }",
    ]), @r#"
        x.toml:9:38: `leave` must be a size in bytes, and is of type integer; write a whole number with its unit (B, KiB, MiB, GiB) in quotes, such as "64KiB"
        x.toml:9:38: `leave = "64"` is not a size in bytes; write a whole number with its unit (B, KiB, MiB, GiB) in quotes, such as "64KiB"
        x.toml:9:38: `leave = "64KB"` is not a size in bytes; write a whole number with its unit (B, KiB, MiB, GiB) in quotes, such as "64KiB"
        x.toml:9:38: `leave = "0.5MiB"` is not a size in bytes; write a whole number with its unit (B, KiB, MiB, GiB) in quotes, such as "64KiB"
        x.toml:9:38: `leave = "99999999999GiB"` is not a size in bytes; write a whole number with its unit (B, KiB, MiB, GiB) in quotes, such as "64KiB"
        x.toml:9:38: `leave = "2GiB"` is out of bounds; it must be from "0B" to "1GiB"
        x.toml:9:35: `by = "0s"` is out of bounds; it must be from "1ms" to "30s"
        x.toml:9:35: `by = "2m"` is out of bounds; it must be from "1ms" to "30s"
        x.toml:9:44: `operations = "fsync"` is not one of `read`, `write`, `sync`, `all`; did you mean `sync`?
        x.toml:9:44: `operations = "writes"` is not one of `read`, `write`, `sync`, `all`; did you mean `write`?
        x.toml:9:44: `operations` must be one of `read`, `write`, `sync`, `all`, and is of type array; write one of `read`, `write`, `sync`, `all` in quotes
        x.toml:9:37: `nth = 0` is out of bounds; it must be from 1 to 1000000000
        x.toml:9:40: `files = "wall"` is not a kind of file or a list of them; did you mean `wal`?
        x.toml:9:40: `files = "log"` is not a kind of file or a list of them; write one of `wal`, `sst`, `manifest`, `current`, `backup`, `all`, or kinds such as ["wal", "sst"]
        x.toml:9:40: `files` must be a kind of file or a list of them, and is of type integer; write one of `wal`, `sst`, `manifest`, `current`, `backup`, `all`, or kinds such as ["wal", "sst"]
        x.toml:9:40: `files` has an empty list; name at least one member
        x.toml:9:48: `files = "all"` is not one of `wal`, `sst`, `manifest`, `current`, `backup`; write one of `wal`, `sst`, `manifest`, `current`, `backup` in quotes
        x.toml:9:55: `files` names `wal` again; name it once
        x.toml:9:44: `nth` must be a whole number, and is of type float; write digits without quotes, such as 5
    "#);
    assert_snapshot!(faults(&[
        "at = \"1m\"\npower_cut = { nodes = \"one\", torn = 1 }",
        "at = \"1m\"\npower_cut = { nodes = \"one\", torn = \"true\" }",
        "at = \"1m\"\nbit_rot = { nodes = \"one\", bits = 0 }",
        "at = \"1m\"\nbit_rot = { nodes = \"one\", bits = 4097 }",
        "at = \"1m\"\nbit_rot = { nodes = \"one\", nth = 1 }",
    ]), @r#"
        x.toml:8:37: `torn` must be `true` or `false`, and is of type integer; write true or false without quotes
        x.toml:8:37: `torn` must be `true` or `false`, and is of type string; write true or false without quotes
        x.toml:8:35: `bits = 0` is out of bounds; it must be from 1 to 4096
        x.toml:8:35: `bits = 4097` is out of bounds; it must be from 1 to 4096
        x.toml:8:28: unknown key `nth` in `bit_rot`; the keys are `nodes`, `files`, `bits`
    "#);
}

#[test]
fn times() {
    assert_snapshot!(faults(&[
        "at = \"1m\"\ndisk_full = \"one\"",
        "at = \"1m\"\nfor = \"1m\"\nrestart_after = \"1m\"\nfsync_fails = \"one\"",
        "at = \"1m\"\nschema_newer = \"one\"",
        "at = \"1m\"\nfor = \"1m\"\nbit_rot = \"one\"",
        "at = \"1m\"\nfor = \"1m\"\nlose_volume = \"one\"",
        "at = \"1m\"\nlose_volume = \"one\"",
        "at = \"1m\"\nfor = \"1m\"\nbackup = \"one\"",
        "at = \"1m\"\nrestart_after = \"1m\"\nbackup = \"one\"",
        "at = \"19m\"\nfor = \"2m\"\ndisk_full = \"one\"",
    ]), @r#"
        x.toml:8:1: `disk_full` needs `for`: how long it lasts; add for = "30s"
        x.toml:9:1: `fsync_fails` takes no `restart_after`; use `for`
        x.toml:8:1: `schema_newer` needs `for`: how long it lasts; add for = "30s"
        x.toml:8:1: `bit_rot` takes no `for`; remove it; bits flip at once, and stay so until the node repairs them
        x.toml:8:1: `lose_volume` takes no `for`; use `restart_after`
        x.toml:8:1: `lose_volume` needs `restart_after`: when the node starts again; add restart_after = "30s"
        x.toml:8:1: `backup` takes no `for`; remove it; a backup is made once
        x.toml:8:1: `backup` takes no `restart_after`; remove it; a backup is made once
        x.toml:8:7: the fault ends at 21m, and the run at 20m: it would never end; end it earlier or lengthen `duration`
    "#);
}

#[test]
fn overlaps() {
    let two = |first: &str, second: &str| format!("at = \"1m\"\n{first}\n[[fault]]\nat = \"90s\"\n{second}");
    let cases = [
        two("restart_after = \"1m\"\nbit_rot = [\"n0\"]", "restart = [\"n0\"]"),
        two("restart_after = \"1m\"\nlose_volume = [\"n0\"]", "restart_after = \"1s\"\npower_cut = \"one\""),
        two("for = \"1m\"\nschema_newer = [\"n0\", \"n1\"]", "for = \"1m\"\npause = [\"n1\"]"),
        two("for = \"1m\"\ndisk_full = \"one\"", "for = \"1m\"\ndisk_full = { nodes = [\"n1\"], leave = \"1KiB\" }"),
        two("for = \"1m\"\ndisk_full = [\"n0\"]", "for = \"1m\"\ndisk_full = [\"n0\", \"n1\"]"),
        two("for = \"1m\"\ndisk_full = [\"n0\"]", "for = \"1m\"\ndisk_full = [\"n1\"]"),
        two("for = \"1m\"\ndisk_full = [\"n0\"]", "restart_after = \"1s\"\nkill = [\"n0\"]"),
        two("for = \"1m\"\ndisk_error = [\"n0\"]", "for = \"1m\"\ndisk_error = [\"n0\"]"),
        two("restart_after = \"1m\"\nkill = [\"n0\"]", "bit_rot = [\"n0\"]"),
        two("restart_after = \"1m\"\nkill = [\"n0\"]", "backup = \"all\""),
    ];
    assert_snapshot!(faults(&cases.each_ref().map(String::as_str)), @r#"
        x.toml:12:1: `n0` is then subject to the fault of line 6 too; move one of the two, or name another node
        x.toml:13:1: a node that it may hit is then subject to the fault of line 6 too; move one of the two, or name nodes in both that differ
        x.toml:13:1: `n1` is then subject to the fault of line 6 too; move one of the two, or name another node
        x.toml:13:1: a node that it may hit is then subject to the fault of line 6 too; move one of the two, or name nodes in both that differ
        x.toml:13:1: `n0` is then subject to the fault of line 6 too; move one of the two, or name another node
        accepted
        accepted
        accepted
        accepted
        accepted
    "#);
}

#[test]
fn restores() {
    let lost = |backup: &str, restore: &str| {
        format!("at = \"1m\"\n{backup}\n[[fault]]\nat = \"70s\"\nrestart_after = \"30s\"\nlose_volume = {restore}")
    };
    let cases = [
        lost("backup = [\"n1\"]", "{ nodes = [\"n0\", \"n1\"], restore = [\"n1\", \"n2\"] }"),
        lost("backup = [\"n1\"]", "{ nodes = \"all\", restore = [\"n1\", \"n0\"] }"),
        lost("backup = \"majority\"", "{ nodes = \"all\", restore = [\"n1\"] }"),
        lost("backup = [\"n1\"]", "{ nodes = \"all\", restore = [] }"),
        lost("backup = [\"n1\"]", "{ nodes = \"all\", restore = \"one\" }"),
        lost("backup = [\"n1\"]", "{ nodes = \"all\", restore = [\"n7\"] }"),
        lost("backup = \"all\"", "{ nodes = \"one\", restore = [\"n1\"] }"),
        lost("backup = [\"n0\", \"n1\"]", "{ nodes = \"all\", restore = [\"n1\", \"n0\"] }"),
        "at = \"80s\"\nbackup = \"all\"\n[[fault]]\nat = \"80s\"\nrestart_after = \"30s\"\nlose_volume = { nodes = \"all\", restore = [\"n0\"] }".to_owned(),
    ];
    assert_snapshot!(faults(&cases.each_ref().map(String::as_str)), @r#"
        x.toml:12:49: `restore` names `n2`, and `nodes` does not; name it in both or in neither
        x.toml:12:1: `n0` is restored, and no earlier `backup` is sure to include it; add a fault with backup = ["n0"] before this one
        x.toml:12:1: `n1` is restored, and no earlier `backup` is sure to include it; add a fault with backup = ["n1"] before this one
        x.toml:12:42: `restore` has an empty list; name at least one member
        x.toml:12:42: `restore` must be a list of nodes, and is of type string; write it like ["n0", "n2"]
        x.toml:12:43: `restore` names `n7`, which is no node of this scenario; they are `n0` to `n4`
        accepted
        accepted
        x.toml:12:1: `n0` is restored, and no earlier `backup` is sure to include it; add a fault with backup = ["n0"] before this one
    "#);
}

#[test]
fn planted_scenarios() {
    let lies = "[[fault]]\nat = \"1m\"\nfor = \"1m\"\nfsync_lies = \"all\"\n";
    assert_snapshot!(tails(&[
        "planted = \"yes\"",
        "planted = true",
        &format!("planted = true\n{lies}[expect]\nfinalized_lost = 1"),
        lies,
        &format!("planted = false\n{lies}"),
        "[expect]\nviolates = [\"finality\"]",
        "planted = true\n[expect]\nviolates = []",
        "planted = true\n[expect]\nviolates = \"finality\"",
        "planted = true\n[expect]\nviolates = [\"Finality\"]",
        "planted = true\n[expect]\nviolates = [\"state-root\"]",
        "planted = true\n[expect]\nviolates = [\"finality\", \"finality\"]",
        &format!("planted = true\n{lies}[expect]\nviolates = [\"finality\", \"state_root\"]"),
    ]), @r#"
        x.toml:6:11: `planted` must be `true` or `false`, and is of type string; write true or false without quotes
        x.toml:6:1: `planted = true`, and `[expect]` has no `violates`; add violates = ["finality"] there, or remove `planted`
        x.toml:6:1: `planted = true`, and `[expect]` has no `violates`; add violates = ["finality"] there, or remove `planted`
        x.toml:9:1: `fsync_lies` breaks what every node relies on, and the scenario is not planted; use `fsync_fails`, or set planted = true and say in `[expect]` what it `violates`
        x.toml:10:1: `fsync_lies` breaks what every node relies on, and the scenario is not planted; use `fsync_fails`, or set planted = true and say in `[expect]` what it `violates`
        x.toml:7:1: `violates` expects a violation, and the scenario is not planted; remove it, or set planted = true at the top
        x.toml:8:12: `violates` has an empty list; name at least one member
        x.toml:8:12: `violates` must be a list of names of invariants, and is of type string; write it like ["finality", "agreement"]
        x.toml:8:13: `violates = "Finality"` is not the name of an invariant; write it like "finality"
        x.toml:8:13: `violates = "state-root"` is not the name of an invariant; write it like "finality"
        x.toml:8:25: `violates` names `finality` again; name it once
        accepted
    "#);
}
