//! `junit.xml`: one test case for the verdict and one per invariant, expectation and fault.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::figures::sentence;
use crate::parts::{Expectation, Fault, Invariant, InvariantStatus};
use crate::record::{Record, Verdict};
use crate::text::clock_fine;

/// The record as JUnit XML. The suite's time is wall time. A fault that never fired is a failure, an invariant that was
/// not checked is skipped, and a run that could not be carried out is an error rather than a failure.
pub fn junit(record: &Record) -> String {
    let mut suite = TestSuite::new(format!("{} seed {}", record.scenario, record.seed));
    suite.set_time(duration(record.wall_seconds));
    for (name, value) in [
        ("seed", record.seed.to_string()),
        ("backend", record.backend.clone()),
        ("git_rev", record.git_rev.clone()),
        ("virtual_seconds", format!("{:.3}", record.virtual_seconds)),
        ("trace_hash", record.trace_hash.clone()),
        ("reproduce", record.reproduce.clone()),
    ] {
        suite.add_property((name, value.as_str()));
    }
    suite.add_test_case(verdict(record));
    suite.add_test_cases(record.invariants.iter().map(|it| invariant(record, it)));
    suite.add_test_cases(record.expectations.iter().map(|it| expectation(record, it)));
    suite.add_test_cases(record.faults.iter().map(|it| fault(record, it)));
    let mut report = Report::new("assay");
    report.set_time(duration(record.wall_seconds));
    report.add_test_suite(suite);
    report.to_string().expect("XML is written to memory and all text is escaped")
}

/// Seconds as a duration; zero for what no clock can show.
pub(crate) fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO)
}

fn verdict(record: &Record) -> TestCase {
    let status = match record.verdict {
        Verdict::Passed => TestCaseStatus::success(),
        Verdict::Violated => bad(NonSuccessKind::Failure, "violated", sentence(record), &record.reproduce),
        Verdict::Infrastructure => bad(NonSuccessKind::Error, "infrastructure", sentence(record), &record.reproduce),
        Verdict::Nondeterministic => {
            bad(NonSuccessKind::Error, "nondeterministic", sentence(record), &record.reproduce)
        }
    };
    case(record, "run", "verdict", status)
}

fn invariant(record: &Record, it: &Invariant) -> TestCase {
    let status = match it.status {
        InvariantStatus::Held => TestCaseStatus::success(),
        InvariantStatus::NotChecked => {
            let mut skipped = TestCaseStatus::skipped();
            skipped.set_message("never evaluated");
            skipped
        }
        InvariantStatus::Violated => {
            let at = it.at.map_or(String::new(), |at| format!("at {}: ", clock_fine(at)));
            bad(NonSuccessKind::Failure, "violated", format!("{at}{}", it.detail), &record.reproduce)
        }
    };
    let mut case = case(record, "invariant", &it.name, status);
    if let Ok(checks) = usize::try_from(it.checks) {
        case.set_assertions(checks);
    }
    case
}

fn expectation(record: &Record, it: &Expectation) -> TestCase {
    let status = match it.met {
        true => TestCaseStatus::success(),
        false => {
            let line = it.line.map_or(String::new(), |line| format!(" (scenario line {line})"));
            let why = format!("expected {}, got {}{line}", it.expected, it.actual);
            bad(NonSuccessKind::Failure, "not_met", why, &record.reproduce)
        }
    };
    case(record, "expectation", &it.name, status)
}

fn fault(record: &Record, it: &Fault) -> TestCase {
    let status = match it.applied_at {
        Some(_) => TestCaseStatus::success(),
        None => {
            let why = format!("planned at {}, never fired (scenario line {})", clock_fine(it.planned_at), it.line);
            bad(NonSuccessKind::Failure, "never_fired", why, &record.reproduce)
        }
    };
    case(record, "fault", &format!("{} {}", it.id, it.kind), status)
}

fn bad(kind: NonSuccessKind, class: &str, why: String, reproduce: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(class).set_description(format!("{why}\nreproduce: {reproduce}")).set_message(why);
    status
}

fn case(record: &Record, group: &str, name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(name, status);
    case.set_classname(format!("{}.{group}", record.scenario));
    case
}
