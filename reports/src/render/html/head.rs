//! Verdict and key figures.

use maud::{Markup, html};

use super::Tone;
use crate::figures::{Figures, Rto, sentence};
use crate::record::{Record, Verdict};
use crate::text::{clock, count, seconds};

/// The verdict, big and coloured, with one sentence on what happened.
pub(super) fn verdict(record: &Record) -> Markup {
    let word = match record.verdict {
        Verdict::Passed => "Passed",
        Verdict::Violated => "Violated",
        Verdict::Infrastructure => "Infrastructure failure",
        Verdict::Nondeterministic => "Nondeterministic",
    };
    let sign = if record.verdict == Verdict::Passed { "✓" } else { "✗" };
    html! {
        header.verdict.(record.verdict.as_str()) {
            p.scenario { (record.scenario) " " span { "seed " (record.seed) } }
            h1 { span.sign aria-hidden="true" { (sign) } (word) }
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

/// The key figures.
pub(super) fn cards(record: &Record) -> Markup {
    let figures = Figures::of(record);
    let load = &record.workload;
    let lost = if load.lost == 0 { Tone::Good } else { Tone::Bad };
    let rto = match figures.rto_worst {
        Rto::NotRecovered => Tone::Bad,
        Rto::NoFault | Rto::Seconds(_) => Tone::Neutral,
    };
    let blocks = format!("{} produced, {} confirmed", count(figures.blocks_produced), count(figures.confirmed_height));
    html! {
        section.cards aria-label="Key figures" {
            (card("Virtual time", &clock(record.virtual_seconds), "m:ss simulated", Tone::Neutral))
            (card("Speed", &figures.speed_text(), &format!("in {} of wall time", seconds(record.wall_seconds)), Tone::Neutral))
            (card("Chain height", &count(figures.height), &blocks, Tone::Neutral))
            (card("Confirmed", &count(load.confirmed), &format!("of {} transactions", count(load.submitted)), Tone::Neutral))
            (card("Lost", &count(load.lost), "confirmed transactions", lost))
            (card("Deepest reorg", &count(figures.reorg_depth_max), "blocks undone at once", Tone::Neutral))
            (card("Worst RTO", &figures.rto_worst.text(), "fault's end to whole again", rto))
        }
    }
}

fn card(name: &str, value: &str, note: &str, tone: Tone) -> Markup {
    let class = match tone {
        Tone::Good => "card good",
        Tone::Bad => "card bad",
        Tone::Neutral => "card",
    };
    html! {
        div class=(class) { p.name { (name) } p.value { (value) } p.hint { (note) } }
    }
}
