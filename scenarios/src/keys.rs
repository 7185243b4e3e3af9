//! Every key of the format, by section. The reader accepts these and no others; a test holds `README.md` to them.

/// Top level.
pub const ROOT: &[&str] = &[
    "name",
    "about",
    "consensus",
    "nodes",
    "duration",
    "planted",
    "network",
    "chain",
    "node",
    "workload",
    "fault",
    "expect",
];
/// `[network]`.
pub const NETWORK: &[&str] = &["latency", "jitter", "loss"];
/// `[chain]`.
pub const CHAIN: &[&str] = &["block_interval", "confirmations", "hash_rate", "validators", "epoch_blocks"];
/// `[node]`.
pub const NODE: &[&str] = &["backup_every", "cache", "mempool"];
/// `[workload]`.
pub const WORKLOAD: &[&str] =
    &["transfers_per_second", "accounts", "stake_changes_per_minute", "lookups_per_second", "stop_before_end"];
/// `[[fault]]`: the times, then the actions.
pub const FAULT: &[&str] = &[
    "at",
    "for",
    "restart_after",
    "partition",
    "one_way",
    "isolate",
    "link",
    "kill",
    "power_cut",
    "restart",
    "pause",
    "disk_full",
    "disk_error",
    "fsync_fails",
    "disk_slow",
    "misdirected_write",
    "fsync_lies",
    "bit_rot",
    "lose_volume",
    "backup",
    "schema_newer",
    "clock",
    "memory_full",
    "lie",
];
/// The keys of a fault that are actions; a fault has exactly one.
pub const ACTIONS: &[&str] = FAULT.split_at(TIMES).1;
/// The keys of a fault that are times come first.
const TIMES: usize = 3;
/// The table of `one_way`.
pub const ONE_WAY: &[&str] = &["from", "to"];
/// The table of `link`.
pub const LINK: &[&str] = &["between", "to", "delay", "jitter", "loss"];
/// The table of `power_cut`.
pub const POWER_CUT: &[&str] = &["nodes", "torn"];
/// The table of `disk_full`.
pub const DISK_FULL: &[&str] = &["nodes", "leave"];
/// The table of `disk_error`.
pub const DISK_ERROR: &[&str] = &["nodes", "operations", "files", "nth"];
/// The table of `fsync_fails`.
pub const FSYNC_FAILS: &[&str] = &["nodes", "files", "nth"];
/// The table of `disk_slow`.
pub const DISK_SLOW: &[&str] = &["nodes", "by", "operations", "files"];
/// The table of `misdirected_write`.
pub const MISDIRECTED_WRITE: &[&str] = &["nodes", "files", "nth"];
/// The table of `fsync_lies`.
pub const FSYNC_LIES: &[&str] = &["nodes", "files"];
/// The table of `bit_rot`.
pub const BIT_ROT: &[&str] = &["nodes", "files", "bits"];
/// The table of `lose_volume`.
pub const LOSE_VOLUME: &[&str] = &["nodes", "restore"];
/// The table of `clock`.
pub const CLOCK: &[&str] = &["nodes", "skew", "drift_ppm"];
/// The table of `memory_full`.
pub const MEMORY_FULL: &[&str] = &["nodes", "leave"];
/// The table of `lie`.
pub const LIE: &[&str] = &["nodes", "how", "victim", "power"];
/// `[expect]`.
pub const EXPECT: &[&str] = &[
    "finalized_lost",
    "caught_up_within",
    "confirms_within",
    "writable_within",
    "fork",
    "progress",
    "reorg_depth_min",
    "reorg_depth_max",
    "confirmed_transactions_min",
    "alerts",
    "alerts_within",
    "alerts_allowed",
    "no_other_alert",
    "violates",
];

/// The table of an action that has options: its name, as messages write it, and its keys.
pub(crate) fn action_table(action: &str) -> Option<(&'static str, &'static [&'static str])> {
    SECTIONS.iter().find(|(name, _)| name.trim_matches('`') == action).copied()
}

/// Every section's name as the README's headings write it, with its keys.
pub const SECTIONS: &[(&str, &[&str])] = &[
    ("Top level", ROOT),
    ("`[network]`", NETWORK),
    ("`[chain]`", CHAIN),
    ("`[node]`", NODE),
    ("`[workload]`", WORKLOAD),
    ("`[[fault]]`", FAULT),
    ("`one_way`", ONE_WAY),
    ("`link`", LINK),
    ("`power_cut`", POWER_CUT),
    ("`disk_full`", DISK_FULL),
    ("`disk_error`", DISK_ERROR),
    ("`fsync_fails`", FSYNC_FAILS),
    ("`disk_slow`", DISK_SLOW),
    ("`misdirected_write`", MISDIRECTED_WRITE),
    ("`fsync_lies`", FSYNC_LIES),
    ("`bit_rot`", BIT_ROT),
    ("`lose_volume`", LOSE_VOLUME),
    ("`clock`", CLOCK),
    ("`memory_full`", MEMORY_FULL),
    ("`lie`", LIE),
    ("`[expect]`", EXPECT),
];
