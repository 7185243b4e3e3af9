//! What operators are promised for each disaster, against what runs have measured: one page.

use crate::{
    Figures, Record, Rto, Verdict,
    render::{markdown::table, to_json},
    text::{markdown as escape, plural, seconds},
};
use serde::{Deserialize, Serialize};

/// The back ends, as records name them and as the page does.
const BACKENDS: [(&str, &str); 3] = [("sim", "simulated"), ("process", "processes"), ("compose", "containers")];

/// What is promised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promise {
    /// The disaster.
    pub name: String,
    /// The scenario that plays it.
    pub scenario: String,
    /// Seconds that recovery may take.
    pub rto: f64,
    /// Confirmed transactions that may be lost.
    pub rpo: u64,
}

/// The runs of one drill on one back end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// `sim`, `process` or `compose`.
    pub backend: String,
    /// How many runs there are.
    pub runs: usize,
    /// How many of them have passed.
    pub passed: usize,
    /// The slowest recovery in seconds; none when a run did not recover, or had nothing to recover from.
    pub rto: Option<f64>,
    /// The most confirmed transactions that a run has lost.
    pub rpo: u64,
}

/// One drill and its outcomes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drill {
    /// What is promised.
    pub promise: Promise,
    /// What was measured, by back end.
    pub outcomes: Vec<Outcome>,
    /// Whether it was simulated and played live, every run passed, and all of them kept the promise.
    pub is_kept: bool,
}

/// Holds the records of runs against what is promised. Records of other scenarios are left out.
pub fn hold(promises: Vec<Promise>, records: &[Record]) -> Vec<Drill> {
    let drill = |promise: Promise| {
        let own: Vec<&Record> = records.iter().filter(|record| record.scenario == promise.scenario).collect();
        let outcomes: Vec<_> = BACKENDS.iter().filter_map(|(backend, _)| outcome(backend, &own)).collect();
        let is_simulated = outcomes.iter().any(|outcome| outcome.backend == "sim");
        let is_live = outcomes.iter().any(|outcome| outcome.backend != "sim");
        let kept = |outcome: &Outcome| {
            let in_time = outcome.rto.is_some_and(|rto| rto <= promise.rto);
            outcome.passed == outcome.runs && in_time && outcome.rpo <= promise.rpo
        };
        let is_kept = is_simulated && is_live && outcomes.iter().all(kept);
        Drill { promise, outcomes, is_kept }
    };
    promises.into_iter().map(drill).collect()
}

fn outcome(backend: &str, records: &[&Record]) -> Option<Outcome> {
    let own: Vec<_> = records.iter().filter(|record| record.backend == backend).collect();
    let recoveries: Option<Vec<f64>> = own
        .iter()
        .map(|record| match Figures::of(record).rto_worst {
            Rto::Seconds(seconds) => Some(seconds),
            Rto::NoFault | Rto::NotRecovered => None,
        })
        .collect();
    (!own.is_empty()).then(|| Outcome {
        backend: backend.to_owned(),
        runs: own.len(),
        passed: own.iter().filter(|record| record.verdict == Verdict::Passed).count(),
        rto: recoveries.and_then(|all| all.into_iter().reduce(f64::max)),
        rpo: own.iter().map(|record| record.workload.lost).max().unwrap_or(0),
    })
}

/// All drills as indented JSON with a final newline.
pub fn json(drills: &[Drill]) -> String {
    to_json(&drills)
}

/// The page.
pub fn markdown(drills: &[Drill]) -> String {
    let kept = drills.iter().filter(|drill| drill.is_kept).count();
    let mut out = format!(
        "# Drills\n\n{kept} of {} are kept: simulated and live, every run passed, and recovery was as promised.\n\n\
         RTO counts from when the operator acts until the cluster is whole; RPO is confirmed transactions lost. Of several \
         runs the worst is shown.\n\n",
        plural(drills.len(), "promise")
    );
    let head = ["disaster", "promised", "scenario"].into_iter().chain(BACKENDS.map(|(_, name)| name)).chain(["kept"]);
    let rows: Vec<Vec<String>> = drills.iter().map(row).collect();
    table(&mut out, &head.collect::<Vec<_>>(), &rows);
    out
}

fn row(drill: &Drill) -> Vec<String> {
    let Promise { name, scenario, rto, rpo } = &drill.promise;
    let mut cells = vec![escape(name), format!("RTO {}, RPO {rpo}", seconds(*rto)), escape(scenario)];
    cells.extend(BACKENDS.iter().map(|(backend, _)| {
        let outcome = drill.outcomes.iter().find(|outcome| outcome.backend == *backend);
        outcome.map_or_else(|| "–".to_owned(), measured)
    }));
    cells.push(if drill.is_kept { "yes" } else { "**no**" }.to_owned());
    cells
}

fn measured(outcome: &Outcome) -> String {
    let Outcome { runs, passed, rto, rpo, .. } = outcome;
    let rto = rto.map_or_else(|| "**not recovered**".to_owned(), seconds);
    let runs = plural(*runs, "run");
    let failed =
        if *passed == outcome.runs { String::new() } else { format!(", **{} failed**", outcome.runs - passed) };
    format!("RTO {rto}, RPO {rpo} ({runs}{failed})")
}
