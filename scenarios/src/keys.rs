//! Every key of the format, by section. The reader accepts these and no others; a test holds `README.md` to them.

/// Top level.
pub const ROOT: &[&str] =
    &["name", "about", "consensus", "nodes", "duration", "network", "chain", "workload", "fault", "expect"];
/// `[network]`.
pub const NETWORK: &[&str] = &["latency", "jitter", "loss"];
/// `[chain]`.
pub const CHAIN: &[&str] = &["block_interval", "confirmations", "hash_rate"];
/// `[workload]`.
pub const WORKLOAD: &[&str] = &["transfers_per_second", "accounts", "stop_before_end"];
/// `[[fault]]`: the times, then the actions.
pub const FAULT: &[&str] =
    &["at", "for", "restart_after", "partition", "one_way", "isolate", "link", "kill", "power_cut", "restart", "pause"];
/// The keys of a fault that are actions; a fault has exactly one.
pub const ACTIONS: &[&str] = &["partition", "one_way", "isolate", "link", "kill", "power_cut", "restart", "pause"];
/// The table of `one_way`.
pub const ONE_WAY: &[&str] = &["from", "to"];
/// The table of `link`.
pub const LINK: &[&str] = &["between", "to", "delay", "jitter", "loss"];
/// `[expect]`.
pub const EXPECT: &[&str] = &[
    "finalized_lost",
    "caught_up_within",
    "confirms_within",
    "fork",
    "reorg_depth_min",
    "reorg_depth_max",
    "confirmed_transactions_min",
    "alerts",
];

/// Every section's name as the README's headings write it, with its keys.
pub const SECTIONS: &[(&str, &[&str])] = &[
    ("Top level", ROOT),
    ("`[network]`", NETWORK),
    ("`[chain]`", CHAIN),
    ("`[workload]`", WORKLOAD),
    ("`[[fault]]`", FAULT),
    ("`one_way`", ONE_WAY),
    ("`link`", LINK),
    ("`[expect]`", EXPECT),
];
