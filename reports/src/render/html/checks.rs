//! What supports the verdict: faults and recovery, invariants, expectations and alerts.

use maud::{Markup, html};

use super::{Tone, badge, table};
use crate::figures::{blast, expectations as expectations_by_weight, invariants as invariants_by_weight};
use crate::parts::{Fault, InvariantStatus};
use crate::record::Record;
use crate::text::{clock_fine, count, plural, seconds};

/// Each fault with what it did and how the cluster came back.
pub(super) fn recovery(record: &Record) -> Markup {
    let head = [
        ("Fault", ""),
        ("Planned", "n"),
        ("Applied", "n"),
        ("Ended", "n"),
        ("Detected", "n"),
        ("RTO", "n"),
        ("RPO", "n"),
        ("Others", ""),
    ];
    html! {
        section #recovery {
            h2 { "Faults and recovery" }
            @if record.faults.is_empty() {
                p.note { "No fault was planned." }
            } @else {
                p.note {
                    "Detected: from the fault until the cluster showed it. RTO: from its end until the cluster was "
                    "whole. RPO: confirmed transactions lost. Others: the longest time that a node which the fault did not "
                    "touch had no new head, and in brackets that before the first fault."
                }
                (table(&head, html! { @for fault in &record.faults { (fault_row(record, fault)) } }))
            }
        }
    }
}

fn fault_row(record: &Record, fault: &Fault) -> Markup {
    let recovery = record.recovery.iter().find(|it| it.fault == fault.id);
    html! {
        tr {
            td.what {
                b { (fault.kind) } " " span.muted { (fault.id) @if fault.line > 0 { " · line " (fault.line) } }
                p { (fault.target.join(" ")) @if !fault.detail.is_empty() { span.muted { " · " (fault.detail) } } }
            }
            td.n { (clock_fine(fault.planned_at)) }
            td.n {
                @match fault.applied_at {
                    Some(at) => (clock_fine(at)),
                    None => (badge(Tone::Bad, "never fired")),
                }
            }
            td.n { (ended(fault)) }
            @match recovery {
                Some(it) => {
                    td.n { (it.detect.map_or("–".into(), seconds)) }
                    td.n {
                        @match it.rto {
                            Some(rto) => b { (seconds(rto)) },
                            None => (badge(Tone::Bad, "not recovered")),
                        }
                    }
                    td.n { @if it.rpo > 0 { (badge(Tone::Bad, &count(it.rpo))) } @else { "0" } }
                }
                None => { td.n { "–" } td.n { "–" } td.n { "–" } }
            }
            td.nowrap { (others(record, fault)) }
        }
    }
}

/// The fault's blast radius.
fn others(record: &Record, fault: &Fault) -> String {
    let Some(blast) = blast(record, fault) else { return "–".to_owned() };
    let usual = blast.usual.map_or_else(String::new, |usual| format!(" ({})", seconds(usual)));
    format!("{}: {}{usual}", plural(blast.nodes, "node"), seconds(blast.stood_still))
}

fn ended(fault: &Fault) -> String {
    match (fault.applied_at, fault.ended_at) {
        (_, Some(at)) => clock_fine(at),
        (Some(_), None) => "at the end".to_owned(),
        (None, None) => "–".to_owned(),
    }
}

/// Each invariant with its number of checks, the violated first.
pub(super) fn invariants(record: &Record) -> Markup {
    let head = [("Invariant", ""), ("Status", ""), ("Checks", "n")];
    let rows = html! {
        @for it in invariants_by_weight(record) {
            tr {
                td.what { b { (it.name) } p.muted { (it.detail) } }
                td.nowrap {
                    @match it.status {
                        InvariantStatus::Held => (badge(Tone::Good, "held")),
                        InvariantStatus::NotChecked => (badge(Tone::Neutral, "not checked")),
                        InvariantStatus::Violated => {
                            (badge(Tone::Bad, "violated")) @if let Some(at) = it.at { p { "at " (clock_fine(at)) } }
                        }
                    }
                }
                td.n { (count(it.checks)) }
            }
        }
    };
    html! {
        section #invariants {
            h2 { "Invariants" }
            @if record.invariants.is_empty() { p.note { "None was checked." } } @else { (table(&head, rows)) }
        }
    }
}

/// Each expectation of the scenario, the unmet first.
pub(super) fn expectations(record: &Record) -> Markup {
    let head = [("Expectation", ""), ("Status", ""), ("Expected", ""), ("Actual", ""), ("Left", "n")];
    let rows = html! {
        @for it in expectations_by_weight(record) {
            tr {
                td { b { (it.name) } @if let Some(line) = it.line { " " span.muted.nowrap { "line " (line) } } }
                td.nowrap { (met(it.met)) }
                td { (it.expected) }
                td { (it.actual) }
                td.n { (it.margin.map_or_else(|| "–".to_owned(), margin)) }
            }
        }
    };
    html! {
        @if !record.expectations.is_empty() {
            section #expectations {
                h2 { "Expectations" }
                p.note { "Left: the share of the bound that was not used up." }
                (table(&head, rows))
            }
        }
    }
}

/// Each alert with what to think of it.
pub(super) fn alerts(record: &Record) -> Markup {
    let head = [("Alert", ""), ("Status", ""), ("Severity", ""), ("Due", "n"), ("First fired", "n"), ("Last", "n")];
    let time = |at: Option<f64>| at.map_or_else(|| "–".to_owned(), clock_fine);
    let rows = html! {
        @for it in &record.alerts {
            @let status = it.status();
            tr {
                td { b { (it.name) } }
                td.nowrap { (badge(if status.is_good() { Tone::Good } else { Tone::Bad }, status.as_str())) }
                td { (it.severity) }
                @for at in [it.due, it.fired_at, it.fired_until] { td.n { (time(at)) } }
            }
        }
    };
    html! {
        @if !record.alerts.is_empty() {
            section #alerts {
                h2 { "Alerts" }
                p.note { "What the shipped rules make of the metrics of this run, by Prometheus's own engine." }
                (table(&head, rows))
            }
        }
    }
}

fn margin(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

fn met(met: bool) -> Markup {
    if met { badge(Tone::Good, "met") } else { badge(Tone::Bad, "not met") }
}
