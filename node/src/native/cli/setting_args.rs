//! Settings as flags: named ones for those that differ between the nodes of one machine, and one for all.

use crate::native::settings::{Override, Source};
use clap::{Args, ValueEnum};
use libp2p::Multiaddr;
use std::net::SocketAddr;

const SETTINGS: &str = "Settings (before ASSAY_* variables, which go before config.toml)";

/// Settings as flags.
#[derive(Debug, Args)]
#[command(next_help_heading = SETTINGS)]
pub struct SettingArgs {
    /// Serve the API here [api.listen]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub api_listen: Option<SocketAddr>,
    /// Wait for peers here, as in /ip4/0.0.0.0/tcp/6000 [p2p.listen]
    #[arg(long, value_name = "MULTIADDR")]
    pub p2p_listen: Option<Multiaddr>,
    /// Connect to this peer, as in /ip4/192.0.2.1/tcp/6000/p2p/PEER; may be repeated [p2p.bootstrap]
    #[arg(long, value_name = "MULTIADDR")]
    pub bootstrap: Vec<Multiaddr>,
    /// error, warn, info, debug, trace, or a filter [log.level]
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<String>,
    /// Form of log lines [log.format]
    #[arg(long)]
    pub log_format: Option<Format>,
    /// Produce no blocks [miner.enabled]
    #[arg(long)]
    pub no_mine: bool,
    /// Any setting that 'config show' lists, as in --set storage.cache_size_mb=128; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
}

/// Form of log lines.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For machines
    Json,
}

impl SettingArgs {
    /// The flags as a layer of settings; those of `--set` come last and win.
    pub fn overrides(&self) -> Vec<Override> {
        let bootstrap: Vec<_> = self.bootstrap.iter().map(ToString::to_string).collect();
        let format = self.log_format.map(|format| match format {
            Format::Text => "text".to_owned(),
            Format::Json => "json".to_owned(),
        });
        let named = [
            ("api.listen", "--api-listen", self.api_listen.map(|address| address.to_string())),
            ("p2p.listen", "--p2p-listen", self.p2p_listen.as_ref().map(ToString::to_string)),
            ("p2p.bootstrap", "--bootstrap", (!bootstrap.is_empty()).then(|| bootstrap.join(","))),
            ("log.level", "--log-level", self.log_level.clone()),
            ("log.format", "--log-format", format),
            ("miner.enabled", "--no-mine", self.no_mine.then(|| "false".to_owned())),
        ];
        let named = named.into_iter().filter_map(|(key, flag, value)| {
            Some(Override { key: key.to_owned(), value: value?, source: Source::Flag(flag.to_owned()) })
        });
        let set = self.set.iter().map(|(key, value)| {
            let source = Source::Flag(format!("--set {key}"));
            Override { key: key.clone(), value: value.clone(), source }
        });
        named.chain(set).collect()
    }
}

fn assignment(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE, as in storage.cache_size_mb=128")?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_is_a_key_and_whatever_follows() {
        assert_eq!(assignment("log.level = info,a=debug"), Ok(("log.level".into(), "info,a=debug".into())));
        assert!(assignment("log.level").is_err());
    }
}
