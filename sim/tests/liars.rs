//! Liars among honest nodes: what each does, what the honest nodes do against it, and the most that anything in them held.
//! One seed each, word for word; more seeds are a sweep's work.

use assay_reports::{Record, Verdict};
use assay_scenarios::Scenario;
use assay_sim::run::{Options, run};
use std::{fmt::Write, path::Path};

fn play(name: &str, seed: u64) -> Record {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios").join(format!("{name}.toml"));
    let scenario = Scenario::load(&path).expect("it ships with the project");
    run(&scenario, seed, Options::default(), &mut |_| ()).expect("the run can be carried out")
}

/// The verdict, what the liar and the others did, and the fills.
fn told(name: &str) -> String {
    let record = play(name, 0);
    let mut text = format!("{:?} {}\n", record.verdict, record.failure.as_deref().unwrap_or_default());
    for event in record.timeline.iter().filter(|event| ["lie", "lie over", "defence"].contains(&event.kind.as_str())) {
        let host = event.host.as_deref().unwrap_or_default();
        writeln!(text, "{:.0} s {host}: {}", event.at, event.detail).expect("memory takes it");
    }
    let bounded = record.invariants.iter().find(|check| check.name == "bounded").expect("it is one of ours");
    let (_, fills) = bounded.detail.split_once(": ").unwrap_or(("", &bounded.detail));
    text + &fills.replace(", ", "\n")
}

macro_rules! snapshots {
    ($($test:ident: $name:literal;)*) => {$(
        #[test]
        fn $test() {
            insta::assert_snapshot!(told($name));
        }
    )*};
}

snapshots! {
    invalid_state_root: "liar-invalid-state-root";
    invalid_signature: "liar-invalid-signature";
    malformed: "liar-malformed";
    stale_replay: "liar-stale-replay";
    transaction_flood: "liar-transaction-flood";
    block_flood: "liar-block-flood";
    withhold: "liar-withhold";
    secret_chain: "liar-secret-chain";
    slow_sync: "liar-slow-sync";
    slow_rest: "liar-slow-rest";
    eclipse: "liar-eclipse";
    false_time: "liar-false-time";
    poison_addresses: "liar-poison-addresses";
    pos_double_vote: "pos-liar-double-vote";
    pos_two_proposals: "pos-liar-two-proposals";
    pos_forgetful: "pos-liar-forgetful";
    pos_own_blocks: "pos-liar-cut-off";
    pos_twin: "pos-liar-twin";
    pos_false_certificate: "pos-liar-false-certificate";
    pos_withhold: "pos-liar-withhold";
    pos_invalid_state_root: "pos-liar-invalid-state-root";
    pos_invalid_signature: "pos-liar-invalid-signature";
    pos_false_time: "pos-liar-false-time";
    pos_malformed: "pos-liar-malformed";
    pos_stale_replay: "pos-liar-stale-replay";
    poot_invalid_state_root: "poot-liar-invalid-state-root";
    poot_block_flood: "poot-liar-block-flood";
    poot_withhold: "poot-liar-withhold";
    poot_false_time: "poot-liar-false-time";
    poot_two_proposals: "poot-liar-two-proposals";
    poot_false_proofs: "poot-liar-false-proofs";
}

/// No proof of work survives a majority: a planted run passes when the loss is seen.
#[test]
fn a_majority_that_mines_in_secret_is_seen_to_take_back_what_was_confirmed() {
    let record = play("planted/majority-secret-chain", 0);
    assert_eq!((record.verdict, record.failure), (Verdict::Passed, None));
    let finality = record.invariants.iter().find(|check| check.name == "finality").expect("it is one of ours");
    assert!(finality.detail.contains("confirmed block"), "{}", finality.detail);
}

/// Equal seeds are equal with a liar too.
#[test]
fn a_liar_is_a_function_of_the_seed() {
    assert_eq!(play("liar-malformed", 3).trace_hash, play("liar-malformed", 3).trace_hash);
}
