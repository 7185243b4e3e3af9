//! `assay testnet load`.

use super::{
    open, say_json,
    table::{Cell, table},
    terminal::{Line, in_color, interrupted},
};
use crate::{failure::Failure, output::say, testnet_args::LoadArgs};
use assay_testnet::net::{Load, LoadProgress, LoadReport, Quantiles};

/// The API's code for a transfer behind too many others of its account.
const TOO_FAR: &str = "nonce_too_far";

/// Runs the command.
pub async fn main(args: &LoadArgs) -> Result<u8, Failure> {
    let net = open(&args.net)?;
    let line = Line::new(args.net.dir.json);
    let seconds = args.time.as_secs();
    let mut tell = |progress: &LoadProgress| {
        let (counts, at) = (&progress.counts, progress.elapsed.as_secs());
        let what =
            if progress.is_waiting { "waiting for confirmations".to_owned() } else { format!("{at} of {seconds} s") };
        line.show(format!(
            "{what}: {} acknowledged, {} refused, {} unknown, {} confirmed",
            counts.acknowledged, counts.refused, counts.unknown, counts.confirmed
        ));
    };
    let load = Load { rate: args.rate, time: args.time };
    let report = net.load(load, interrupted(), &mut tell).await?;
    drop(line);
    if args.net.dir.json {
        say_json(&report);
    } else {
        say(text(&report, in_color()).trim_end());
    }
    Ok(u8::from(report.counts.acknowledged == 0))
}

fn text(report: &LoadReport, in_color: bool) -> String {
    let LoadReport { rate, seconds, due, late, counts, refusals, answer, confirmation } = report;
    let mut text = format!("{due} transfers were due, {rate} a second for {seconds:.1} s\n\n");
    let why: Vec<_> = refusals.iter().map(|(code, count)| format!("{count} {code}")).collect();
    let lines = [
        ("acknowledged", counts.acknowledged, String::new()),
        ("refused", counts.refused, why.join(", ")),
        ("not sent", counts.not_sent, "no node took the connection".into()),
        ("unknown", counts.unknown, "sent, and not answered".into()),
        ("late", *late, "all accounts waited for answers".into()),
        ("confirmed", counts.confirmed, "of those acknowledged or unknown".into()),
        ("not confirmed", counts.unconfirmed, "yet, or never: their node lost them, or took another one".into()),
        ("not followed", counts.not_followed, "too many at a time".into()),
    ];
    for (name, count, note) in lines {
        let is_shown = count > 0 || ["acknowledged", "refused", "unknown", "confirmed"].contains(&name);
        let note = if count == 0 || note.is_empty() { String::new() } else { format!("  {note}") };
        if is_shown {
            text += &format!("{name:13} {count:>8}{note}\n");
        }
    }
    if refusals.contains_key(TOO_FAR) {
        text +=
            "accounts had all the transfers waiting that one may have: 'assay testnet up --accounts N' makes more\n";
    }
    let row = |name: &str, quantiles: &Quantiles| {
        let times = [quantiles.p50_ms, quantiles.p90_ms, quantiles.p99_ms, quantiles.max_ms].map(time).map(Cell::new);
        [Cell::new(name), Cell::new(quantiles.count)].into_iter().chain(times).collect::<Vec<_>>()
    };
    let latencies = [("acknowledged", answer), ("confirmed", confirmation)];
    let rows: Vec<_> = latencies.iter().filter_map(|(name, it)| Some(row(name, it.as_ref()?))).collect();
    if rows.is_empty() {
        return text;
    }
    text + "\n" + &table(&["due until", "count", "p50", "p90", "p99", "max"], &rows, in_color)
}

/// Milliseconds as people read them.
fn time(millis: f64) -> String {
    match millis {
        ..100.0 => format!("{millis:.1} ms"),
        100.0..1000.0 => format!("{millis:.0} ms"),
        _ => format!("{:.1} s", millis / 1000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_tells_what_there_was_and_nothing_else() {
        let quantiles = |scale: f64| Quantiles {
            count: 498,
            p50_ms: 2.34 * scale,
            p90_ms: 4.0 * scale,
            p99_ms: 11.0 * scale,
            max_ms: 312.0 * scale,
        };
        let json = r#"{"acknowledged": 498, "refused": 1, "not_sent": 0, "unknown": 1, "confirmed": 498, "unconfirmed": 1, "not_followed": 0}"#;
        let report = LoadReport {
            rate: 50,
            seconds: 10.0,
            due: 500,
            late: 0,
            counts: serde_json::from_str(json).expect("they are counts"),
            refusals: [("nonce_used".to_owned(), 1)].into(),
            answer: Some(quantiles(1.0)),
            confirmation: Some(quantiles(1000.0)),
        };
        insta::assert_snapshot!(text(&report, false), @r"
        500 transfers were due, 50 a second for 10.0 s

        acknowledged       498
        refused              1  1 nonce_used
        unknown              1  sent, and not answered
        confirmed          498  of those acknowledged or unknown
        not confirmed        1  yet, or never: their node lost them, or took another one

        due until     count     p50     p90      p99      max
        acknowledged    498  2.3 ms  4.0 ms  11.0 ms   312 ms
        confirmed       498   2.3 s   4.0 s   11.0 s  312.0 s
        ");
    }
}
