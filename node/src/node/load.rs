//! How full everything is that is bounded: the fill now, the greatest so far, and the bound.

use super::input::INPUTS_MAX;
use crate::{
    chain::{EARLY_BLOCKS_MAX, EARLY_BYTES_MAX, SIDE_BLOCKS_MAX, SIDE_BYTES_MAX},
    p2p::{COMMANDS_MAX, KNOWN_PEERS_MAX, QUESTIONS_MAX, RANGES_MAX, scores::BANS_MAX},
    seams::HTTP_CONNECTIONS_MAX,
};
use prometheus_client::{metrics::gauge::Gauge, registry::Registry};

/// How full one thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// What it is, as in its metric.
    pub name: &'static str,
    /// Now.
    pub now: u64,
    /// The greatest since the node started.
    pub peak: u64,
    /// What it never exceeds.
    pub max: u64,
}

/// What is bounded, as in its metrics: `assay_load_NAME`, with `_peak` and `_max`.
pub const LOADS: [&str; 13] = [
    "inputs",
    "commands",
    "mempool_bytes",
    "side_blocks",
    "side_bytes",
    "early_blocks",
    "early_bytes",
    "addresses",
    "connections",
    "questions",
    "ranges",
    "bans",
    "http_connections",
];

/// One fill that is shown, and its greatest value. Shown where it changes, so that the peak misses nothing.
#[derive(Debug, Default)]
pub struct Level {
    now: Gauge,
    peak: Gauge,
}

impl Level {
    /// It is this full.
    pub fn show(&self, now: usize) {
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        self.now.set(now);
        if now > self.peak.get() {
            self.peak.set(now);
        }
    }
}

/// The fills of one node.
#[derive(Debug, Default)]
pub struct Load {
    /// Inputs that wait for the chain task.
    pub inputs: Level,
    /// Commands that wait for the network task.
    pub commands: Level,
    /// Bytes of waiting transactions.
    pub mempool_bytes: Level,
    /// Blocks of side branches.
    pub side_blocks: Level,
    /// Their bytes.
    pub side_bytes: Level,
    /// Blocks from the future that wait for their time.
    pub early_blocks: Level,
    /// Their bytes.
    pub early_bytes: Level,
    /// Known peers that are no bootstrap peers.
    pub addresses: Level,
    /// Connections to peers.
    pub connections: Level,
    /// Our questions to peers that are not answered yet.
    pub questions: Level,
    /// Ranges that are being read for peers.
    pub ranges: Level,
    /// Banned peers.
    pub bans: Level,
    /// Connections of API clients.
    pub http_connections: Level,
    /// The bound of `connections`, from the settings.
    pub connections_max: Gauge,
    /// The bound of `mempool_bytes`, from the settings.
    pub mempool_bytes_max: Gauge,
}

impl Load {
    fn levels(&self) -> [(&'static str, &Level, u64, &'static str); 13] {
        let set = |gauge: &Gauge| u64::try_from(gauge.get()).unwrap_or(0);
        [
            ("inputs", &self.inputs, INPUTS_MAX as u64, "Inputs that wait for the chain task"),
            ("commands", &self.commands, COMMANDS_MAX as u64, "Commands that wait for the network task"),
            ("mempool_bytes", &self.mempool_bytes, set(&self.mempool_bytes_max), "Bytes of waiting transactions"),
            ("side_blocks", &self.side_blocks, SIDE_BLOCKS_MAX as u64, "Blocks of side branches in memory"),
            ("side_bytes", &self.side_bytes, SIDE_BYTES_MAX as u64, "Bytes of blocks of side branches in memory"),
            ("early_blocks", &self.early_blocks, EARLY_BLOCKS_MAX as u64, "Blocks from the future that wait"),
            ("early_bytes", &self.early_bytes, EARLY_BYTES_MAX as u64, "Bytes of blocks from the future that wait"),
            ("addresses", &self.addresses, KNOWN_PEERS_MAX as u64, "Known peers that are no bootstrap peers"),
            ("connections", &self.connections, set(&self.connections_max), "Connections to peers"),
            ("questions", &self.questions, QUESTIONS_MAX as u64, "Questions to peers that are not answered yet"),
            ("ranges", &self.ranges, RANGES_MAX as u64, "Ranges that are being read for peers"),
            ("bans", &self.bans, BANS_MAX as u64, "Banned peers"),
            ("http_connections", &self.http_connections, HTTP_CONNECTIONS_MAX as u64, "Connections of API clients"),
        ]
    }

    /// All fills.
    pub fn fills(&self) -> [Fill; 13] {
        let value = |gauge: &Gauge| u64::try_from(gauge.get()).unwrap_or(0);
        self.levels().map(|(name, level, max, _)| Fill { name, now: value(&level.now), peak: value(&level.peak), max })
    }

    /// Adds a metric for each fill, one for its greatest value and one for its bound.
    pub(super) fn register(&self, registry: &mut Registry) {
        for (name, level, max, about) in self.levels() {
            registry.register(format!("load_{name}"), about, level.now.clone());
            registry.register(format!("load_{name}_peak"), format!("{about}: the most so far"), level.peak.clone());
            let bound = match name {
                "mempool_bytes" => self.mempool_bytes_max.clone(),
                "connections" => self.connections_max.clone(),
                _ => Gauge::default(),
            };
            if max > 0 {
                bound.set(i64::try_from(max).unwrap_or(i64::MAX));
            }
            registry.register(format!("load_{name}_max"), format!("{about}: what it never exceeds"), bound);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_load_is_named() {
        assert_eq!(Load::default().fills().map(|fill| fill.name), LOADS);
    }

    #[test]
    fn a_peak_stays() {
        let load = Load::default();
        load.ranges.show(7);
        load.ranges.show(3);
        let ranges = load.fills().into_iter().find(|fill| fill.name == "ranges");
        assert_eq!(ranges, Some(Fill { name: "ranges", now: 3, peak: 7, max: RANGES_MAX as u64 }));
    }
}
