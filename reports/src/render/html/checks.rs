//! What supports the verdict: faults and recovery, invariants, expectations and alerts.

use maud::{Markup, html};

use super::{Tone, badge, table};
use crate::parts::{Alert, Fault, InvariantStatus};
use crate::record::Record;
use crate::text::{clock_fine, count, seconds};

/// Each fault with what it did and how the cluster came back.
pub(super) fn recovery(record: &Record) -> Markup {
    let head = [
        ("Fault", ""),
        ("Target", ""),
        ("Detail", ""),
        ("Planned", "n"),
        ("From", "n"),
        ("Until", "n"),
        ("Detected", "n"),
        ("RTO", "n"),
        ("RPO", "n"),
    ];
    html! {
        section #recovery {
            h2 { "Faults and recovery" }
            @if record.faults.is_empty() {
                p.note { "No fault was planned." }
            } @else {
                p.note { "RTO: from the fault's end until the cluster was whole. RPO: confirmed transactions lost." }
                (table(&head, html! { @for fault in &record.faults { (fault_row(record, fault)) } }))
            }
        }
    }
}

fn fault_row(record: &Record, fault: &Fault) -> Markup {
    let recovery = record.recovery.iter().find(|it| it.fault == fault.id);
    html! {
        tr {
            td.nowrap {
                b { (fault.kind) } " " span.muted { (fault.id) @if fault.line > 0 { " · line " (fault.line) } }
            }
            td { (fault.target.join(" ")) }
            td { (fault.detail) }
            td.n { (clock_fine(fault.planned_at)) }
            td.n {
                @match fault.applied_at {
                    Some(at) => (clock_fine(at)),
                    None => (badge(Tone::Bad, "never fired")),
                }
            }
            td.n { (fault.ended_at.map_or("–".into(), clock_fine)) }
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
        }
    }
}

/// Each invariant with its number of checks.
pub(super) fn invariants(record: &Record) -> Markup {
    let head = [("Invariant", ""), ("Status", ""), ("Checks", "n"), ("Detail", "")];
    let rows = html! {
        @for it in &record.invariants {
            tr {
                td.nowrap { b { (it.name) } }
                td.nowrap {
                    @match it.status {
                        InvariantStatus::Held => (badge(Tone::Good, "held")),
                        InvariantStatus::NotChecked => (badge(Tone::Neutral, "not checked")),
                        InvariantStatus::Violated => {
                            (badge(Tone::Bad, "violated")) @if let Some(at) = it.at { " at " (clock_fine(at)) }
                        }
                    }
                }
                td.n { (count(it.checks)) }
                td { (it.detail) }
            }
        }
    };
    html! {
        section #invariants { h2 { "Invariants" } (table(&head, rows)) }
    }
}

/// Each expectation of the scenario, and the alerts.
pub(super) fn expectations(record: &Record) -> Markup {
    let head = [("Expectation", ""), ("Status", ""), ("Expected", ""), ("Actual", "")];
    let rows = html! {
        @for it in &record.expectations {
            tr {
                td.nowrap { b { (it.name) } @if let Some(line) = it.line { " " span.muted { "line " (line) } } }
                td.nowrap { (met(it.met)) }
                td { (it.expected) }
                td { (it.actual) }
            }
        }
        @for it in &record.alerts { (alert_row(it)) }
    };
    html! {
        @if !record.expectations.is_empty() || !record.alerts.is_empty() {
            section #expectations { h2 { "Expectations" } (table(&head, rows)) }
        }
    }
}

fn alert_row(alert: &Alert) -> Markup {
    html! {
        tr {
            td.nowrap { b { (alert.name) } " " span.muted { "alert" } }
            td.nowrap { (met(alert.expected == alert.fired_at.is_some())) }
            td { @if alert.expected { "fires" } @else { "silent" } }
            td { (alert.fired_at.map_or("silent".into(), |at| format!("fired at {}", clock_fine(at)))) }
        }
    }
}

fn met(met: bool) -> Markup {
    if met { badge(Tone::Good, "met") } else { badge(Tone::Bad, "not met") }
}
