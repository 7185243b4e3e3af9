//! `[network]`, `[chain]`, `[node]` and `[workload]`. Each may be absent: then all its keys have their defaults.

use super::section::{Section, Value};
use crate::error::{Form, Problem, ScenarioError};
use crate::{Chain, Consensus, LatencyRange, Loss, Network, NodeSettings, TransferRate, Workload, keys, limits};
use std::time::Duration;

pub(super) fn network(value: Option<Value<'_>>) -> Result<Network, ScenarioError> {
    let default = Network { latency: limits::LATENCY_DEFAULT, jitter: Duration::ZERO, loss: Loss::NONE };
    let Some(value) = value else { return Ok(default) };
    let section = value.section("[network]", keys::NETWORK, Form::Table)?;
    Ok(Network {
        latency: section.or("latency", default.latency, latency)?,
        jitter: section.or("jitter", default.jitter, |value| value.duration(limits::JITTER))?,
        loss: section.or("loss", default.loss, loss)?,
    })
}

pub(super) fn chain(value: Option<Value<'_>>, consensus: Consensus, nodes: u16) -> Result<Chain, ScenarioError> {
    let default = Chain::default();
    let Some(value) = value else { return Ok(default) };
    let section = value.section("[chain]", keys::CHAIN, Form::Table)?;
    let foreign: &[&'static str] = match consensus {
        Consensus::Pow => &["validators", "epoch_blocks"],
        Consensus::Pos => &["confirmations", "hash_rate"],
        Consensus::Poot => &["validators", "epoch_blocks", "hash_rate"],
    };
    refuse(&section, foreign, consensus)?;
    Ok(Chain {
        block_interval: section
            .or("block_interval", default.block_interval, |value| value.duration(limits::BLOCK_INTERVAL))?,
        confirmations: section
            .or("confirmations", default.confirmations, |value| value.integer_u32(limits::CONFIRMATIONS))?,
        hash_rate: section.or("hash_rate", default.hash_rate, |value| value.integer_u32(limits::HASH_RATE))?,
        validators: section.or("validators", None, |value| {
            let bounds = *limits::VALIDATORS.start()..=u32::from(nodes).min(*limits::VALIDATORS.end());
            value.integer_u32(bounds).map(Some)
        })?,
        epoch_blocks: section
            .or("epoch_blocks", default.epoch_blocks, |value| value.integer_u32(limits::EPOCH_BLOCKS))?,
    })
}

pub(super) fn node(value: Option<Value<'_>>) -> Result<NodeSettings, ScenarioError> {
    let Some(value) = value else { return Ok(NodeSettings::default()) };
    let section = value.section("[node]", keys::NODE, Form::Table)?;
    Ok(NodeSettings {
        backup_every: section.or("backup_every", None, |value| value.duration(limits::BACKUP_EVERY).map(Some))?,
        cache: section.or("cache", None, |value| value.bytes(limits::CACHE).map(Some))?,
        mempool: section.or("mempool", None, |value| value.bytes(limits::MEMPOOL).map(Some))?,
    })
}

pub(super) fn workload(
    value: Option<Value<'_>>,
    consensus: Consensus,
    duration: Duration,
) -> Result<Workload, ScenarioError> {
    let default = Workload {
        transfers_per_second: TransferRate::default(),
        accounts: limits::ACCOUNTS_DEFAULT,
        stake_changes_per_minute: 0,
        lookups_per_second: TransferRate::default(),
        stop_before_end: Duration::ZERO,
    };
    let Some(value) = value else { return Ok(default) };
    let section = value.section("[workload]", keys::WORKLOAD, Form::Table)?;
    if consensus != Consensus::Pos {
        refuse(&section, &["stake_changes_per_minute"], consensus)?;
    }
    Ok(Workload {
        transfers_per_second: section.or("transfers_per_second", default.transfers_per_second, rate)?,
        accounts: section.or("accounts", default.accounts, |value| value.integer_u32(limits::ACCOUNTS))?,
        stake_changes_per_minute: section
            .or("stake_changes_per_minute", 0, |value| value.integer_u32(limits::STAKE_CHANGES_PER_MINUTE))?,
        lookups_per_second: section.or("lookups_per_second", default.lookups_per_second, rate)?,
        stop_before_end: section
            .or("stop_before_end", default.stop_before_end, |value| value.duration(Duration::ZERO..=duration))?,
    })
}

/// The bounds leave neither a negative nor an infinite rate.
fn rate(value: Value<'_>) -> Result<TransferRate, ScenarioError> {
    Ok(TransferRate::per_second(value.number(limits::PER_SECOND)?).unwrap_or_default())
}

/// A key that says nothing to this engine would be ignored in silence.
fn refuse(section: &Section<'_>, foreign: &[&'static str], consensus: Consensus) -> Result<(), ScenarioError> {
    let engine = consensus.name();
    let found = foreign.iter().find_map(|key| section.get(key));
    found.map_or(Ok(()), |value| Err(value.key_error(Problem::OtherEngine { key: value.key, engine })))
}

/// `20ms..80ms`, or one duration for both ends.
fn latency(value: Value<'_>) -> Result<LatencyRange, ScenarioError> {
    let text = value.text(Form::Latency)?;
    let range = LatencyRange::parse(text).ok_or_else(|| value.malformed(Form::Latency, text))?;
    value.within(range.min, text, &limits::LATENCY)?;
    value.within(range.max, text, &limits::LATENCY)?;
    Ok(range)
}

/// `1%`.
pub(super) fn loss(value: Value<'_>) -> Result<Loss, ScenarioError> {
    let text = value.text(Form::Loss)?;
    Loss::parse(text).ok_or_else(|| value.malformed(Form::Loss, text))
}
