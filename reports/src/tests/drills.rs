//! Promises against measurements.

use super::fixture;
use crate::{
    Record, Verdict,
    drills::{Promise, hold, markdown},
};

fn promise(scenario: &str, rto: f64) -> Promise {
    Promise { name: format!("A drill of {scenario}"), scenario: scenario.into(), rto, rpo: 0 }
}

fn run(backend: &str, rto: Option<f64>) -> Record {
    let mut record = Record { backend: backend.into(), ..fixture::passed() };
    record.recovery[0].rto = rto;
    record
}

#[test]
fn the_page_shows_the_worst_of_each_back_end() {
    let records =
        [run("sim", Some(1.5)), run("sim", Some(4.0)), run("process", Some(130.0)), run("compose", Some(7.0))];
    let drills = hold(vec![promise("partition-heal", 300.0), promise("never-played", 300.0)], &records);
    assert_eq!(drills.iter().map(|drill| drill.is_kept).collect::<Vec<_>>(), [true, false]);
    insta::assert_snapshot!(markdown(&drills));
}

#[test]
fn a_promise_is_broken_by_time_loss_failure_and_silence() {
    let kept = |records: &[Record]| hold(vec![promise("partition-heal", 100.0)], records)[0].is_kept;
    let good = [run("sim", Some(1.0)), run("process", Some(2.0))];
    assert!(kept(&good));
    assert!(!kept(&good[..1]), "nobody played it live");
    assert!(!kept(&good[1..]), "nobody simulated it");
    let with = |change: fn(&mut Record)| {
        let mut records = good.clone();
        change(&mut records[1]);
        kept(&records)
    };
    assert!(!with(|record| record.recovery[0].rto = Some(101.0)));
    assert!(!with(|record| record.recovery[0].rto = None));
    assert!(!with(|record| record.workload.lost = 1));
    assert!(!with(|record| record.verdict = Verdict::Violated));
}
