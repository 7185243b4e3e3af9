//! A toy of a proof-of-work network: just enough for curves that look like a run.

use std::collections::BTreeMap;

use assay_reports::{
    Alert, Event, Expectation, Fault, Invariant, InvariantStatus, Node, Record, Recovery, Requests, SCHEMA_VERSION,
    Series, TraceHash, Verdict, Workload,
};

const END: f64 = 720.0;
const SPLIT: std::ops::Range<f64> = 180.0..300.0;
const DOWN: std::ops::Range<f64> = 420.0..450.0;

/// Twelve virtual minutes of `nodes` nodes: a partition, a power cut and a slow link.
pub fn record(nodes: usize) -> Record {
    let names: Vec<String> = (0..nodes).map(|index| format!("n{index}")).collect();
    let mut run = Run::play(&names);
    let requests = run.requests(&names);
    let fault = |id: &str, kind: &str, target: Vec<String>, detail: &str, line, from, until| Fault {
        id: id.into(),
        kind: kind.into(),
        target,
        detail: detail.into(),
        line,
        planned_at: from,
        planned_until: Some(until),
        applied_at: Some(from),
        ended_at: Some(until),
    };
    let split = vec![names[..2].join(" "), "|".into(), names[2..].join(" ")];
    Record {
        schema_version: SCHEMA_VERSION,
        scenario: "partition-heal".into(),
        about: "A 2|3 split forks a PoW chain; healing reorganises the minority within a minute.".into(),
        seed: 7,
        backend: "sim".into(),
        git_rev: "ba1f1eb".into(),
        verdict: Verdict::Passed,
        virtual_seconds: END,
        wall_seconds: 3.08,
        trace_hash: hash(1),
        nodes: names
            .iter()
            .enumerate()
            .map(|(index, name)| Node {
                name: name.clone(),
                height: run.height[index],
                confirmed_height: run.height[index] - 6,
                head: hash(2),
                peers: nodes as u64 - 1,
                restarts: u64::from(index == 3),
                blocks_produced: run.produced[index],
                reorgs: if index < 2 { 3 } else { 2 },
                reorg_depth_max: if index < 2 { run.depth } else { 1 },
            })
            .collect(),
        faults: vec![
            fault("f1", "partition", split, "both ways", 14, SPLIT.start, SPLIT.end),
            fault("f2", "power_cut", vec![names[3].clone()], "restart after 30 s", 19, DOWN.start, DOWN.end),
            fault("f3", "delay", vec!["n0-n4".into()], "400 ms ± 100 ms", 23, 430.0, 560.0),
        ],
        invariants: invariants(),
        expectations: expectations(run.depth),
        recovery: vec![
            Recovery { fault: "f1".into(), detect: Some(18.4), rto: Some(31.6), rpo: 0 },
            Recovery { fault: "f2".into(), detect: Some(0.4), rto: Some(7.2), rpo: 0 },
            Recovery { fault: "f3".into(), detect: None, rto: Some(0.0), rpo: 0 },
        ],
        alerts: vec![Alert {
            name: "NodeDown".into(),
            severity: "page".into(),
            expected: true,
            allowed: false,
            due: Some(45.0),
            fired_at: Some(30.0),
            fired_until: Some(45.0),
        }],
        workload: Workload { submitted: 3584, acknowledged: 3561, rejected: 2, unknown: 21, confirmed: 3310, lost: 0 },
        requests,
        timeline: run.timeline,
        steps: Vec::new(),
        trace: names
            .iter()
            .flat_map(|name| ["chain", "disk", "net"].map(|subsystem| (name, subsystem)))
            .enumerate()
            .map(|(index, (host, subsystem))| TraceHash {
                host: host.clone(),
                subsystem: subsystem.into(),
                events: 9000 + 517 * index as u64,
                hash: hash(100 + index as u64),
            })
            .collect(),
        series: run.series,
        scenario_file: None,
        reproduce: "cargo assay run scenarios/partition-heal.toml --seed 7".into(),
        failure: None,
    }
}

/// The toy's state and what was sampled of it.
struct Run {
    height: Vec<u64>,
    produced: Vec<u64>,
    depth: u64,
    timeline: Vec<Event>,
    series: BTreeMap<String, Series>,
    random: u64,
}

impl Run {
    fn play(names: &[String]) -> Run {
        let nodes = names.len();
        let zeros = vec![0; nodes];
        let mut run = Run {
            height: zeros.clone(),
            produced: zeros,
            depth: 0,
            timeline: Vec::new(),
            series: BTreeMap::new(),
            random: 7,
        };
        let mut pool = 0.0;
        for second in 0..=END as u32 {
            let now = f64::from(second);
            let split = SPLIT.contains(&now);
            if run.draw() < 0.1 {
                run.mine(now, split, names);
                pool *= 0.2;
            }
            pool += 5.0;
            if now == SPLIT.start {
                run.note(now, None, "fault", "f1 partition on: n0 n1 | n2 n3 n4");
            }
            if now == SPLIT.end {
                run.heal(now, names);
            }
            if now == DOWN.start {
                run.note(now, Some(&names[3]), "fault", "f2 power_cut on");
            }
            if now == DOWN.end {
                run.note(now, Some(&names[3]), "restart", "recovered from disk at height 41, 3 blocks behind");
            }
            for (index, name) in names.iter().enumerate() {
                let group = if index < 2 { 2 } else { nodes - 2 };
                let reached = if split { group } else { nodes } - 1;
                let down = index == 3 && DOWN.contains(&now);
                if down {
                    continue;
                }
                let noise = run.draw();
                run.sample("height", name, now, run.height[index] as f64);
                run.sample("confirmed_height", name, now, run.height[index].saturating_sub(6) as f64);
                run.sample("peers", name, now, reached as f64);
                run.sample("mempool", name, now, (pool * (0.9 + 0.2 * noise)).round());
                run.sample("messages", name, now, 8.0 * reached as f64 * (0.8 + 0.4 * noise));
                let healed = now - SPLIT.end;
                let depth = if index < 2 && (0.0..20.0).contains(&healed) { run.depth } else { 0 };
                run.sample("reorg_depth", name, now, depth as f64);
            }
        }
        run
    }

    /// One node finds a block; the nodes that it reaches adopt it.
    fn mine(&mut self, now: f64, split: bool, names: &[String]) {
        let miner = (self.draw() * names.len() as f64) as usize;
        self.produced[miner] += 1;
        let height = self.height[miner] + 1;
        for index in 0..names.len() {
            let reached = !split || (index < 2) == (miner < 2);
            let down = index == 3 && DOWN.contains(&now);
            if reached && !down {
                self.height[index] = self.height[index].max(height);
            }
        }
        self.note(now, Some(&names[miner]), "block", &format!("mined height {height}"));
    }

    fn heal(&mut self, now: f64, names: &[String]) {
        self.note(now, None, "fault", "f1 partition off");
        let best = self.height[2].max(self.height[0] + 1);
        self.depth = self.height[0].saturating_sub(self.height[2] / 2).clamp(2, 5);
        for (index, name) in names.iter().enumerate() {
            if index < 2 {
                let detail = format!("{} blocks undone, head moves to height {best}", self.depth);
                self.note(now + 1.4 + index as f64 / 5.0, Some(name), "reorg", &detail);
            }
            self.height[index] = best;
        }
    }

    fn sample(&mut self, series: &str, node: &str, at: f64, value: f64) {
        let (unit, about) = match series {
            "height" => ("blocks", "Height of each node's head."),
            "confirmed_height" => ("blocks", "Height of each node's newest block that is 6 deep."),
            "reorg_depth" => ("blocks", "Blocks undone by the reorganisations of the last 20 s."),
            "peers" => ("peers", "Connected peers."),
            "mempool" => ("transactions", "Transactions waiting."),
            _ => ("per second", "Messages sent by each node."),
        };
        let series = self.series.entry(series.into()).or_insert_with(|| Series {
            unit: unit.into(),
            about: about.into(),
            lines: BTreeMap::new(),
        });
        series.lines.entry(node.into()).or_default().push((at, value));
    }

    fn note(&mut self, at: f64, host: Option<&str>, kind: &str, detail: &str) {
        self.timeline.push(Event { at, host: host.map(str::to_owned), kind: kind.into(), detail: detail.into() });
    }

    /// Five transfers a second. The node that is down answers nobody, and a link of another one is slow.
    fn requests(&mut self, names: &[String]) -> Requests {
        let mut requests = Requests::default();
        for n in 0..(5.0 * (END - 40.0)) as u32 {
            let (sent, node) = (f64::from(n) / 5.0, (self.draw() * names.len() as f64) as usize);
            let slow = if node == 0 && (430.0..560.0).contains(&sent) { 0.4 } else { 0.0 };
            let took = slow + 0.045 + 0.06 * self.draw() + if self.draw() < 0.06 { 0.8 * self.draw() } else { 0.0 };
            let count = &mut requests.count;
            let (asked, took) = match node == 3 && DOWN.contains(&sent) {
                true if sent - DOWN.start < 3.0 || n.is_multiple_of(7) => {
                    count.unknown += 1;
                    (&mut requests.unknown, 5.0)
                }
                true => {
                    count.failed += 1;
                    (&mut requests.failed, 0.04 + 0.04 * self.draw())
                }
                false => {
                    count.ok += 1;
                    (&mut requests.ok, took)
                }
            };
            let of_kind = asked.entry("submit".into()).or_default();
            of_kind.entry(names[node].clone()).or_default().push((sent, (took * 1e6).round() / 1e6));
        }
        requests
    }

    /// A number from 0 to 1, the same in every run.
    fn draw(&mut self) -> f64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 40) as f64 / f64::from(1_u32 << 24)
    }
}

fn invariants() -> Vec<Invariant> {
    [
        ("agreement", "No two nodes confirm different blocks at one height.", 3605),
        ("validity", "Every block on a chain passes validation from genesis.", 412),
        ("state_root", "Equal blocks have equal state roots.", 3605),
        ("supply", "Balances add up to the genesis supply and the rewards.", 3605),
        ("durability", "Nothing confirmed is lost.", 721),
        ("no_panic", "No task of any host panics.", 18_230),
        ("liveness", "A new block is confirmed and all nodes meet within 60 s of the last fault.", 160),
    ]
    .map(|(name, detail, checks)| Invariant {
        name: name.into(),
        status: InvariantStatus::Held,
        at: None,
        detail: detail.into(),
        checks,
    })
    .into()
}

fn expectations(depth: u64) -> Vec<Expectation> {
    let met = |name: &str, expected: &str, actual: String, line| Expectation {
        name: name.into(),
        expected: expected.into(),
        actual,
        met: true,
        line: Some(line),
        margin: None,
    };
    vec![
        met("finalized_lost", "0", "0".into(), 28),
        met("caught_up_within", "60s", "31.6s".into(), 29),
        met("reorg_depth_max", "at most 20", depth.to_string(), 30),
        met("reorg_depth_min", "at least 2", depth.to_string(), 31),
    ]
}

fn hash(salt: u64) -> String {
    let mut state = salt.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (0..4)
        .map(|_| {
            state = (state ^ (state >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9).wrapping_add(salt);
            format!("{state:016x}")
        })
        .collect()
}
