//! `report.html`: one file that needs nothing else, on a screen, on paper, in a light or a dark theme.
//!
//! Order: verdict, key figures, plots, then what supports the verdict, and last the command that reproduces the run.
//! maud escapes all text of the record; only the style sheet and the plots are put in as they are.

mod checks;
mod detail;
mod head;

use maud::{DOCTYPE, Markup, PreEscaped, html as markup};

use super::plot::{figures, style};
use crate::record::Record;

pub(crate) use head::word;

const STYLE: &str = include_str!("style.css");

/// The record as a self-contained page.
pub fn html(record: &Record) -> String {
    let title = format!("{}: {} seed {}", record.verdict, record.scenario, record.seed);
    page(
        &title,
        &style(),
        &markup! {
            (head::verdict(record))
            (head::cards(record))
            (plots(record))
            (checks::recovery(record))
            (detail::timeline(record))
            (checks::invariants(record))
            (checks::expectations(record))
            (checks::alerts(record))
            (detail::nodes(record))
            (detail::workload(record))
            (detail::trace(record))
            (detail::scenario(record))
            (detail::reproduce(record))
        },
    )
}

/// A page with the style of all pages and `more` of its own.
pub(crate) fn page(title: &str, more: &str, body: &Markup) -> String {
    let page = markup! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) (PreEscaped(more)) }
            }
            body { main { (body) } }
        }
    };
    page.into_string()
}

fn plots(record: &Record) -> Markup {
    let plots = figures(record);
    markup! {
        @if !plots.is_empty() {
            section #plots {
                h2 { "Over virtual time" }
                p.note {
                    "Faults are shaded"
                    @if record.invariants.iter().any(|it| it.at.is_some()) { ", a red line is a violation" }
                    ". Lines that coincide are drawn side by side. " code { "report.json" } " holds every sample."
                }
                @for plot in plots {
                    figure {
                        div.wide { (PreEscaped(plot.wide.inline())) }
                        div.narrow { (PreEscaped(plot.narrow.inline())) }
                        @if !plot.about.is_empty() { figcaption { (plot.about) } }
                    }
                }
            }
        }
    }
}

/// A table; cells that hold numbers are right-aligned by the class `n` on both header and cell.
fn table(head: &[(&str, &str)], body: Markup) -> Markup {
    markup! {
        div.scroll {
            table {
                thead { tr { @for (name, class) in head { th class=[(!class.is_empty()).then_some(*class)] { (name) } } } }
                tbody { (body) }
            }
        }
    }
}

/// A status with a sign as well as a colour.
fn badge(tone: Tone, text: &str) -> Markup {
    let (class, sign) = match tone {
        Tone::Good => ("good", "✓"),
        Tone::Bad => ("bad", "✗"),
        Tone::Neutral => ("neutral", "–"),
    };
    markup! { span.badge.(class) { (sign) " " (text) } }
}

/// How a value is to be taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tone {
    Good,
    Bad,
    Neutral,
}
