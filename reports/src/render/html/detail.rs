//! Workload, nodes, timeline, trace, scenario and the reproducing command.

use maud::{Markup, html};

use super::{Tone, badge, table};
use crate::parts::Event;
use crate::record::Record;
use crate::text::{clock_fine, count, short};

/// Timelines up to this length are shown open.
const TIMELINE_OPEN_MAX: usize = 30;

/// Most timeline entries on the page; the record holds them all.
const TIMELINE_MAX: usize = 2000;

/// What became of the submitted transactions.
pub(super) fn workload(record: &Record) -> Markup {
    let load = &record.workload;
    let head = ["Submitted", "Acknowledged", "Rejected", "Unknown", "Confirmed", "Lost"].map(|name| (name, "n"));
    let rows = html! {
        tr {
            @for value in [load.submitted, load.acknowledged, load.rejected, load.unknown, load.confirmed] {
                td.n { (count(value)) }
            }
            td.n { (badge(if load.lost == 0 { Tone::Good } else { Tone::Bad }, &count(load.lost))) }
        }
    };
    html! {
        section #workload {
            h2 { "Workload" }
            p.note { "Transactions by outcome. Unknown: the request broke off, so the node may have accepted it." }
            (table(&head, rows))
        }
    }
}

/// The nodes as they were at the end.
pub(super) fn nodes(record: &Record) -> Markup {
    let head = [
        ("Node", ""),
        ("Height", "n"),
        ("Confirmed", "n"),
        ("Head", ""),
        ("Peers", "n"),
        ("Restarts", "n"),
        ("Produced", "n"),
        ("Reorgs", "n"),
        ("Deepest", "n"),
    ];
    let rows = html! {
        @for node in &record.nodes {
            tr {
                td { b { (node.name) } }
                td.n { (count(node.height)) }
                td.n { (count(node.confirmed_height)) }
                td { code title=(node.head) { (short(&node.head)) } }
                @for value in [node.peers, node.restarts, node.blocks_produced, node.reorgs, node.reorg_depth_max] {
                    td.n { (count(value)) }
                }
            }
        }
    };
    html! {
        @if !record.nodes.is_empty() {
            section #nodes { h2 { "Nodes at the end" } (table(&head, rows)) }
        }
    }
}

/// What happened, in order of time. In a long timeline, the blocks and what goes beyond the bounds are folded.
pub(super) fn timeline(record: &Record) -> Markup {
    let total = record.timeline.len();
    let routine = record.timeline.iter().filter(|event| event.is_routine()).count();
    let notable = total - routine;
    html! {
        section #timeline {
            h2 { "Timeline" }
            @if total == 0 {
                p.note { "Nothing was recorded." }
            } @else if total <= TIMELINE_OPEN_MAX {
                (events(record.timeline.iter()))
            } @else {
                @if (1..=TIMELINE_OPEN_MAX).contains(&notable) {
                    p.note { "Blocks are left out." }
                    (events(record.timeline.iter().filter(|event| !event.is_routine())))
                }
                details {
                    summary { "All " (count(total as u64)) " events" }
                    (events(record.timeline.iter().take(TIMELINE_MAX)))
                    @if total > TIMELINE_MAX { p.note { (total - TIMELINE_MAX) " more are in report.json." } }
                }
            }
        }
    }
}

fn events<'a>(events: impl Iterator<Item = &'a Event>) -> Markup {
    let rows = html! {
        @for event in events {
            tr {
                td.n { (clock_fine(event.at)) }
                td { @match &event.host { Some(host) => b { (host) }, None => span.muted { "all" } } }
                td.nowrap { (event.kind) }
                td.long { (event.detail) }
            }
        }
    };
    table(&[("Time", "n"), ("Host", ""), ("Event", ""), ("Detail", "")], rows)
}

/// Trace hashes, to compare two runs of a seed.
pub(super) fn trace(record: &Record) -> Markup {
    let head = [("Host", ""), ("Subsystem", ""), ("Events", "n"), ("Hash", "")];
    let rows = html! {
        @for it in &record.trace {
            tr { td { b { (it.host) } } td { (it.subsystem) } td.n { (count(it.events)) } td { code { (short(&it.hash)) } } }
        }
    };
    html! {
        section #trace {
            h2 { "Trace" }
            p.note { "Equal hashes mean equal runs, event by event. Whole run: " code { (record.trace_hash) } }
            @if !record.trace.is_empty() {
                details { summary { (record.trace.len()) " hashes by host and subsystem" } (table(&head, rows)) }
            }
        }
    }
}

/// The file of the scenario.
pub(super) fn scenario(record: &Record) -> Markup {
    html! {
        @if let Some(file) = &record.scenario_file {
            section #scenario {
                h2 { "Scenario" }
                details { summary { (file.name) } pre { code { (file.text) } } }
            }
        }
    }
}

/// The command that runs it again.
pub(super) fn reproduce(record: &Record) -> Markup {
    html! {
        section #reproduce { h2 { "Reproduce" } pre { code { (record.reproduce) } } }
    }
}
