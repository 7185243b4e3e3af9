//! Verdict and key figures.

use maud::{Markup, html};

use super::Tone;
use crate::figures::{Figures, Rto, sentence};
use crate::record::{Record, Verdict};
use crate::text::{clock, count, seconds};

/// The verdict, big and coloured, with one sentence on what happened.
pub(super) fn verdict(record: &Record) -> Markup {
    let sign = if record.verdict == Verdict::Passed { "✓" } else { "✗" };
    html! {
        header.verdict.(record.verdict.as_str()) {
            p.scenario { (record.scenario) " " span { "seed " (record.seed) } }
            h1 { span.sign aria-hidden="true" { (sign) } (word(record.verdict)) }
            p.sentence { (sentence(record)) }
            @if !record.about.is_empty() { p.about { (record.about) } }
            p.meta {
                span { "backend " b { (record.backend) } }
                span { "revision " code { (record.git_rev) } }
                span { "trace " code { (record.trace_hash) } }
            }
        }
    }
}

/// A verdict as a heading.
pub(crate) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "Passed",
        Verdict::Violated => "Violated",
        Verdict::Infrastructure => "Infrastructure failure",
        Verdict::Nondeterministic => "Nondeterministic",
    }
}

/// The key figures: time and faults in the first row, the chain and its transactions in the second.
pub(super) fn cards(record: &Record) -> Markup {
    let figures = Figures::of(record);
    let load = &record.workload;
    html! {
        section.cards aria-label="Key figures" {
            (card("Virtual time", &clock(record.virtual_seconds), &format!("in {} of wall time", seconds(record.wall_seconds)), Tone::Neutral))
            (card("Speed", &figures.speed_text(), "virtual seconds per wall second", Tone::Neutral))
            (faults(record))
            (recovery(record, figures.rto_worst))
            (card("Chain height", &count(figures.height), &chain(&figures), Tone::Neutral))
            (card("Deepest reorg", &count(figures.reorg_depth_max), "blocks undone at once", Tone::Neutral))
            (card("Confirmed", &count(load.confirmed), &format!("of {} transactions", count(load.submitted)), Tone::Neutral))
            (card("Lost", &count(load.lost), "confirmed transactions", if load.lost == 0 { Tone::Good } else { Tone::Bad }))
        }
    }
}

fn chain(figures: &Figures) -> String {
    format!("{} confirmed, {} produced", count(figures.confirmed_height), count(figures.blocks_produced))
}

fn faults(record: &Record) -> Markup {
    let applied = record.faults.iter().filter(|it| it.applied_at.is_some()).count();
    let missing = record.faults.len() - applied;
    match (applied, missing) {
        (0, 0) => card("Faults", "none", "planned", Tone::Neutral),
        (_, 0) => card("Faults", &applied.to_string(), "applied as planned", Tone::Neutral),
        _ => card("Faults", &applied.to_string(), &format!("applied, {missing} never fired"), Tone::Bad),
    }
}

fn recovery(record: &Record, worst: Rto) -> Markup {
    match worst {
        Rto::NoFault if record.faults.is_empty() => {
            card("Worst recovery", "–", "nothing to recover from", Tone::Neutral)
        }
        Rto::NoFault => card("Worst recovery", "–", "not measured", Tone::Neutral),
        Rto::Seconds(rto) => card("Worst recovery", &seconds(rto), "from a fault's end", Tone::Neutral),
        Rto::NotRecovered => card("Worst recovery", "never", "not whole by the end", Tone::Bad),
    }
}

fn card(name: &str, value: &str, hint: &str, tone: Tone) -> Markup {
    let class = match tone {
        Tone::Good => "card good",
        Tone::Bad => "card bad",
        Tone::Neutral => "card",
    };
    html! {
        div class=(class) { p.name { (name) } p.value { (value) } p.hint { (hint) } }
    }
}
