//! What a Prometheus server scrapes from the nodes of a run, at regular times: the file `metrics.json` beside the record.

mod series;

use crate::record::ReadError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Seconds between two scrapes: as seldom as the shipped rules allow.
pub const INTERVAL: u64 = 15;
/// The job of all nodes, as in that configuration.
pub const JOB: &str = "assay-node";
/// Series of one node, at most. What a node has more of is left out, and counted.
pub const SERIES_MAX: usize = 2000;
/// The file's name.
pub const FILE: &str = "metrics.json";

/// What is known of all series of a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    /// `counter`, `gauge` or `histogram`.
    pub kind: String,
    /// What it is.
    pub help: String,
}

/// One series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scraped {
    /// Its name.
    pub name: String,
    /// Its labels, with those of the target: `job`, `instance` and `chain`.
    pub labels: BTreeMap<String, String>,
    /// Its value in each scrape; none where the node did not answer or did not have it.
    pub values: Vec<Option<f64>>,
}

/// All scrapes of a run. Scrape number `n` is made `n * interval` seconds after the run began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scrapes {
    /// Seconds between two.
    pub interval: u64,
    /// How many there are.
    pub count: usize,
    /// The families, by name.
    pub families: BTreeMap<String, Family>,
    /// The series, by name and labels.
    pub series: Vec<Scraped>,
    /// Series that were left out.
    pub left_out: u64,
}

impl Scrapes {
    /// Reads `metrics.json`.
    ///
    /// # Errors
    /// [`ReadError::Malformed`].
    pub fn read(bytes: &[u8]) -> Result<Self, ReadError> {
        Ok(serde_json::from_slice(bytes)?)
    }

    /// The text of `metrics.json`.
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("it is JSON") + "\n"
    }

    /// Everything as OpenMetrics, for `promtool tsdb create-blocks-from openmetrics`. The run begins at `start`, in seconds
    /// since 1970.
    pub fn openmetrics(&self, start: u64) -> String {
        let mut text = String::new();
        for family in self.by_family() {
            let (name, Family { kind, help }) = family.0;
            text += &format!("# TYPE {name} {kind}\n# HELP {name} {}\n", escape(help));
            for series in family.1 {
                let labels = labels(&series.labels);
                for (n, value) in series.values.iter().enumerate() {
                    let at = start + n as u64 * self.interval;
                    text.extend(value.map(|value| format!("{}{labels} {} {at}\n", series.name, number(value))));
                }
            }
        }
        text + "# EOF\n"
    }

    /// The families that have series, each with its series. `up`, which the server itself adds, is one of them.
    fn by_family(&self) -> impl Iterator<Item = ((&str, &Family), Vec<&Scraped>)> {
        let mut all: BTreeMap<&str, (&Family, Vec<&Scraped>)> = BTreeMap::new();
        for series in &self.series {
            let own = |name: &str| {
                ["", "_total", "_bucket", "_sum", "_count"].iter().any(|end| series.name == format!("{name}{end}"))
            };
            if let Some((name, family)) = self.families.iter().find(|(name, _)| own(name)) {
                all.entry(name).or_insert_with(|| (family, Vec::new())).1.push(series);
            }
        }
        all.into_iter().map(|(name, (family, series))| ((name, family), series))
    }
}

/// A label set in braces; nothing when it is empty.
pub(crate) fn labels(labels: &BTreeMap<String, String>) -> String {
    if labels.is_empty() {
        return String::new();
    }
    let all: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escape(value))).collect();
    format!("{{{}}}", all.join(","))
}

/// A number as Prometheus reads it.
pub(crate) fn number(value: f64) -> String {
    match value {
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        value => value.to_string(),
    }
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

type Key = (String, BTreeMap<String, String>);

/// Takes scrapes in as they are made.
#[derive(Clone, Debug)]
pub struct Scraper {
    interval: u64,
    chain: String,
    count: usize,
    families: BTreeMap<String, Family>,
    series: BTreeMap<Key, Vec<Option<f64>>>,
    /// Series by node.
    held: BTreeMap<String, usize>,
    left_out: u64,
}

impl Scraper {
    /// None yet, `interval` seconds apart, of nodes of one `chain`: its label.
    pub fn new(interval: u64, chain: &str) -> Self {
        let up = Family { kind: "gauge".into(), help: "Whether the scrape was answered.".into() };
        Self {
            interval,
            chain: chain.to_owned(),
            count: 0,
            families: BTreeMap::from([("up".to_owned(), up)]),
            series: BTreeMap::new(),
            held: BTreeMap::new(),
            left_out: 0,
        }
    }

    /// The next scrape begins.
    pub fn begin(&mut self) {
        self.count += 1;
    }

    /// Whether `instance` has answered this one.
    pub fn up(&mut self, instance: &str, is_up: bool) {
        self.sample(instance, "up", &BTreeMap::new(), f64::from(u8::from(is_up)));
    }

    /// A family that a node has.
    pub fn family(&mut self, name: &str, kind: &str, help: &str) {
        if !self.families.contains_key(name) {
            self.families.insert(name.to_owned(), Family { kind: kind.to_owned(), help: help.to_owned() });
        }
    }

    /// A sample of this scrape.
    ///
    /// # Panics
    /// When no scrape has begun.
    pub fn sample(&mut self, instance: &str, name: &str, labels: &BTreeMap<String, String>, value: f64) {
        let now = self.count.checked_sub(1).expect("a scrape has begun");
        let mut labels = labels.clone();
        let target = [("instance", instance), ("job", JOB), ("chain", &self.chain)];
        labels.extend(target.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let key = (name.to_owned(), labels);
        let held = self.held.entry(instance.to_owned()).or_default();
        if !self.series.contains_key(&key) {
            if *held == SERIES_MAX {
                self.left_out += 1;
                return;
            }
            *held += 1;
        }
        let values = self.series.entry(key).or_default();
        values.resize(now, None);
        values.push(Some(value));
    }

    /// All of them.
    pub fn finish(self) -> Scrapes {
        let all = self.series.into_iter().map(|((name, labels), mut values)| {
            values.resize(self.count, None);
            Scraped { name, labels, values }
        });
        Scrapes {
            interval: self.interval,
            count: self.count,
            series: all.collect(),
            families: self.families,
            left_out: self.left_out,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none() -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    #[test]
    fn a_node_that_does_not_answer_has_no_values() {
        let mut scraper = Scraper::new(15, "pow");
        for is_up in [true, false, true] {
            scraper.begin();
            scraper.up("n0", is_up);
            if is_up {
                scraper.sample("n0", "assay_blocks_total", &none(), 7.0);
            }
        }
        let scrapes = scraper.finish();
        let of = |name: &str| &scrapes.series.iter().find(|series| series.name == name).expect("it was scraped").values;
        assert_eq!(of("assay_blocks_total"), &[Some(7.0), None, Some(7.0)]);
        assert_eq!(of("up"), &[Some(1.0), Some(0.0), Some(1.0)]);
        assert_eq!(Scrapes::read(scrapes.json().as_bytes()).expect("it was written here"), scrapes);
    }

    #[test]
    fn openmetrics_has_every_family_once_with_times() {
        let mut scraper = Scraper::new(15, "pow");
        let le = |bound: &str| BTreeMap::from([("le".to_owned(), bound.to_owned())]);
        for n in 0..2 {
            scraper.begin();
            scraper.up("n0", true);
            scraper.family("assay_blocks", "counter", "Blocks.");
            scraper.family("assay_wait_seconds", "histogram", "How long \"it\" takes.");
            scraper.sample("n0", "assay_blocks_total", &none(), f64::from(n));
            scraper.sample("n0", "assay_wait_seconds_bucket", &le("0.5"), 1.0);
            scraper.sample("n0", "assay_wait_seconds_bucket", &le("+Inf"), 2.0);
        }
        insta::assert_snapshot!(scraper.finish().openmetrics(1000));
    }

    #[test]
    fn series_of_a_node_are_bounded() {
        let mut scraper = Scraper::new(15, "pow");
        scraper.begin();
        for n in 0..SERIES_MAX + 3 {
            scraper.sample("n0", &format!("series_{n}"), &none(), 1.0);
        }
        scraper.sample("n1", "series_0", &none(), 1.0);
        let scrapes = scraper.finish();
        assert_eq!((scrapes.series.len(), scrapes.left_out), (SERIES_MAX + 1, 3));
    }
}
