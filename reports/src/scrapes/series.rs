//! What a report draws from the metrics of a run, beside what the harness has sampled itself.

use super::{Scraped, Scrapes};
use crate::parts::Series;
use std::collections::BTreeMap;

/// How the samples of a metric become a line.
#[derive(Clone, Copy)]
enum Shape {
    /// As they are, in a unit of so much.
    Gauge(f64),
    /// Their rise since the scrape before, a second.
    Rate,
    /// This quantile of what a histogram has taken in since the scrape before, over all of its label sets.
    Quantile(f64),
    /// How far they are from those of the node in the middle, either way.
    FromMedian,
}

/// A series of the report.
struct Drawn {
    name: &'static str,
    unit: &'static str,
    about: &'static str,
    metric: &'static str,
    shape: Shape,
}

const DRAWN: [Drawn; 10] = [
    Drawn {
        name: "finality_lag",
        unit: "s",
        about: "Time since each node last saw a block confirmed.",
        metric: "assay_chain_confirmed_age_seconds",
        shape: Shape::Gauge(1.0),
    },
    Drawn {
        name: "throughput",
        unit: "transactions/s",
        about: "Transactions in the blocks that each node added to its chain.",
        metric: "assay_transactions_committed_total",
        shape: Shape::Rate,
    },
    Drawn {
        name: "api_latency_median",
        unit: "ms",
        about: "Half of the API's answers took no longer.",
        metric: "assay_http_request_latency_seconds_bucket",
        shape: Shape::Quantile(0.5),
    },
    Drawn {
        name: "api_latency_p95",
        unit: "ms",
        about: "19 of 20 of the API's answers took no longer.",
        metric: "assay_http_request_latency_seconds_bucket",
        shape: Shape::Quantile(0.95),
    },
    Drawn {
        name: "agreement_round",
        unit: "round",
        about: "Round of the agreement on the next block: above 0 while validators do not agree at once.",
        metric: "assay_agreement_round",
        shape: Shape::Gauge(1.0),
    },
    Drawn {
        name: "database",
        unit: "KiB",
        about: "Tables of each node's database.",
        metric: "assay_storage_table_bytes",
        shape: Shape::Gauge(1.0 / 1024.0),
    },
    Drawn {
        name: "memory",
        unit: "MiB",
        about: "Memory that is taken where each node runs, by whichever program.",
        metric: "assay_memory_used_bytes",
        shape: Shape::Gauge(1.0 / 1_048_576.0),
    },
    Drawn {
        name: "memtables",
        unit: "KiB",
        about: "Memory that each node's database holds for what is not in tables yet.",
        metric: "assay_storage_memtable_bytes",
        shape: Shape::Gauge(1.0 / 1024.0),
    },
    Drawn {
        name: "disk_free",
        unit: "MiB",
        about: "Room on each node's disk.",
        metric: "assay_storage_disk_free_bytes",
        shape: Shape::Gauge(1.0 / 1_048_576.0),
    },
    Drawn {
        name: "clock_offset",
        unit: "s",
        about: "How far each node's clock is from the one in the middle, either way.",
        metric: "assay_wall_clock_timestamp_seconds",
        shape: Shape::FromMedian,
    },
];

/// Values of one node, one a scrape.
type Values = Vec<Option<f64>>;

impl Scrapes {
    /// The series that a report draws. One that is zero throughout says nothing and is left out.
    pub fn series(&self) -> BTreeMap<String, Series> {
        let drawn = DRAWN.iter().filter_map(|drawn| {
            let lines: BTreeMap<String, Vec<(f64, f64)>> =
                self.lines(drawn).into_iter().map(|(node, values)| (node, self.timed(&values))).collect();
            let is_told = lines.values().flatten().any(|(_, value)| *value != 0.0);
            let series = Series { unit: drawn.unit.to_owned(), about: drawn.about.to_owned(), lines };
            is_told.then(|| (drawn.name.to_owned(), series))
        });
        drawn.collect()
    }

    fn timed(&self, values: &Values) -> Vec<(f64, f64)> {
        let timed =
            values.iter().enumerate().filter_map(|(n, value)| Some(((n as u64 * self.interval) as f64, (*value)?)));
        // A thousandth is finer than anything that is drawn, and keeps the record short.
        timed.map(|(at, value)| (at, (value * 1000.0).round() / 1000.0)).collect()
    }

    fn lines(&self, drawn: &Drawn) -> BTreeMap<String, Values> {
        let mut nodes: BTreeMap<&str, Vec<&Scraped>> = BTreeMap::new();
        for series in self.series.iter().filter(|series| series.name == drawn.metric) {
            nodes.entry(series.labels.get("instance").map_or("", String::as_str)).or_default().push(series);
        }
        let one = |unit: f64| {
            let of = |all: &Vec<&Scraped>| all[0].values.iter().map(|value| value.map(|value| value * unit)).collect();
            nodes.iter().map(|(node, all)| ((*node).to_owned(), of(all))).collect::<BTreeMap<_, Values>>()
        };
        match drawn.shape {
            Shape::Gauge(unit) => one(unit),
            Shape::Rate => one(1.0).into_iter().map(|(node, values)| (node, self.rates(&values))).collect(),
            Shape::Quantile(q) => {
                let of = |all: &Vec<&Scraped>| (0..self.count).map(|n| quantile(all, n, q)).collect();
                nodes.iter().map(|(node, all)| ((*node).to_owned(), of(all))).collect()
            }
            Shape::FromMedian => from_median(one(1.0), self.count),
        }
    }

    /// A node that has started in between begins at 0 again.
    fn rates(&self, values: &Values) -> Values {
        let pairs = values.windows(2).map(|pair| match *pair {
            [Some(before), Some(now)] if now >= before => Some((now - before) / self.interval as f64),
            [_, Some(now)] => Some(now / self.interval as f64),
            _ => None,
        });
        [None].into_iter().chain(pairs).collect()
    }
}

/// The quantile of a histogram's rise up to a scrape, in milliseconds, as a straight line within its bucket; none if
/// nothing was taken in.
fn quantile(buckets: &[&Scraped], scrape: usize, q: f64) -> Option<f64> {
    let mut risen: Vec<(f64, f64)> = Vec::new();
    for bucket in buckets {
        let bound = match bucket.labels.get("le").map(String::as_str)? {
            "+Inf" => f64::INFINITY,
            bound => bound.parse().ok()?,
        };
        let now = bucket.values[scrape]?;
        let before = scrape.checked_sub(1).and_then(|before| bucket.values[before]).filter(|before| *before <= now);
        let rise = now - before.unwrap_or(0.0);
        match risen.iter_mut().find(|(known, _)| *known == bound) {
            Some((_, sum)) => *sum += rise,
            None => risen.push((bound, rise)),
        }
    }
    risen.sort_by(|a, b| a.0.total_cmp(&b.0));
    let rank = q * risen.last().map(|(_, all)| *all).filter(|all| *all > 0.0)?;
    let (mut low, mut below) = (0.0, 0.0);
    for (bound, up_to) in risen {
        if up_to >= rank {
            let within = if bound.is_finite() { low + (bound - low) * (rank - below) / (up_to - below) } else { low };
            return Some(within * 1000.0);
        }
        (low, below) = (bound, up_to);
    }
    None
}

fn from_median(mut lines: BTreeMap<String, Values>, count: usize) -> BTreeMap<String, Values> {
    for n in 0..count {
        let mut all: Vec<f64> = lines.values().filter_map(|values| values[n]).collect();
        all.sort_by(f64::total_cmp);
        let Some(median) = all.get(all.len() / 2).copied() else { continue };
        for values in lines.values_mut() {
            values[n] = values[n].map(|value| (value - median).abs());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::Scraper;
    use super::*;

    fn labels(le: &str, route: &str) -> BTreeMap<String, String> {
        BTreeMap::from([("le".to_owned(), le.to_owned()), ("route".to_owned(), route.to_owned())])
    }

    #[test]
    fn rates_quantiles_and_offsets_are_of_the_time_since_the_scrape_before() {
        let mut scraper = Scraper::new(10, "pow");
        let none = BTreeMap::new();
        for n in 0..3 {
            scraper.begin();
            for (node, offset) in [("n0", 0.0), ("n1", 0.0), ("n2", if n == 2 { 40.0 } else { 0.0 })] {
                let clock = 1_000_000.0 + f64::from(n) * 10.0 + offset;
                scraper.sample(node, "assay_wall_clock_timestamp_seconds", &none, clock);
            }
            // The node has started anew before the third.
            let committed = [100.0, 150.0, 20.0][n as usize];
            scraper.sample("n0", "assay_transactions_committed_total", &none, committed);
            for route in ["/a", "/b"] {
                let slow = f64::from(n) * 10.0;
                for (le, count) in [("0.1", 100.0), ("0.2", 100.0 + slow), ("+Inf", 100.0 + slow)] {
                    let metric = "assay_http_request_latency_seconds_bucket";
                    scraper.sample("n0", metric, &labels(le, route), count);
                }
            }
        }
        let series = scraper.finish().series();
        let line = |name: &str, node: &str| series[name].lines[node].clone();
        assert_eq!(line("throughput", "n0"), [(10.0, 5.0), (20.0, 2.0)]);
        assert_eq!(line("api_latency_median", "n0"), [(0.0, 50.0), (10.0, 150.0), (20.0, 150.0)]);
        assert_eq!(line("clock_offset", "n2"), [(0.0, 0.0), (10.0, 0.0), (20.0, 40.0)]);
        assert_eq!(line("clock_offset", "n0"), [(0.0, 0.0), (10.0, 0.0), (20.0, 0.0)]);
        assert!(!series.contains_key("agreement_round"), "nobody has scraped one");
    }
}
