//! Simulated and live runs side by side: what agrees, what is a finding, and what cannot be compared.

use super::fixture;
use crate::{
    Record,
    parity::{self, ParityError, ParityRecord},
};
use insta::assert_snapshot;

/// The run of a seed that was detected and recovered from after so long.
fn run(backend: &str, seed: u64, detect: Option<f64>, rto: f64, confirmed: u64) -> Record {
    let mut record = fixture::passed();
    (record.backend, record.seed) = (backend.into(), seed);
    (record.recovery[0].detect, record.recovery[0].rto) = (detect, Some(rto));
    record.workload.confirmed = confirmed;
    record
}

fn simulated() -> Vec<Record> {
    let mut all =
        vec![run("sim", 0, Some(4.0), 1.0, 250), run("sim", 1, Some(9.0), 3.0, 252), run("sim", 2, None, 7.0, 251)];
    all.extend((3..10).map(|seed| run("sim", seed, Some(5.0), 2.0, 251)));
    all
}

#[test]
fn what_lies_within_the_spread_agrees() {
    let live = [run("process", 0, Some(10.5), 8.9, 251), run("process", 1, None, 1.0, 250)];
    let record = ParityRecord::new(&simulated(), &live).expect("they belong together");
    assert_eq!(record.findings, Vec::<String>::new());
    assert!(
        parity::markdown(&record)
            .contains("What is live lies within what was simulated, but for what chance explains.")
    );
    let read = ParityRecord::read(parity::json(&record).as_bytes()).expect("it was written a line above");
    assert_eq!(read, record);
}

#[test]
fn what_does_not_is_a_finding() {
    let mut live = [run("process", 0, Some(25.0), 9.1, 249), run("process", 1, Some(26.0), 2.0, 253)];
    live[1].failure = Some("agreement violated at 0:41.5".into());
    live[1].verdict = crate::Verdict::Violated;
    let record = ParityRecord::new(&simulated(), &live).expect("they belong together");
    assert_snapshot!(parity::line(&record), @"partition-heal: 7 of 9 figures agree between 10 simulated runs and 2 live runs on process, 4 findings");
    assert_snapshot!("parity_markdown", parity::markdown(&record));
}

#[test]
fn runs_of_another_kind_are_refused() {
    let live = [run("process", 0, None, 1.0, 250)];
    assert_eq!(ParityRecord::new(&simulated(), &[]), Err(ParityError::Empty));
    assert_eq!(ParityRecord::new(&live, &live), Err(ParityError::Backend("process".into())));
    let mut other = live.clone();
    other[0].scenario = "steady".into();
    let refused = ParityRecord::new(&simulated(), &other).expect_err("it is another scenario");
    assert_eq!(refused.to_string(), "runs of partition-heal and of steady cannot be compared");
}
