//! Faults of a machine's clock and of a node's honesty: what the reader makes of them, and its errors.

mod messages;

use assay_scenarios::Scenario;
use insta::assert_snapshot;
use messages::{HEAD, faults, tails};

#[test]
fn clocks_and_lies_are_planned() {
    let tail = "[[fault]]\nat = \"1m\"\nfor = \"2m\"\nclock = { nodes = [\"n1\"], skew = \"-1m30s\" }\n\
        [[fault]]\nat = \"1m\"\nfor = \"2m\"\nclock = { nodes = [\"n2\"], skew = \"+250ms\", drift_ppm = -200000 }\n\
        [[fault]]\nat = \"4m\"\nfor = \"2m\"\nclock = { nodes = \"all\", drift_ppm = 500 }\n\
        [[fault]]\nat = \"4m\"\nfor = \"2m\"\nmemory_full = \"all\"\n\
        [[fault]]\nat = \"7m\"\nfor = \"2m\"\nmemory_full = { nodes = [\"n1\"], leave = \"64MiB\" }\n\
        [[fault]]\nat = \"5m\"\nfor = \"2m\"\nlie = { nodes = [\"n4\"], how = \"eclipse\", victim = \"n0\" }\n\
        [[fault]]\nat = \"5m\"\nfor = \"2m\"\nlie = { nodes = [\"n3\"], how = \"withhold\", power = 3 }\n";
    let scenario = Scenario::parse("x.toml", &format!("{HEAD}{tail}")).unwrap_or_else(|error| panic!("{error}"));
    let lines: Vec<_> = scenario.plan(1).faults.iter().map(|f| format!("{}: {}", f.kind, f.detail)).collect();
    assert_snapshot!(lines.join("\n"), @r#"
        clock: n1, clock 1m30s slow
        clock: n2, clock 250ms fast, drifting by -200000 ppm
        clock: n0 n1 n2 n3 n4, clock drifting by +500 ppm
        memory_full: n0 n1 n2 n3 n4, 0B left
        lie: n4, eclipse of n0
        lie: n3, withhold with the power of 3 nodes
        memory_full: n1, 64MiB left
    "#);
}

#[test]
fn a_lie_is_for_its_engine() {
    let body = "at = \"1m\"\nfor = \"1m\"\nlie = { nodes = [\"n1\"], how = \"double-vote\" }";
    assert_snapshot!(faults(&[body]), @"x.toml:9:1: `double-vote` says nothing to a chain of consensus `pow`; remove it, or use the engine that it is for");
}

#[test]
fn memory_is_full_once_and_a_quarter_of_it_is_not_full() {
    let at = |at: &str, body: &str| format!("at = \"{at}\"\nfor = \"2m\"\nmemory_full = {body}");
    let [first, again, other] = [at("1m", "[\"n1\"]"), at("2m", "[\"n0\", \"n1\"]"), at("2m", "[\"n2\"]")];
    let texts = [at("1m", "{ nodes = \"one\", leave = \"2GiB\" }"), at("1m", "{ leave = \"1KiB\" }")];
    let both = [format!("{first}\n[[fault]]\n{again}"), format!("{first}\n[[fault]]\n{other}")];
    let bodies: Vec<_> = texts.iter().chain(&both[..1]).map(String::as_str).collect();
    assert_snapshot!(faults(&bodies), @r#"
        x.toml:9:40: `leave = "2GiB"` is out of bounds; it must be from "0B" to "1GiB"
        x.toml:9:15: `nodes` is missing in `memory_full`; add it and write one of `one`, `minority`, `third`, `majority`, `all`, or nodes such as ["n0", "n2"]
        x.toml:13:1: `n1` is then subject to the fault of line 6 too; move one of the two, or name another node
    "#);
    assert!(Scenario::parse("x.toml", &format!("{HEAD}[[fault]]\n{}", both[1])).is_ok());
}

#[test]
fn errors() {
    let at = |bodies: &[&str]| {
        let bodies: Vec<_> = bodies.iter().map(|body| format!("at = \"1m\"\nfor = \"1m\"\n{body}")).collect();
        faults(&bodies.iter().map(String::as_str).collect::<Vec<_>>())
    };
    assert_snapshot!(at(&[
        "clock = \"one\"",
        "clock = { skew = \"+1s\" }",
        "clock = { nodes = \"one\" }",
        "clock = { nodes = \"one\", drift_ppm = 0 }",
        "clock = { nodes = \"one\", skew = \"30s\" }",
        "clock = { nodes = \"one\", skew = \"+half\" }",
        "clock = { nodes = \"one\", skew = 30 }",
        "clock = { nodes = \"one\", skew = \"-0s\" }",
        "clock = { nodes = \"one\", skew = \"+25h\" }",
        "clock = { nodes = \"one\", drift = 5 }",
        "clock = { nodes = \"one\", drift_ppm = 500001 }",
        "clock = { nodes = \"one\", drift_ppm = \"5\" }",
    ]), @r#"
        x.toml:9:9: `clock` must be a table, and is of type string; write { key = value, ... } or a section of its own
        x.toml:9:9: `nodes` is missing in `clock`; add it and write one of `one`, `minority`, `third`, `majority`, `all`, or nodes such as ["n0", "n2"]
        x.toml:9:9: `clock` has neither skew nor drift_ppm, so it changes nothing; give at least one of them, such as skew = "+30s"
        x.toml:9:9: `clock` has neither skew nor drift_ppm, so it changes nothing; give at least one of them, such as skew = "+30s"
        x.toml:9:33: `skew = "30s"` is not a duration with its sign; write a sign and a duration in quotes, such as "+30s" or "-2m"
        x.toml:9:33: `skew = "+half"` is not a duration with its sign; write a sign and a duration in quotes, such as "+30s" or "-2m"
        x.toml:9:33: `skew` must be a duration with its sign, and is of type integer; write a sign and a duration in quotes, such as "+30s" or "-2m"
        x.toml:9:33: `skew = "-0s"` is out of bounds; it must be from "-1d" to "+1d", and not 0
        x.toml:9:33: `skew = "+25h"` is out of bounds; it must be from "-1d" to "+1d", and not 0
        x.toml:9:26: unknown key `drift` in `clock`; the keys are `nodes`, `skew`, `drift_ppm`
        x.toml:9:38: `drift_ppm = 500001` is out of bounds; it must be from -500000 to 500000
        x.toml:9:38: `drift_ppm` must be a whole number, and is of type string; write digits without quotes, with a minus sign if need be, such as -200000
    "#);
    assert_snapshot!(at(&[
        "lie = \"one\"",
        "lie = { nodes = \"one\", how = \"withhold\" }",
        "lie = { nodes = [\"n1\"] }",
        "lie = { nodes = [\"n1\"], how = \"withold\" }",
        "lie = { nodes = [\"n1\"], how = \"eclipse\" }",
        "lie = { nodes = [\"n1\"], how = \"eclipse\", victim = \"n7\" }",
        "lie = { nodes = [\"n1\"], how = \"eclipse\", victim = \"n1\" }",
        "lie = { nodes = [\"n1\"], how = \"malformed\", victim = \"n0\" }",
        "lie = { nodes = [\"n1\"], how = \"withhold\", power = 0 }",
    ]), @r#"
        x.toml:9:7: `lie` must be a table, and is of type string; write { key = value, ... } or a section of its own
        x.toml:9:17: `nodes` must be a list of nodes, and is of type string; write it like ["n0", "n2"]
        x.toml:9:7: `how` is missing in `lie`; add it and write one of `invalid-state-root`, `invalid-signature`, `malformed`, `stale-replay`, `transaction-flood`, `block-flood`, `withhold`, `secret-chain`, `slow-sync`, `slow-rest`, `eclipse`, `false-time`, `poison-addresses`, `double-vote`, `two-proposals`, `forgetful`, `own-blocks`, `twin`, `false-certificate`, `false-proofs` in quotes
        x.toml:9:31: `how = "withold"` is not one of `invalid-state-root`, `invalid-signature`, `malformed`, `stale-replay`, `transaction-flood`, `block-flood`, `withhold`, `secret-chain`, `slow-sync`, `slow-rest`, `eclipse`, `false-time`, `poison-addresses`, `double-vote`, `two-proposals`, `forgetful`, `own-blocks`, `twin`, `false-certificate`, `false-proofs`; did you mean `withhold`?
        x.toml:9:7: `lie` with how = "eclipse" needs `victim`: the node that it is about; add victim = "n0"
        x.toml:9:51: `victim` names `n7`, which is no node of this scenario; they are `n0` to `n4`
        x.toml:9:51: `victim` names `n1`, which is among the liars; name an honest node
        x.toml:9:44: `lie` with how = "malformed" takes no `victim`: it is told to all; remove it
        x.toml:9:51: `power = 0` is out of bounds; it must be from 1 to 200
    "#);
    assert_snapshot!(tails(&[
        "[[fault]]\nat = \"1m\"\nclock = { nodes = \"one\", skew = \"+1s\" }",
        "[[fault]]\nat = \"1m\"\nrestart_after = \"5s\"\nlie = { nodes = [\"n1\"], how = \"malformed\" }",
        "[[fault]]\nat = \"1m\"\nfor = \"1m\"\nlie = { nodes = [\"n1\"], how = \"malformed\" }\n[[fault]]\nat = \"9m\"\nkill = [\"n1\"]",
        "[[fault]]\nat = \"1m\"\nfor = \"1m\"\nclock = { nodes = \"one\", skew = \"+1s\" }\n\
         [[fault]]\nat = \"1m\"\nfor = \"9m\"\nclock = { nodes = [\"n1\"], drift_ppm = 9 }",
    ]), @r#"
        x.toml:8:1: `clock` needs `for`: how long it lasts; add for = "30s"
        x.toml:8:1: `lie` takes no `restart_after`; use `for`
        x.toml:12:1: `n1` is then subject to the fault of line 6 too; move one of the two, or name another node
        x.toml:13:1: a node that it may hit is then subject to the fault of line 6 too; move one of the two, or name nodes in both that differ
    "#);
}
