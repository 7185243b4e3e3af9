//! The language of `promtool test rules`.

use super::{AnswerError, Firing, Rule};
use crate::{
    Alert,
    scrapes::{Scraped, Scrapes, labels, number},
};
use std::collections::BTreeMap;

/// A file for `promtool test rules`.
pub struct TestFile<'a> {
    /// The series.
    pub scrapes: &'a Scrapes,
    /// Names of the rule files, from where `promtool` runs.
    pub rule_files: &'a [String],
    /// The rules' text, which tells which series they need.
    pub rules: &'a str,
}

/// Seconds that one query looks at, at most: `promtool` gives a query up that has more than 10,000 samples in memory, which
/// are forty alerts that fire for as long.
const WINDOW_S: u64 = 3600;

/// The first and the last time at which each alert fires, in each window: questions to which no answer is expected, so that
/// the real answers are told as failures.
pub fn questions(file: &TestFile<'_>) -> String {
    let ask = |which: &str, window: &Window| {
        let expr = format!("{which}_over_time(timestamp(ALERTS{{alertstate=\"firing\"}})[{}])", window.range);
        file.expression(&expr, window.end, &[])
    };
    let windows = file.windows(file.end());
    let all: Vec<_> = windows.iter().flat_map(|window| ["min", "max"].map(|which| ask(which, window))).collect();
    file.render(&all)
}

/// What the scenario expects, as tests that pass: every wanted alert fires in time, and none fires that may not.
pub fn tests(file: &TestFile<'_>, rule: &Rule) -> String {
    let mut all = Vec::new();
    for alert in rule.wanted.iter().filter(|alert| alert.must) {
        let at = alert.by.map_or(file.end(), |by| by.min(file.end()));
        let windows = file.windows(at);
        let fired = |window: &Window| {
            let then = if windows.len() == 1 { String::new() } else { format!(" @ {}", window.end) };
            let Window { range, .. } = window;
            format!("count_over_time(ALERTS{{alertname=\"{}\",alertstate=\"firing\"}}[{range}]{then})", alert.name)
        };
        let fired = windows.iter().map(fired).collect::<Vec<_>>().join(" or ");
        all.push(file.expression(&format!("count({fired}) > bool 0"), at, &[("{}".to_owned(), 1.0)]));
    }
    let known: Vec<_> = rule.wanted.iter().map(|alert| alert.name.as_str()).collect();
    let severity = if rule.no_other { String::new() } else { format!("severity=\"{}\",", Alert::PAGE) };
    let others = format!("ALERTS{{{severity}alertstate=\"firing\",alertname!~\"{}\"}}", known.join("|"));
    all.extend(file.windows(file.end()).iter().map(|window| {
        let expr = format!("count_over_time({others}[{}])", window.range);
        file.expression(&expr, window.end, &[])
    }));
    file.render(&all)
}

/// A part of a run.
struct Window {
    /// When it ends, in seconds since the run began.
    end: u64,
    /// The range of a subquery that reaches back to where it begins.
    range: String,
}

impl TestFile<'_> {
    /// Seconds from the start to the last scrape.
    fn end(&self) -> u64 {
        self.scrapes.count.saturating_sub(1) as u64 * self.scrapes.interval
    }

    /// The run up to `at`, in parts of [`WINDOW_S`] at most, the last one first.
    fn windows(&self, at: u64) -> Vec<Window> {
        let range = |seconds: u64| format!("{seconds}s:{}s", self.scrapes.interval);
        if self.end() < WINDOW_S {
            return vec![Window { end: at, range: range(self.end() + 1) }];
        }
        let ends = (0..=at / WINDOW_S).map(|n| at - n * WINDOW_S);
        ends.map(|end| Window { end, range: range(WINDOW_S) }).collect()
    }

    fn expression(&self, expr: &str, at: u64, expected: &[(String, f64)]) -> String {
        let mut text = format!("  - expr: '{expr}'\n    eval_time: {at}s\n");
        text += match expected {
            [] => "    exp_samples: []\n",
            _ => "    exp_samples:\n",
        };
        text.extend(expected.iter().map(|(labels, value)| format!("    - labels: '{labels}'\n      value: {value}\n")));
        text
    }

    fn render(&self, expressions: &[String]) -> String {
        let interval = self.scrapes.interval;
        let mut text = "rule_files:\n".to_owned();
        text.extend(self.rule_files.iter().map(|file| format!("- {}\n", quoted(file))));
        text += &format!("evaluation_interval: {interval}s\ntests:\n- interval: {interval}s\n  input_series:\n");
        for series in self.scrapes.series.iter().filter(|series| self.is_needed(&series.name)) {
            text += &format!("  - series: {}\n", quoted(&format!("{}{}", series.name, labels(&series.labels))));
            text += &format!("    values: '{}'\n", values(series));
        }
        text += "  promql_expr_test:\n";
        text.extend(expressions.iter().map(String::as_str));
        text
    }

    /// Whether the name stands in the rules as a word.
    fn is_needed(&self, name: &str) -> bool {
        let is_part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':');
        self.rules.match_indices(name).any(|(at, _)| {
            !is_part(self.rules[..at].chars().next_back()) && !is_part(self.rules[at + name.len()..].chars().next())
        })
    }
}

/// A YAML scalar in single quotes.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Values in the notation of `promtool`: equal ones once, with their number. After a scrape without it, a series is stale.
fn values(series: &Scraped) -> String {
    let mut words = Vec::new();
    let mut was_there = false;
    for equal in series.values.chunk_by(|a, b| a == b) {
        match (equal[0], equal.len()) {
            (Some(value), 1) => words.push(number(value)),
            (Some(value), count) => words.push(format!("{}+0x{}", number(value), count - 1)),
            (None, count) if was_there => {
                words.push("stale".to_owned());
                words.extend((count > 1).then(|| format!("_x{}", count - 1)));
            }
            (None, count) => words.push(format!("_x{count}")),
        }
        was_there = equal[0].is_some();
    }
    words.join(" ")
}

/// The alerts in what `promtool` said to [`questions`].
///
/// # Errors
/// [`AnswerError`].
pub fn answers(said: &str) -> Result<Vec<Firing>, AnswerError> {
    let mut found: BTreeMap<BTreeMap<String, String>, (f64, f64)> = BTreeMap::new();
    for line in said.lines().filter_map(|line| line.trim_start().strip_prefix("got:")) {
        let mut rest = line.trim();
        while rest != "nil" && !rest.is_empty() {
            let (labels, value, after) = sample(rest).ok_or_else(|| AnswerError(rest.to_owned()))?;
            let at = found.entry(labels).or_insert((value, value));
            *at = (at.0.min(value), at.1.max(value));
            rest = after.trim_start_matches([',', ' ']);
        }
    }
    let firing = |(mut labels, (from, until)): (BTreeMap<String, String>, (f64, f64))| Firing {
        name: labels.remove("alertname").unwrap_or_default(),
        severity: labels.remove("severity").unwrap_or_default(),
        instance: labels.remove("instance"),
        from,
        until,
    };
    let mut all: Vec<_> = found.into_iter().map(firing).collect();
    all.sort_by(|a, b| {
        a.from.total_cmp(&b.from).then_with(|| a.name.cmp(&b.name)).then_with(|| a.instance.cmp(&b.instance))
    });
    Ok(all)
}

/// The first sample of `{name="value", ...} number` and what comes after it.
fn sample(text: &str) -> Option<(BTreeMap<String, String>, f64, &str)> {
    let mut rest = text.strip_prefix('{')?;
    let mut labels = BTreeMap::new();
    while let Some((name, after)) = rest.split_once("=\"") {
        let (value, after) = string(after)?;
        labels.insert(name.trim_start_matches([',', ' ']).to_owned(), value);
        rest = after;
        if rest.starts_with('}') {
            break;
        }
    }
    let rest = rest.strip_prefix('}')?.trim_start();
    let end = rest.find([',', ' ']).unwrap_or(rest.len());
    Some((labels, rest[..end].parse().ok()?, &rest[end..]))
}

/// A string up to its closing quote, and what comes after that.
fn string(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(chars.next()?.1),
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{alerts::Wanted, scrapes::Scraper};

    fn scrapes() -> Scrapes {
        let mut scraper = Scraper::new(15, "pow");
        for n in 0..6 {
            scraper.begin();
            let is_up = !(2..=3).contains(&n);
            scraper.up("n0", is_up);
            if is_up {
                scraper.sample("n0", "assay_chain_height", &BTreeMap::new(), f64::from(n));
            }
        }
        scraper.finish()
    }

    #[test]
    fn questions_hold_the_series_that_the_rules_need() {
        let scrapes = scrapes();
        let rules = "expr: up == 0 or assay_chain_height_max > 3";
        let file = TestFile { scrapes: &scrapes, rule_files: &["rules.yml".into()], rules };
        insta::assert_snapshot!(questions(&file));
    }

    #[test]
    fn a_series_that_is_not_scraped_is_stale() {
        let scrapes = scrapes();
        let height = scrapes.series.iter().find(|series| series.name == "assay_chain_height").expect("it was scraped");
        assert_eq!(values(height), "0 1 stale _x1 4 5");
        assert_eq!(values(&scrapes.series[1]), "1+0x1 0+0x1 1+0x1");
    }

    #[test]
    fn what_is_expected_becomes_tests() {
        let scrapes = scrapes();
        let file = TestFile { scrapes: &scrapes, rule_files: &["rules.yml".into()], rules: "up" };
        let wanted = [
            Wanted { name: "NodeOffline".into(), must: true, by: Some(60) },
            Wanted { name: "PeersLost".into(), must: false, by: None },
        ];
        let rule = Rule { wanted: wanted.to_vec(), ..Rule::default() };
        insta::assert_snapshot!(tests(&file, &rule));
        let strict = tests(&file, &Rule { no_other: true, ..rule });
        assert!(strict.contains("ALERTS{alertstate=\"firing\",alertname!~\"NodeOffline|PeersLost\"}"), "{strict}");
    }

    #[test]
    fn a_long_run_is_looked_at_in_parts() {
        let mut scraper = Scraper::new(15, "pow");
        (0..600).for_each(|_| {
            scraper.begin();
            scraper.up("n0", true);
        });
        let scrapes = scraper.finish();
        let file = TestFile { scrapes: &scrapes, rule_files: &["rules.yml".into()], rules: "up" };
        let times = |text: &str| {
            let times = text.lines().filter_map(|line| line.trim().strip_prefix("eval_time: "));
            times.map(str::to_owned).collect::<Vec<_>>()
        };
        let asked = questions(&file);
        assert_eq!(times(&asked), ["8985s", "8985s", "5385s", "5385s", "1785s", "1785s"]);
        assert_eq!(asked.matches("[3600s:15s]").count(), 6);
        let wanted = vec![Wanted { name: "NodeDown".into(), must: true, by: Some(3700) }];
        let tests = tests(&file, &Rule { wanted, ..Rule::default() });
        assert_eq!(times(&tests), ["3700s", "8985s", "5385s", "1785s"]);
        assert!(tests.contains("[3600s:15s] @ 3700) or count_over_time(ALERTS{alertname=\"NodeDown\""), "{tests}");
        assert!(tests.contains("[3600s:15s] @ 100)) > bool 0"), "{tests}");
    }

    #[test]
    fn answers_are_read() {
        let said = r#"Unit Testing:  t.yml
  FAILED:
    expr: "min_over_time(...)", time: 10m,
        exp: nil
        got: {alertname="NodeOffline", alertstate="firing", instance="n0", severity="page"} 2.25E+02, {alertname="Odd", note="a \"b\", {c}", severity="info"} 30
    expr: "max_over_time(...)", time: 10m,
        exp: nil
        got: {alertname="NodeOffline", alertstate="firing", instance="n0", severity="page"} 3.15E+02"#;
        let odd = Firing { name: "Odd".into(), severity: "info".into(), instance: None, from: 30.0, until: 30.0 };
        let offline = Firing {
            name: "NodeOffline".into(),
            severity: "page".into(),
            instance: Some("n0".into()),
            from: 225.0,
            until: 315.0,
        };
        assert_eq!(answers(said), Ok(vec![odd, offline]));
        assert_eq!(answers("SUCCESS"), Ok(Vec::new()));
        assert!(answers("   got: {alertname=nonsense").is_err());
    }
}
