//! What a node counts, in Prometheus' terms. Gauges are brought up to date when they are read.

use super::{
    backups::Backups,
    load::Load,
    storage_status::StorageState,
    view::{NodeView, Snapshot},
};
use crate::{
    p2p::scores,
    types::{ChainParams, Timestamp},
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};
use std::sync::atomic::AtomicU64;

/// A gauge of seconds.
type Seconds = Gauge<f64, AtomicU64>;

/// Bounds of the time between two heads, in seconds.
const BLOCK_TIME_BOUNDS: [f64; 10] = [0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0];
/// Bounds of the request latency histogram, in seconds.
const LATENCY_BOUNDS: [f64; 9] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 2.0, 5.0];

/// Labels of one kind of request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabels {
    /// The route's pattern, never the path.
    pub route: String,
    /// HTTP method.
    pub method: String,
    /// HTTP status.
    pub status: u16,
}

/// Labels of one kind of refused peer behaviour.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OffenceLabels {
    /// What the peer did.
    pub offence: &'static str,
}

/// Labels of a state of the storage.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct StateLabels {
    /// Its name.
    pub state: &'static str,
}

/// All metrics of one node.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    gauges: Gauges,
    /// API requests.
    pub requests: Family<RequestLabels, Counter>,
    /// Time to answer an API request.
    pub latency: Histogram,
    /// Time between two heads.
    pub block_time: Histogram,
    /// Blocks sealed here.
    pub blocks_produced: Counter,
    /// Blocks that became part of the chain, those of reorganisations included.
    pub blocks_committed: Counter,
    /// Blocks of peers that came before their time.
    pub blocks_early: Counter,
    /// Transactions in committed blocks.
    pub transactions_committed: Counter,
    /// Reorganisations.
    pub reorgs: Counter,
    /// Rounds of agreement begun; more than one a block means that proposals or votes come late.
    pub rounds: Counter,
    /// Validators seen to contradict themselves.
    pub equivocations: Counter,
    /// Blocks led in the place of an operator that did not lead in time.
    pub stand_ins: Counter,
    /// Tasks that this operator has shown.
    pub tasks_shown: Counter,
    /// Operators that it was a witness of.
    pub testimonies: Counter,
    /// Blocks taken back by the deepest of them.
    pub reorg_depth_max: Gauge,
    /// Transactions taken into the mempool from clients.
    pub submitted: Counter,
    /// Gossip and range blocks and transactions that came from peers.
    pub messages_received: Counter,
    /// Gossip messages sent of our own.
    pub messages_published: Counter,
    /// What peers did against the rules.
    pub offences: Family<OffenceLabels, Counter>,
    /// Commands that the network task could not take because its queue was full.
    pub commands_dropped: Counter,
    /// Bans of peers.
    pub bans: Counter,
    /// Gossip messages that were dropped unread because their sender had sent too many.
    pub gossip_dropped: Counter,
    /// Requests that were dropped unread because their sender had sent too many.
    pub requests_dropped: Counter,
    /// API connections that were closed at once because their client had too many.
    pub http_connections_refused: Counter,
    /// How full everything is that is bounded.
    pub load: Load,
    /// Hashes tried by the miner.
    pub hashes: Counter,
}

#[derive(Debug, Default)]
struct Gauges {
    height: Gauge,
    confirmed_height: Gauge,
    confirmations: Gauge,
    interval_target: Seconds,
    ahead_max: Seconds,
    head_age: Seconds,
    confirmed_age: Seconds,
    best_peer_height: Gauge,
    round: Gauge,
    abstains: Gauge,
    wall_clock: Seconds,
    memory_size: Gauge,
    memory_used: Gauge,
    memory_resident: Gauge,
    peers: Gauge,
    synced: Gauge,
    writable: Gauge,
    mempool: Gauge,
    mempool_bytes: Gauge,
    uptime: Seconds,
    memtable_bytes: Gauge,
    table_bytes: Gauge,
    cache_bytes: Gauge,
    cache_hits: Counter,
    cache_misses: Counter,
    storage_state: Family<StateLabels, Gauge>,
    disk_size: Gauge,
    disk_free: Gauge,
    kept: Gauge,
    slow: Gauge,
    damage: Counter,
    failures: Counter,
    full: Counter,
    reopened: Counter,
    rebuilt: Counter,
    audits: Counter,
    confirmed_reverted: Counter,
    forks_refused: Counter,
    backup_last_success: Seconds,
    backup_age: Seconds,
    backup_interval: Seconds,
    backup_duration: Seconds,
    backup_last_result: Gauge,
    backup_size: Gauge,
    backup_failures: Counter,
    backups: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("assay");
        let gauges = Gauges::default();
        let mut gauge = |name: &str, help: &str, gauge: &Gauge| registry.register(name, help, gauge.clone());
        gauge("chain_height", "Height of the head", &gauges.height);
        gauge("chain_confirmed_height", "Highest confirmed height", &gauges.confirmed_height);
        gauge("chain_confirmations_blocks", "Depth of a confirmed block; 0 if final at once", &gauges.confirmations);
        gauge(
            "chain_best_peer_height",
            "Greatest height that a peer with the most work tells",
            &gauges.best_peer_height,
        );
        gauge("agreement_round", "Round of the agreement on the next block", &gauges.round);
        gauge("agreement_abstains", "1 while this node may not vote, and follows in silence", &gauges.abstains);
        gauge("chain_synced", "1 when no peer claims a chain that is further", &gauges.synced);
        gauge("peers_connected", "Connected peers", &gauges.peers);
        gauge("storage_writable", "1 when the store takes writes", &gauges.writable);
        let size = "Memory that the node may use: the machine's, or its control group's; 0 if unknown";
        gauge("memory_size_bytes", size, &gauges.memory_size);
        gauge("memory_used_bytes", "Bytes of it that are taken, by whichever program", &gauges.memory_used);
        gauge("memory_resident_bytes", "Physical memory of the node's process", &gauges.memory_resident);
        gauge("mempool_transactions", "Waiting transactions", &gauges.mempool);
        gauge("mempool_size_bytes", "Bytes of waiting transactions", &gauges.mempool_bytes);
        gauge("storage_memtable_bytes", "Bytes of RocksDB's memtables", &gauges.memtable_bytes);
        gauge("storage_table_bytes", "Bytes of RocksDB's live tables", &gauges.table_bytes);
        gauge("storage_slow", "1 while commits take longer than they should", &gauges.slow);
        gauge("storage_disk_size_bytes", "Size of the disk that the database is on", &gauges.disk_size);
        gauge("storage_disk_free_bytes", "Bytes that may still be written there", &gauges.disk_free);
        gauge("storage_kept_directories", "Directories set aside beside the database", &gauges.kept);
        gauge("backup_last_result", "0 when the last backup failed, else 1", &gauges.backup_last_result);
        gauge("backup_size_bytes", "Size of the newest backup", &gauges.backup_size);
        gauge("storage_cache_bytes", "Bytes in RocksDB's block cache", &gauges.cache_bytes);
        let reorg_depth_max = Gauge::default();
        gauge("chain_reorg_depth_max_blocks", "Blocks undone by the deepest reorganisation", &reorg_depth_max);
        let mut seconds = |name: &str, help: &str, gauge: &Seconds| {
            registry.register_with_unit(name, help, Unit::Seconds, gauge.clone());
        };
        seconds("chain_head_age", "Time since the head last changed", &gauges.head_age);
        seconds("chain_confirmed_age", "Time since a block was last confirmed", &gauges.confirmed_age);
        seconds(
            "chain_block_interval_target",
            "Time between two blocks that the chain aims at",
            &gauges.interval_target,
        );
        let ahead = "How far a block may be ahead of this node's clock";
        seconds("chain_timestamp_ahead_max", ahead, &gauges.ahead_max);
        seconds("wall_clock_timestamp", "This node's wall clock as it is read, since 1970", &gauges.wall_clock);
        let last_success = "Time of the newest backup, since 1970; 0 without one";
        seconds("backup_last_success_timestamp", last_success, &gauges.backup_last_success);
        let age = "Time since the newest backup, or since the node started when there is none";
        seconds("backup_age", age, &gauges.backup_age);
        seconds("backup_interval", "Time between two scheduled backups; 0 without a schedule", &gauges.backup_interval);
        seconds("backup_duration", "Time that the last backup took", &gauges.backup_duration);
        seconds("uptime", "Time since the node started", &gauges.uptime);
        let (cache_hits, cache_misses) = (&gauges.cache_hits, &gauges.cache_misses);
        registry.register("storage_cache_hits", "Blocks of tables found in the cache", cache_hits.clone());
        registry.register("storage_cache_misses", "Blocks of tables read from disk", cache_misses.clone());
        let counters = [
            ("storage_damage_found", "Damage that was met in what is stored", &gauges.damage),
            ("storage_failures", "Failures of the disk", &gauges.failures),
            ("storage_full", "Times that no space was left", &gauges.full),
            ("storage_reopened", "Times that the database was opened again after a failure", &gauges.reopened),
            ("storage_rebuilt", "Rebuilds after damage that were finished", &gauges.rebuilt),
            ("storage_audits", "Readings of everything stored that found nothing", &gauges.audits),
            ("confirmed_reverted", "Confirmed blocks that were taken back", &gauges.confirmed_reverted),
            ("forks_refused", "Blocks refused because they fork too far below the head", &gauges.forks_refused),
            ("backup_failures", "Backups that failed", &gauges.backup_failures),
            ("backups", "Backups that were made", &gauges.backups),
        ];
        for (name, help, counter) in counters {
            registry.register(name, help, counter.clone());
        }
        registry.register("storage_state", "1 for the state that the storage is in", gauges.storage_state.clone());
        let mut counter = |name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let blocks_produced = counter("blocks_produced", "Blocks sealed by this node");
        let blocks_committed = counter("blocks_committed", "Blocks added to the chain, reorganisations included");
        let blocks_early = counter("blocks_early", "Blocks of peers that came before their time and had to wait");
        let transactions_committed = counter("transactions_committed", "Transactions in committed blocks");
        let reorgs = counter("chain_reorgs", "Reorganisations");
        let rounds = counter("agreement_rounds", "Rounds of agreement begun");
        let equivocations = counter("agreement_equivocations", "Validators seen to contradict themselves");
        let submitted = counter("transactions_submitted", "Transactions taken in from API clients");
        let stand_ins =
            counter("leading_stand_ins", "Blocks led in the place of an operator that did not lead in time");
        let tasks_shown = counter("leading_tasks_shown", "Operational tasks that this node has shown");
        let testimonies = counter("leading_testimonies", "Times that this node was the witness of an operator");
        let messages_received = counter("p2p_messages_received", "Blocks and transactions that came from peers");
        let messages_published = counter("p2p_messages_published", "Blocks and transactions published by this node");
        let commands_dropped = counter("p2p_commands_dropped", "Commands lost because the network's queue was full");
        let bans = counter("p2p_bans", "Bans of peers");
        let gossip_dropped = counter("p2p_gossip_dropped", "Gossip dropped unread: its sender had sent too much");
        let requests_dropped =
            counter("p2p_requests_dropped", "Requests dropped unread: their sender had sent too many");
        let refused = "API connections closed at once: their client had too many";
        let http_connections_refused = counter("http_connections_refused", refused);
        let load = Load::default();
        let hashes = counter("miner_hashes", "Hashes tried");
        let requests = Family::default();
        registry.register("http_requests", "API requests", requests.clone());
        let offences = Family::<OffenceLabels, Counter>::default();
        for offence in scores::NAMES {
            // The first one of a kind is an increase too.
            drop(offences.get_or_create(&OffenceLabels { offence }));
        }
        registry.register("p2p_offences", "What peers did against the rules", offences.clone());
        let block_time = Histogram::new(BLOCK_TIME_BOUNDS);
        registry.register_with_unit("chain_block_time", "Time between two heads", Unit::Seconds, block_time.clone());
        let latency = Histogram::new(LATENCY_BOUNDS);
        registry.register_with_unit("http_request_latency", "Time to answer", Unit::Seconds, latency.clone());
        load.register(&mut registry);
        Self {
            bans,
            gossip_dropped,
            requests_dropped,
            http_connections_refused,
            load,
            registry,
            gauges,
            requests,
            latency,
            block_time,
            blocks_produced,
            blocks_committed,
            blocks_early,
            transactions_committed,
            reorgs,
            rounds,
            equivocations,
            reorg_depth_max,
            submitted,
            stand_ins,
            tasks_shown,
            testimonies,
            messages_received,
            messages_published,
            offences,
            commands_dropped,
            hashes,
        }
    }
}

impl Metrics {
    /// What does not change as long as the chain is the same.
    pub fn set_chain(&self, params: &ChainParams, confirmations: u64) {
        let g = &self.gauges;
        g.confirmations.set(i64::try_from(confirmations).unwrap_or(i64::MAX));
        g.interval_target.set(params.block_interval_ms as f64 / 1000.0);
        g.ahead_max.set(params.ahead_max_ms() as f64 / 1000.0);
    }

    /// The metrics of the node of `view` in OpenMetrics text, the gauges as of `snapshot` and now.
    pub fn render(&self, view: &NodeView, snapshot: &Snapshot) -> String {
        let (store, memory) = (&view.store, view.memory.now());
        let (started, now) = (view.identity.started, view.clock.now());
        let g = &self.gauges;
        let set = |gauge: &Gauge, value: u64| gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        set(&g.height, snapshot.head.height.0);
        set(&g.confirmed_height, snapshot.head.confirmed.0);
        g.head_age.set(now.since(snapshot.head_at) as f64 / 1000.0);
        g.confirmed_age.set(now.since(snapshot.confirmed_at) as f64 / 1000.0);
        g.wall_clock.set(now.0 as f64 / 1000.0);
        set(&g.best_peer_height, snapshot.best_peer_height.map_or(0, |height| height.0));
        set(&g.round, snapshot.round.map_or(0, u64::from));
        set(&g.abstains, snapshot.abstains.into());
        set(&g.peers, snapshot.peers as u64);
        set(&g.synced, snapshot.is_synced().into());
        set(&g.memory_size, memory.total);
        set(&g.memory_used, memory.used);
        set(&g.memory_resident, memory.resident);
        let storage = snapshot.storage;
        set(&g.writable, snapshot.is_writable().into());
        for state in StorageState::ALL {
            let labels = StateLabels { state: state.name() };
            set(&g.storage_state.get_or_create(&labels), (state == storage.state).into());
        }
        set(&g.disk_size, storage.space.total);
        set(&g.disk_free, storage.space.free);
        set(&g.kept, storage.kept);
        set(&g.slow, storage.slow.into());
        set(&g.mempool, snapshot.mempool as u64);
        set(&g.mempool_bytes, snapshot.mempool_bytes as u64);
        g.uptime.set(now.since(started) as f64 / 1000.0);
        set(&g.memtable_bytes, store.statistic("rocksdb.cur-size-all-mem-tables"));
        set(&g.table_bytes, store.statistic("rocksdb.live-sst-files-size"));
        set(&g.cache_bytes, store.cache_bytes());
        let (hits, misses) = store.cache_hits_and_misses();
        let raise = |counter: &Counter, to: u64| counter.inc_by(to.saturating_sub(counter.get()));
        raise(&g.cache_hits, hits);
        raise(&g.cache_misses, misses);
        raise(&g.damage, storage.damage_found);
        raise(&g.failures, storage.failures);
        raise(&g.full, storage.full);
        raise(&g.reopened, storage.reopened);
        raise(&g.rebuilt, storage.rebuilt);
        raise(&g.audits, storage.audits);
        raise(&g.confirmed_reverted, snapshot.reversals.confirmed_reverted);
        raise(&g.forks_refused, snapshot.reversals.forks_refused);
        self.set_backups(&view.backups, started, now);
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a string cannot fail");
        text
    }

    fn set_backups(&self, backups: &Backups, started: Timestamp, now: Timestamp) {
        let (g, status) = (&self.gauges, backups.status());
        let (created, bytes) = status.newest.as_ref().map_or((0, 0), |newest| (newest.created.0, newest.bytes));
        g.backup_last_success.set(created as f64 / 1000.0);
        g.backup_size.set(i64::try_from(bytes).unwrap_or(i64::MAX));
        g.backup_age.set(status.age(started, now).as_secs_f64());
        g.backup_interval.set(backups.interval().unwrap_or_default().as_secs_f64());
        g.backup_last_result.set(status.last_error().is_none().into());
        let took_ms = status.last.as_ref().map_or(0, |last| last.duration_ms);
        g.backup_duration.set(took_ms as f64 / 1000.0);
        g.backup_failures.inc_by(status.failures.saturating_sub(g.backup_failures.get()));
        g.backups.inc_by(status.made.saturating_sub(g.backups.get()));
    }
}
