//! A node's settings: one plain struct, passed explicitly. Reading files, variables and flags is [`crate::native`]'s work.

use crate::{
    BackupSettings, UpkeepSettings,
    backup::Keep,
    chain::mempool::Limits,
    storage::{self, Compression},
};
use libp2p::{Multiaddr, multiaddr::Protocol};
use serde::{Deserialize, Serialize};
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// Bootstrap peers, at most: one chain's well-known entrances, not its whole membership.
pub const BOOTSTRAP_MAX: usize = 64;

/// All settings. Every key has a default, and an unknown one is an error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The network between nodes.
    pub p2p: P2p,
    /// The API.
    pub api: Api,
    /// The database.
    pub storage: Storage,
    /// Copies of the database.
    pub backup: Backup,
    /// Waiting transactions.
    pub mempool: Limits,
    /// Producing blocks.
    pub miner: Miner,
    /// What is logged, and how.
    pub log: Log,
}

/// The network between nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct P2p {
    /// Where to listen: `/ip4/ADDRESS/tcp/PORT`.
    pub listen: Multiaddr,
    /// Peers to connect to and to keep connected to: `/ip4/ADDRESS/tcp/PORT/p2p/PEER`, or `/dns4/NAME/...` for a machine with a
    /// name.
    pub bootstrap: Vec<Multiaddr>,
    /// Connections at a time; 1 to 1000.
    pub connections_max: u32,
}

/// The API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Api {
    /// Where to listen: `ADDRESS:PORT`.
    pub listen: SocketAddr,
}

/// The database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Storage {
    /// Its directory; relative to the node's home.
    pub path: PathBuf,
    /// Block cache, in MiB; 1 to 65536.
    pub cache_size_mb: usize,
    /// Compression of tables.
    pub compression: Compression,
    /// Bytes committed between two flushes; 64 KiB to 64 MiB.
    pub flush_bytes: u64,
    /// Space on its disk that the node leaves free, in MiB, or a twentieth of a small disk; 1 to 1048576.
    pub reserve_mb: u64,
    /// Bytes a second at which everything stored is read again to find damage; 0 never reads, at most 1 GiB.
    pub audit_bytes_per_second: u64,
    /// Seconds from the end of one such reading to the next; 1 to 31536000.
    pub audit_pause_s: u64,
}

/// Copies of the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Backup {
    /// The directory of archives, of this node alone; relative to the node's home.
    pub path: PathBuf,
    /// Seconds from one scheduled backup to the next; 0 makes none, at most 31536000.
    pub interval_s: u64,
    /// Days that an archive is kept; 1 to 36500. Older ones are removed after a scheduled backup.
    pub keep_days: u64,
    /// Newest archives that are kept however old they are; 1 to 10000.
    pub keep_min: u32,
}

/// Producing blocks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Miner {
    /// Whether to produce blocks.
    pub enabled: bool,
    /// Hashes to try a second, at most; 1 to 1 000 000 000.
    pub hash_rate: u64,
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug`, `trace`, or a filter such as `info,assay_node::p2p=debug`.
    pub level: String,
    /// Lines for people or JSON for machines.
    pub format: LogFormat,
    /// Where lines go; relative to the node's home, in a directory that is there. Empty: to standard error.
    pub file: PathBuf,
    /// Bytes of the file, at most, before it becomes an old one; 4 KiB to 16 GiB.
    pub rotate_bytes: u64,
    /// Old files that stay; 1 to 100.
    pub keep: u32,
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for P2p {
    fn default() -> Self {
        let listen = Multiaddr::empty().with(Protocol::Ip4([0, 0, 0, 0].into())).with(Protocol::Tcp(6000));
        Self { listen, bootstrap: Vec::new(), connections_max: 64 }
    }
}

impl Default for Api {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8000)) }
    }
}

impl Default for Storage {
    fn default() -> Self {
        let storage::Settings { cache_size_mb, compression, flush_bytes } = storage::Settings::default();
        Self {
            path: PathBuf::from("db"),
            cache_size_mb,
            compression,
            flush_bytes,
            reserve_mb: 64,
            audit_bytes_per_second: 1 << 20,
            audit_pause_s: 3600,
        }
    }
}

impl Default for Backup {
    fn default() -> Self {
        Self { path: PathBuf::from("backups"), interval_s: 0, keep_days: 30, keep_min: 2 }
    }
}

impl Default for Miner {
    fn default() -> Self {
        Self { enabled: true, hash_rate: 1000 }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".into(), format: LogFormat::Text, file: PathBuf::new(), rotate_bytes: 64 << 20, keep: 5 }
    }
}

/// A setting that no node can run with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A number outside its bounds.
    #[error("{key} is {got}, and must be from {min} to {max}")]
    OutOfBounds {
        /// The setting.
        key: &'static str,
        /// Its value.
        got: u64,
        /// Least value.
        min: u64,
        /// Greatest value.
        max: u64,
    },
    /// An address of another form than the setting needs.
    #[error("{key} is {got}, and must be like {example}")]
    Address {
        /// The setting.
        key: &'static str,
        /// Its value.
        got: String,
        /// A right one.
        example: &'static str,
    },
}

impl Config {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// The first setting that is out of bounds.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let bounds = [
            ("p2p.connections_max", u64::from(self.p2p.connections_max), 1, 1000),
            ("number of p2p.bootstrap", self.p2p.bootstrap.len() as u64, 0, BOOTSTRAP_MAX as u64),
            ("storage.cache_size_mb", self.storage.cache_size_mb as u64, 1, 65_536),
            ("storage.flush_bytes", self.storage.flush_bytes, 64 << 10, 64 << 20),
            ("storage.reserve_mb", self.storage.reserve_mb, 1, 1 << 20),
            ("storage.audit_bytes_per_second", self.storage.audit_bytes_per_second, 0, 1 << 30),
            ("storage.audit_pause_s", self.storage.audit_pause_s, 1, 365 * 24 * 3600),
            ("backup.interval_s", self.backup.interval_s, 0, 365 * 24 * 3600),
            ("backup.keep_days", self.backup.keep_days, 1, 36_500),
            ("backup.keep_min", u64::from(self.backup.keep_min), 1, 10_000),
            ("mempool.bytes_max", self.mempool.bytes_max as u64, 64 << 10, 1 << 30),
            ("mempool.account_max", self.mempool.account_max as u64, 1, 65_536),
            ("miner.hash_rate", self.miner.hash_rate, 1, 1_000_000_000),
            ("log.rotate_bytes", self.log.rotate_bytes, 4 << 10, 16 << 30),
            ("log.keep", u64::from(self.log.keep), 1, 100),
        ];
        for (key, got, min, max) in bounds {
            if got < min || got > max {
                return Err(ConfigError::OutOfBounds { key, got, min, max });
            }
        }
        let is_tcp = |address: &Multiaddr| {
            let mut parts = address.iter();
            matches!(parts.next(), Some(Protocol::Ip4(_) | Protocol::Ip6(_)))
                && matches!(parts.next(), Some(Protocol::Tcp(_)))
        };
        if !is_tcp(&self.p2p.listen) || self.p2p.listen.iter().count() != 2 {
            let got = self.p2p.listen.to_string();
            return Err(ConfigError::Address { key: "p2p.listen", got, example: "/ip4/0.0.0.0/tcp/6000" });
        }
        let is_named = |address: &Multiaddr| {
            let mut parts = address.iter();
            matches!(parts.next(), Some(Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_)))
                && matches!(parts.next(), Some(Protocol::Tcp(_)))
        };
        for address in &self.p2p.bootstrap {
            if !(is_tcp(address) || is_named(address)) || !matches!(address.iter().last(), Some(Protocol::P2p(_))) {
                let example = "/ip4/192.0.2.1/tcp/6000/p2p/12D3KooW...";
                return Err(ConfigError::Address { key: "p2p.bootstrap", got: address.to_string(), example });
            }
        }
        Ok(())
    }

    /// The store's part.
    pub fn storage_settings(&self) -> storage::Settings {
        let Storage { cache_size_mb, compression, flush_bytes, .. } = self.storage;
        storage::Settings { cache_size_mb, compression, flush_bytes }
    }

    /// What is done about backups.
    pub fn backup_settings(&self) -> BackupSettings {
        let Backup { path, interval_s, keep_days, keep_min } = &self.backup;
        BackupSettings {
            dir: path.clone(),
            interval: (*interval_s > 0).then(|| Duration::from_secs(*interval_s)),
            keep: Keep { days: *keep_days, min: *keep_min as usize },
            reserve_bytes: self.upkeep_settings().reserve_bytes,
        }
    }

    /// What is done about the disk.
    pub fn upkeep_settings(&self) -> UpkeepSettings {
        let Storage { reserve_mb, audit_bytes_per_second, audit_pause_s, .. } = self.storage;
        UpkeepSettings {
            reserve_bytes: reserve_mb.saturating_mul(1 << 20),
            audit_bytes_per_second,
            audit_pause: Duration::from_secs(audit_pause_s),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_valid_and_survives_a_round_trip() {
        let config = Config::default();
        assert_eq!(config.validate(), Ok(()));
        let text = toml::to_string(&config).expect("the settings have a TOML form");
        assert_eq!(toml::from_str::<Config>(&text).expect("it was written a line above"), config);
    }

    #[test]
    fn what_is_out_of_bounds_is_named() {
        let check = |text: &str| {
            toml::from_str::<Config>(text).expect("it is TOML").validate().expect_err("it is wrong").to_string()
        };
        assert_eq!(check("[miner]\nhash_rate = 0"), "miner.hash_rate is 0, and must be from 1 to 1000000000");
        assert_eq!(check("[backup]\nkeep_min = 0"), "backup.keep_min is 0, and must be from 1 to 10000");
        assert_eq!(check("[log]\nkeep = 0"), "log.keep is 0, and must be from 1 to 100");
        assert_eq!(
            check("[log]\nrotate_bytes = 4095"),
            "log.rotate_bytes is 4095, and must be from 4096 to 17179869184"
        );
        assert_eq!(
            check("[p2p]\nlisten = '/dns/example.org/tcp/6000'"),
            "p2p.listen is /dns/example.org/tcp/6000, and must be like /ip4/0.0.0.0/tcp/6000"
        );
        assert_eq!(
            check("[p2p]\nbootstrap = ['/ip4/192.0.2.1/tcp/6000']"),
            "p2p.bootstrap is /ip4/192.0.2.1/tcp/6000, and must be like /ip4/192.0.2.1/tcp/6000/p2p/12D3KooW..."
        );
        let peer = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";
        let named: Config =
            toml::from_str(&format!("[p2p]\nbootstrap = ['/dns4/n1/tcp/6000/p2p/{peer}']")).expect("it is TOML");
        assert_eq!(named.validate(), Ok(()));
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        let error = toml::from_str::<Config>("[miner]\nhashrate = 5").expect_err("there is no such key").to_string();
        assert!(error.contains("unknown field `hashrate`"), "{error}");
    }
}
