//! A minute of three nodes: small enough that each snapshot can be read whole.

use std::collections::BTreeMap;

use crate::{
    Alert, Event, Expectation, Fault, Invariant, InvariantStatus, Node, Record, Recovery, RequestCounts, Requests,
    SCHEMA_VERSION, ScenarioFile, Series, Step, StepKind, TraceHash, Verdict, Workload,
};

const NAMES: [&str; 3] = ["n0", "n1", "n2"];

/// A run that passed through a partition.
pub fn passed() -> Record {
    let hash = |digit: &str| digit.repeat(64);
    Record {
        schema_version: SCHEMA_VERSION,
        scenario: "partition-heal".into(),
        about: "A 1|2 split forks the chain; healing reorganises the minority.".into(),
        seed: 7,
        backend: "sim".into(),
        git_rev: "0badc0de".into(),
        verdict: Verdict::Passed,
        virtual_seconds: 60.0,
        wall_seconds: 0.25,
        trace_hash: hash("a"),
        nodes: NAMES.map(|name| node(name, &hash("b"))).to_vec(),
        faults: vec![Fault {
            id: "f1".into(),
            kind: "partition".into(),
            target: vec!["n0".into(), "|".into(), "n1 n2".into()],
            detail: "both ways".into(),
            line: 9,
            planned_at: 20.0,
            planned_until: Some(40.0),
            applied_at: Some(20.0),
            ended_at: Some(40.0),
        }],
        invariants: vec![
            invariant("validity", "Every block passes validation.", 36),
            invariant("agreement", "No two nodes confirm different blocks at one height.", 61),
        ],
        expectations: vec![Expectation {
            name: "reorg_depth_max".into(),
            expected: "at most 20".into(),
            actual: "2".into(),
            met: true,
            line: Some(14),
            margin: Some(0.9),
        }],
        recovery: vec![Recovery { fault: "f1".into(), detect: Some(4.0), rto: Some(1.5), rpo: 0 }],
        alerts: vec![Alert {
            name: "NodeDown".into(),
            severity: "page".into(),
            expected: true,
            allowed: false,
            due: Some(45.0),
            fired_at: Some(30.0),
            fired_until: Some(45.0),
        }],
        workload: Workload { submitted: 300, acknowledged: 298, rejected: 0, unknown: 2, confirmed: 251, lost: 0 },
        requests: requests(),
        timeline: vec![
            event(12.3, Some("n1"), Event::BLOCK, "height 1"),
            event(20.0, None, "fault", "f1 partition on"),
            event(40.0, None, "fault", "f1 partition off"),
            event(41.5, Some("n0"), "reorg", "2 blocks undone"),
        ],
        steps: Vec::new(),
        trace: vec![TraceHash { host: "n0".into(), subsystem: "net".into(), events: 12_345, hash: hash("c") }],
        series: BTreeMap::from([("height".to_owned(), height())]),
        scenario_file: Some(ScenarioFile {
            name: "scenarios/partition-heal.toml".into(),
            text: "name = \"partition-heal\"\nconsensus = \"pow\"\n".into(),
        }),
        reproduce: "assay run scenarios/partition-heal.toml --seed 7".into(),
        failure: None,
    }
}

/// The same run with two confirmed blocks at one height, and an expectation that was not met.
pub fn violated() -> Record {
    let mut record = passed();
    let why = "n0 and n2 confirmed different blocks at height 3";
    record.verdict = Verdict::Violated;
    record.failure = Some(format!("agreement violated at 0:41.5: {why}"));
    let agreement = &mut record.invariants[1];
    (agreement.status, agreement.at, agreement.detail) = (InvariantStatus::Violated, Some(41.5), why.into());
    record.invariants[0].status = InvariantStatus::NotChecked;
    record.invariants[0].checks = 0;
    (record.expectations[0].met, record.expectations[0].actual) = (false, "24".into());
    record.expectations[0].margin = Some(-0.2);
    let step =
        |at, host: &str, kind, height, block: &str| Step { at, host: host.into(), kind, height, block: block.into() };
    record.steps = vec![
        step(30.0, "n1", StepKind::Made, 3, "b1b1b1b1"),
        step(30.1, "n2", StepKind::Head, 3, "b1b1b1b1"),
        step(31.0, "n0", StepKind::Made, 3, "a0a0a0a0"),
        step(36.0, "n0", StepKind::Confirmed, 3, "a0a0a0a0"),
        step(41.5, "n2", StepKind::Confirmed, 3, "b1b1b1b1"),
        step(42.0, "n0", StepKind::TakenBack, 2, ""),
    ];
    record.recovery[0].rto = None;
    record
}

/// A run whose machine gave up.
pub fn infrastructure() -> Record {
    let mut record = passed();
    record.verdict = Verdict::Infrastructure;
    record.failure = Some("cannot create the output directory: no space left".into());
    record.invariants.clear();
    record.expectations.clear();
    record
}

fn node(name: &str, head: &str) -> Node {
    Node {
        name: name.into(),
        height: 6,
        confirmed_height: 3,
        head: head.into(),
        peers: 2,
        restarts: 0,
        blocks_produced: 3,
        reorgs: u64::from(name == "n0"),
        reorg_depth_max: if name == "n0" { 2 } else { 0 },
    }
}

fn invariant(name: &str, detail: &str, checks: u64) -> Invariant {
    Invariant { name: name.into(), status: InvariantStatus::Held, at: None, detail: detail.into(), checks }
}

fn event(at: f64, host: Option<&str>, kind: &str, detail: &str) -> Event {
    Event { at, host: host.map(str::to_owned), kind: kind.into(), detail: detail.into() }
}

fn requests() -> Requests {
    let asked = |kind: &str, node: &str, all: &[(f64, f64)]| {
        BTreeMap::from([(kind.to_owned(), BTreeMap::from([(node.to_owned(), all.to_vec())]))])
    };
    Requests {
        count: RequestCounts { ok: 300, failed: 1, unknown: 2 },
        ok: asked("submit", "n1", &[(1.0, 0.04), (2.0, 0.08), (3.0, 0.04), (21.0, 0.5), (55.0, 0.05)]),
        failed: asked("balance", "n0", &[(30.0, 0.06)]),
        unknown: asked("submit", "n0", &[(20.0, 5.0), (22.0, 5.0)]),
    }
}

fn height() -> Series {
    let line = |values: [u32; 7]| (0..).map(|i| f64::from(i) * 10.0).zip(values.map(f64::from)).collect::<Vec<_>>();
    Series {
        unit: "blocks".into(),
        about: "Height of each node's head.".into(),
        lines: BTreeMap::from([
            ("n0".to_owned(), line([0, 1, 2, 4, 5, 5, 6])),
            ("n1".to_owned(), line([0, 1, 2, 3, 5, 5, 6])),
            ("n2".to_owned(), line([0, 1, 2, 3, 5, 5, 6])),
        ]),
    }
}
