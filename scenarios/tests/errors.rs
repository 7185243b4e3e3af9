//! Every error of the reader, with its exact place and text. One line a case: what a person sees on the terminal.

mod messages;

use assay_scenarios::Scenario;
use insta::assert_snapshot;
use messages::{HEAD, faults, read, tails};

/// The messages for the head with its line `number` replaced by each of `lines`.
fn heads(number: usize, lines: &[&str]) -> String {
    let read_with = |line: &&str| {
        let mut all: Vec<&str> = HEAD.lines().collect();
        all[number - 1] = line;
        read(&all.join("\n"))
    };
    lines.iter().map(read_with).collect::<Vec<_>>().join("\n")
}

#[test]
fn syntax() {
    assert_snapshot!(tails(&["nodes = 6", "[network", "loss = 1%", "[chain]\nhash_rate =", "[[fault]]\nat = \"1m", "= 1"]), @r#"
        x.toml:6:1: not valid TOML: duplicate key; correct this line; text goes in double quotes, a key stands once
        x.toml:6:9: not valid TOML: unclosed table, expected `]`; correct this line; text goes in double quotes, a key stands once
        x.toml:6:8: not valid TOML: string values must be quoted, expected literal string; correct this line; text goes in double quotes, a key stands once
        x.toml:7:12: not valid TOML: string values must be quoted, expected literal string; correct this line; text goes in double quotes, a key stands once
        x.toml:7:9: not valid TOML: invalid basic string, expected `"`; correct this line; text goes in double quotes, a key stands once
        x.toml:6:1: not valid TOML: unquoted keys cannot be empty, expected letters, numbers, `-`, `_`; correct this line; text goes in double quotes, a key stands once
    "#);
}

#[test]
fn unknown_keys() {
    assert_snapshot!(tails(&[
        "durations = \"1m\"",
        "[newtork]",
        "[network]\n  bandwidth = 1",
        "[chain]\nconfirmation = 6",
        "[workload]\ntransfer_per_second = 5",
        "[[fault]]\nat = \"3m\"\nfor = \"1m\"\npartion = [[\"n0\"]]",
        "[[fault]]\nat = \"3m\"\nfor = \"1m\"\none_way = { form = [\"n0\"], to = [\"n1\"] }",
        "[[fault]]\nat = \"3m\"\nfor = \"1m\"\nlink = { between = [\"n0\"], to = [\"n1\"], lag = \"1s\" }",
        "[expect]\nreorg_depth = 3",
        "# é\nnetwork.jiter = \"1ms\"",
    ]), @r#"
        x.toml:6:1: unknown key `durations` in the file's top level; did you mean `duration`?
        x.toml:6:2: unknown key `newtork` in the file's top level; did you mean `network`?
        x.toml:7:3: unknown key `bandwidth` in [network]; the keys are `latency`, `jitter`, `loss`
        x.toml:7:1: unknown key `confirmation` in [chain]; did you mean `confirmations`?
        x.toml:7:1: unknown key `transfer_per_second` in [workload]; did you mean `transfers_per_second`?
        x.toml:9:1: unknown key `partion` in [[fault]]; did you mean `partition`?
        x.toml:9:13: unknown key `form` in `one_way`; did you mean `from`?
        x.toml:9:41: unknown key `lag` in `link`; the keys are `between`, `to`, `delay`, `jitter`, `loss`
        x.toml:7:1: unknown key `reorg_depth` in [expect]; the keys are `finalized_lost`, `caught_up_within`, `confirms_within`, `writable_within`, `fork`, `progress`, `reorg_depth_min`, `reorg_depth_max`, `confirmed_transactions_min`, `alerts`, `alerts_within`, `alerts_allowed`, `no_other_alert`, `violates`
        x.toml:7:9: unknown key `jiter` in [network]; did you mean `jitter`?
    "#);
}

#[test]
fn missing_keys() {
    assert_snapshot!(heads(1, &["", "name = \"x\"\nnames = \"y\""]), @r#"
        x.toml:1:1: `name` is missing in the file's top level; add it and write it like "partition-heal"
        x.toml:2:1: unknown key `names` in the file's top level; did you mean `name`?
    "#);
    assert_snapshot!(heads(4, &[""]), @r#"x.toml:1:1: `nodes` is missing in the file's top level; add it and write digits without quotes, such as 5"#);
    assert_snapshot!(faults(&["kill = \"one\"", "at = \"1m\"\nfor = \"1m\"\none_way = { from = [\"n0\"] }"]), @r#"
        x.toml:6:1: `at` is missing in [[fault]]; add it and write whole numbers with units (d, h, m, s, ms), such as "90s" or "1h30m"
        x.toml:9:11: `to` is missing in `one_way`; add it and write it like ["n0", "n2"]
    "#);
}

#[test]
fn wrong_types() {
    assert_snapshot!(heads(4, &["nodes = \"5\"", "nodes = 5.0", "nodes = [5]"]), @r#"
        x.toml:4:9: `nodes` must be a whole number, and is of type string; write digits without quotes, such as 5
        x.toml:4:9: `nodes` must be a whole number, and is of type float; write digits without quotes, such as 5
        x.toml:4:9: `nodes` must be a whole number, and is of type array; write digits without quotes, such as 5
    "#);
    assert_snapshot!(tails(&[
        "network = 1",
        "[network]\nlatency = 20",
        "[network]\nloss = 0.01",
        "[workload]\ntransfers_per_second = \"5\"",
        "[fault]\nat = \"1m\"",
        "fault = [1]",
        "[expect]\nfork = true",
        "[expect]\nalerts = \"ChainStalled\"",
        "[expect]\nalerts = [1]",
    ]), @r#"
        x.toml:6:11: `network` must be a table, and is of type integer; write { key = value, ... } or a section of its own
        x.toml:7:11: `latency` must be a latency, and is of type integer; write one duration or the least and the greatest, such as "20ms..80ms"
        x.toml:7:8: `loss` must be a percentage, and is of type float; write it in quotes with its sign, such as "1%" or "0.25%"
        x.toml:7:24: `transfers_per_second` must be a number, and is of type string; write it without quotes, such as 5 or 0.5
        x.toml:6:1: `fault` must be a list of tables, and is of type table; begin each with its name in double brackets, such as [[fault]]
        x.toml:6:10: `fault` must be a list of tables, and is of type integer; begin each with its name in double brackets, such as [[fault]]
        x.toml:7:8: `fork` must be one of `allowed`, `required`, and is of type boolean; write one of `allowed`, `required` in quotes
        x.toml:7:10: `alerts` must be a list of alert names, and is of type string; write it like ["ChainStalled"]
        x.toml:7:11: `alerts` must be an alert name, and is of type integer; write it like "ChainStalled"
    "#);
    assert_snapshot!(faults(&[
        "at = 60\nkill = \"one\"",
        "at = \"1m\"\nkill = 1",
        "at = \"1m\"\nkill = [0]",
        "at = \"1m\"\nfor = \"1m\"\npartition = \"n0\"",
        "at = \"1m\"\nfor = \"1m\"\npartition = [\"n0\", \"n1\"]",
        "at = \"1m\"\nfor = \"1m\"\nlink = [\"n0\", \"n1\"]",
    ]), @r#"
        x.toml:7:6: `at` must be a duration, and is of type integer; write whole numbers with units (d, h, m, s, ms), such as "90s" or "1h30m"
        x.toml:8:8: `kill` must be a size or a list of nodes, and is of type integer; write one of `one`, `minority`, `third`, `majority`, `all`, or nodes such as ["n0", "n2"]
        x.toml:8:9: `kill` must be a node, and is of type integer; write it like "n0"
        x.toml:9:13: `partition` must be a list of groups of nodes, and is of type string; write it like [["n0", "n1"], ["n2", "n3", "n4"]]
        x.toml:9:14: `partition` must be a list of groups of nodes, and is of type string; write it like [["n0", "n1"], ["n2", "n3", "n4"]]
        x.toml:9:8: `link` must be a table, and is of type array; write { key = value, ... } or a section of its own
    "#);
}

#[test]
fn malformed_values() {
    assert_snapshot!(heads(1, &["name = \"Split Brain\"", "name = \"a--b\"", "name = \"\""]), @r#"
        x.toml:1:8: `name = "Split Brain"` is not a name of lower-case words and dashes; write it like "partition-heal"
        x.toml:1:8: `name = "a--b"` is not a name of lower-case words and dashes; write it like "partition-heal"
        x.toml:1:8: `name = ""` is not a name of lower-case words and dashes; write it like "partition-heal"
    "#);
    assert_snapshot!(heads(2, &["about = \"\"", "about = \"two\\nlines\""]), @r#"
        x.toml:2:9: `about = ""` is not a line of text; write one line in quotes, such as "a split heals"
        x.toml:2:9: `about = "two\nlines"` is not a line of text; write one line in quotes, such as "a split heals"
    "#);
    assert_snapshot!(heads(3, &["consensus = \"pwo\"", "consensus = \"raft\"", "consensus = \"poot\""]), @r#"
        x.toml:3:13: `consensus = "pwo"` is not one of `pow`, `pos`, `poot`; did you mean `pow`?
        x.toml:3:13: `consensus = "raft"` is not one of `pow`, `pos`, `poot`; write one of `pow`, `pos`, `poot` in quotes
        accepted
    "#);
    assert_snapshot!(heads(5, &["duration = \"10 min\"", "duration = \"1.5h\"", "duration = \"30s1m\""]), @r#"
        x.toml:5:12: `duration = "10 min"` is not a duration; write whole numbers with units (d, h, m, s, ms), such as "90s" or "1h30m"
        x.toml:5:12: `duration = "1.5h"` is not a duration; write whole numbers with units (d, h, m, s, ms), such as "90s" or "1h30m"
        x.toml:5:12: `duration = "30s1m"` is not a duration; write whole numbers with units (d, h, m, s, ms), such as "90s" or "1h30m"
    "#);
    assert_snapshot!(tails(&[
        "[network]\nlatency = \"80ms..20ms\"",
        "[network]\nloss = \"1\"",
        "[network]\nloss = \"101%\"",
        "[expect]\nfork = \"requird\"",
        "[expect]\nalerts = [\"chain stalled\"]",
    ]), @r#"
        x.toml:7:11: `latency = "80ms..20ms"` is not a latency; write one duration or the least and the greatest, such as "20ms..80ms"
        x.toml:7:8: `loss = "1"` is not a percentage; write it in quotes with its sign, such as "1%" or "0.25%"
        x.toml:7:8: `loss = "101%"` is not a percentage; write it in quotes with its sign, such as "1%" or "0.25%"
        x.toml:7:8: `fork = "requird"` is not one of `allowed`, `required`; did you mean `required`?
        x.toml:7:11: `alerts = "chain stalled"` is not an alert name; write it like "ChainStalled"
    "#);
    assert_snapshot!(faults(&["at = \"1m\"\nkill = \"minorty\"", "at = \"1m\"\nkill = \"n0\""]), @r#"
        x.toml:8:8: `kill = "minorty"` is not a size or a list of nodes; did you mean `minority`?
        x.toml:8:8: `kill = "n0"` is not a size or a list of nodes; write one of `one`, `minority`, `third`, `majority`, `all`, or nodes such as ["n0", "n2"]
    "#);
}

#[test]
fn values_out_of_bounds() {
    assert_snapshot!(heads(4, &["nodes = 0", "nodes = 101", "nodes = -5", "nodes = 99999999999999999999"]), @r#"
        x.toml:4:9: `nodes = 0` is out of bounds; it must be from 1 to 100
        x.toml:4:9: `nodes = 101` is out of bounds; it must be from 1 to 100
        x.toml:4:9: `nodes = -5` is out of bounds; it must be from 1 to 100
        x.toml:4:9: `nodes = 99999999999999999999` is out of bounds; it must be from 1 to 100
    "#);
    assert_snapshot!(heads(5, &["duration = \"0s\"", "duration = \"8d\""]), @r#"
        x.toml:5:12: `duration = "0s"` is out of bounds; it must be from "1s" to "7d"
        x.toml:5:12: `duration = "8d"` is out of bounds; it must be from "1s" to "7d"
    "#);
    assert_snapshot!(tails(&[
        "[network]\nlatency = \"0ms..5ms\"",
        "[network]\njitter = \"2m\"",
        "[chain]\nblock_interval = \"10ms\"",
        "[chain]\nconfirmations = 0",
        "[chain]\nhash_rate = 0x1000000",
        "[workload]\ntransfers_per_second = 1000.5",
        "[workload]\ntransfers_per_second = -1",
        "[workload]\ntransfers_per_second = nan",
        "[workload]\naccounts = 1",
        "[workload]\nstop_before_end = \"21m\"",
        "[expect]\nfinalized_lost = -1",
        "[expect]\ncaught_up_within = \"0s\"",
    ]), @r#"
        x.toml:7:11: `latency = "0ms..5ms"` is out of bounds; it must be from "1ms" to "1m"
        x.toml:7:10: `jitter = "2m"` is out of bounds; it must be from "0s" to "1m"
        x.toml:7:18: `block_interval = "10ms"` is out of bounds; it must be from "1s" to "10m"
        x.toml:7:17: `confirmations = 0` is out of bounds; it must be from 1 to 1000
        x.toml:7:13: `hash_rate = 0x1000000` is out of bounds; it must be from 1 to 1000000
        x.toml:7:24: `transfers_per_second = 1000.5` is out of bounds; it must be from 0 to 1000
        x.toml:7:24: `transfers_per_second = -1` is out of bounds; it must be from 0 to 1000
        x.toml:7:24: `transfers_per_second = nan` is out of bounds; it must be from 0 to 1000
        x.toml:7:12: `accounts = 1` is out of bounds; it must be from 2 to 1000
        x.toml:7:19: `stop_before_end = "21m"` is out of bounds; it must be from "0s" to "20m"
        x.toml:7:18: `finalized_lost = -1` is out of bounds; it must be from 0 to 1000000000
        x.toml:7:20: `caught_up_within = "0s"` is out of bounds; it must be from "1ms" to "7d"
    "#);
    assert_snapshot!(faults(&["at = \"1m\"\nfor = \"0s\"\npause = \"one\""]), @r#"x.toml:8:7: `for = "0s"` is out of bounds; it must be from "1ms" to "7d""#);
}

#[test]
fn impossible_targets() {
    assert_snapshot!(faults(&[
        "at = \"1m\"\nkill = [\"n9\"]",
        "at = \"1m\"\nkill = [\"node1\"]",
        "at = \"1m\"\nkill = []",
        "at = \"1m\"\nkill = [\"n1\", \"n1\"]",
        "at = \"1m\"\nfor = \"1m\"\npartition = [[\"n0\"], []]",
        "at = \"1m\"\nfor = \"1m\"\npartition = []",
        "at = \"1m\"\nfor = \"1m\"\npartition = [[\"n0\", \"n1\"], [\"n2\", \"n1\"]]",
        "at = \"1m\"\nfor = \"1m\"\npartition = [[\"n0\", \"n1\", \"n2\", \"n3\", \"n4\"]]",
        "at = \"1m\"\nfor = \"1m\"\none_way = { from = [\"n0\"], to = [\"n1\", \"n0\"] }",
        "at = \"1m\"\nfor = \"1m\"\nlink = { between = [\"n0\"], to = [\"n1\"] }",
    ]), @r#"
        x.toml:8:9: `kill` names `n9`, which is no node of this scenario; they are `n0` to `n4`
        x.toml:8:9: `kill` names `node1`, which is no node of this scenario; they are `n0` to `n4`
        x.toml:8:8: `kill` has an empty list; name at least one member
        x.toml:8:15: `kill` names `n1` again; name it once
        x.toml:9:22: `partition` has an empty list; name at least one member
        x.toml:9:13: `partition` has an empty list; name at least one member
        x.toml:9:35: `partition` names `n1` again; name it once
        x.toml:9:13: `partition` has only one group, and leaves no node outside of it; move some nodes to a second group
        x.toml:9:40: `to` names `n0` again; name it once
        x.toml:9:8: `link` has neither delay nor jitter nor loss, so it changes nothing; give at least one of them, such as loss = "5%"
    "#);
    let alone = HEAD.replace("nodes = 5", "nodes = 1");
    let body = "[[fault]]\nat = \"1m\"\n";
    assert_snapshot!(read(&format!("{alone}{body}for = \"1m\"\nisolate = \"one\"")), @r#"x.toml:9:1: `isolate` needs a second node to be cut off from; raise `nodes`"#);
    assert_snapshot!(read(&format!("{alone}{body}for = \"1m\"\npartition = [[\"n0\"]]")), @r#"x.toml:9:13: `partition` has only one group, and leaves no node outside of it; move some nodes to a second group"#);
    assert_snapshot!(read(&format!("{alone}{body}kill = [\"n1\"]")), @r#"x.toml:8:9: `kill` names `n1`, which is no node of this scenario; the only one is `n0`"#);
    assert_snapshot!(tails(&["[expect]\nalerts = [\"ChainStalled\", \"ChainStalled\"]"]), @r#"x.toml:7:27: `alerts` names `ChainStalled` again; name it once"#);
}

#[test]
fn times_and_actions() {
    assert_snapshot!(faults(&[
        "at = \"20m\"\nkill = \"one\"",
        "at = \"19m\"\nfor = \"2m\"\nisolate = \"one\"",
        "at = \"19m\"\nrestart_after = \"61s\"\nkill = \"one\"",
        "at = \"1m\"",
        "at = \"1m\"\nkill = \"one\"\nisolate = \"one\"\nfor = \"1m\"",
        "at = \"1m\"\nisolate = \"one\"",
        "at = \"1m\"\npause = \"one\"",
        "at = \"1m\"\nfor = \"1m\"\nkill = \"one\"",
        "at = \"1m\"\nfor = \"1m\"\nrestart = \"one\"",
        "at = \"1m\"\nrestart_after = \"1m\"\nrestart = \"one\"",
        "at = \"1m\"\nfor = \"1m\"\nrestart_after = \"1m\"\npause = \"one\"",
    ]), @r#"
        x.toml:7:6: the fault begins at 20m, and the run ends at 20m: it would never fire; move it earlier or lengthen `duration`
        x.toml:8:7: the fault ends at 21m, and the run at 20m: it would never end; end it earlier or lengthen `duration`
        x.toml:8:17: the fault ends at 20m1s, and the run at 20m: it would never end; end it earlier or lengthen `duration`
        x.toml:6:1: the fault has no action; give it one of `partition`, `one_way`, `isolate`, `link`, `kill`, `power_cut`, `restart`, `pause`, `disk_full`, `disk_error`, `fsync_fails`, `disk_slow`, `misdirected_write`, `fsync_lies`, `bit_rot`, `lose_volume`, `backup`, `schema_newer`, `clock`, `memory_full`, `lie`
        x.toml:9:1: the fault has two actions, `kill` and `isolate`; give each a [[fault]] of its own
        x.toml:8:1: `isolate` needs `for`: how long it lasts; add for = "30s"
        x.toml:8:1: `pause` needs `for`: how long it lasts; add for = "30s"
        x.toml:8:1: `kill` takes no `for`; use `restart_after`
        x.toml:8:1: `restart` takes no `for`; remove it; the node stops in order and starts at once
        x.toml:8:1: `restart` takes no `restart_after`; remove it; the node stops in order and starts at once
        x.toml:9:1: `pause` takes no `restart_after`; use `for`
    "#);
}

#[test]
fn overlapping_process_faults() {
    let two = |first: &str, second: &str| format!("at = \"1m\"\n{first}\n[[fault]]\nat = \"90s\"\n{second}");
    let cases = [
        two("restart_after = \"1m\"\nkill = [\"n0\", \"n1\"]", "power_cut = [\"n1\"]"),
        two("restart_after = \"30s\"\nkill = [\"n0\"]", "restart = [\"n0\"]"),
        two("kill = \"one\"", "for = \"1s\"\npause = [\"n3\"]"),
        two("restart_after = \"29s\"\nkill = \"one\"", "restart = \"one\""),
        two("for = \"1m\"\npause = [\"n0\"]", "restart = [\"n1\"]"),
        two("for = \"1m\"\nisolate = \"one\"", "restart = \"one\""),
    ];
    assert_snapshot!(faults(&cases.each_ref().map(String::as_str)), @r#"
        x.toml:12:1: `n1` is then subject to the fault of line 6 too; move one of the two, or name another node
        x.toml:12:1: `n0` is then subject to the fault of line 6 too; move one of the two, or name another node
        x.toml:12:1: a node that it may hit is then subject to the fault of line 6 too; move one of the two, or name nodes in both that differ
        accepted
        accepted
        accepted
    "#);
}

#[test]
fn keys_of_another_engine() {
    assert_snapshot!(tails(&[
        "[chain]\nvalidators = 3",
        "[workload]\nstake_changes_per_minute = 3",
        "[expect]\nprogress = \"stops\"",
    ]), @r#"
        x.toml:7:1: `validators` says nothing to a chain of consensus `pow`; remove it, or use the engine that it is for
        x.toml:7:1: `stake_changes_per_minute` says nothing to a chain of consensus `pow`; remove it, or use the engine that it is for
        x.toml:7:1: `progress` expects something of a split, and no fault splits the network; add a fault with `partition`, `isolate` or `one_way`, or remove `progress`
    "#);
}

#[test]
fn expectations() {
    let late = "[[fault]]\nat = \"18m\"\nkill = \"one\"\nrestart_after = \"30s\"\n";
    assert_snapshot!(tails(&[
        "[expect]\nfork = \"required\"",
        "[expect]\nreorg_depth_min = 3\nreorg_depth_max = 2",
        late,
        &format!("{late}[expect]\ncaught_up_within = \"2m\""),
        &format!("{late}[expect]\nconfirms_within = \"90s\""),
        "[[fault]]\nat = \"10m\"\nfor = \"1m\"\ndisk_full = \"one\"\n[expect]\nwritable_within = \"10m\"",
        "[[fault]]\nat = \"10m\"\nfor = \"1m\"\nmisdirected_write = \"one\"\n[expect]\nwritable_within = \"10m\"",
        "[expect]\nwritable_within = \"0s\"",
    ]), @r#"
        x.toml:7:1: `fork` expects something of a split, and no fault splits the network; add a fault with `partition`, `isolate` or `one_way`, or remove `fork`
        x.toml:7:1: `reorg_depth_min = 3` is above `reorg_depth_max = 2`; lower the first or raise the second
        x.toml:5:1: `confirms_within` allows 3m30s after the last fault, that is until 22m, and the run ends at 20m; lower `confirms_within`, or set `duration` to at least "22m"
        x.toml:11:1: `caught_up_within` allows 2m after the last fault, that is until 20m30s, and the run ends at 20m; lower `caught_up_within`, or set `duration` to at least "20m30s"
        accepted
        x.toml:11:1: `writable_within` allows 10m after the last fault that stops writes, that is until 21m, and the run ends at 20m; lower `writable_within`, or set `duration` to at least "21m"
        accepted
        x.toml:7:19: `writable_within = "0s"` is out of bounds; it must be from "1ms" to "7d"
    "#);
}

#[test]
fn files() {
    let long = format!("{HEAD}#{}", " ".repeat(1 << 20));
    assert_snapshot!(read(&long), @r#"x.toml:1:1: the file is 1048651 bytes long, and at most 1048576 are read; split the scenario into several files"#);
    let many = "[[fault]]\nat = \"1m\"\nfor = \"1s\"\nisolate = \"one\"\n".repeat(1001);
    assert_snapshot!(tails(&[&many]), @r#"x.toml:4006:1: this is fault 1001, and at most 1000 are read; split the scenario into several files"#);
    let absent = Scenario::load("absent.toml".as_ref()).map_or_else(|error| error.to_string(), |_| "read".to_owned());
    assert_snapshot!(absent, @r#"absent.toml: cannot be read: No such file or directory (os error 2); check the path and its permissions"#);
}
