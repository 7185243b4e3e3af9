//! `[expect]`.

use super::section::Value;
use crate::error::{Form, Place, Problem, ScenarioError};
use crate::{Chain, Consensus, Expect, ForkExpectation, ProgressExpectation, keys, limits};
use std::collections::BTreeMap;

const FORK_WORDS: &[&str] = &["allowed", "required"];
const PROGRESS_WORDS: &[&str] = &["allowed", "stops", "goes-on"];

/// The expectations, and where each key that is given stands.
pub(super) fn expect(
    value: Option<Value<'_>>,
    consensus: Consensus,
    chain: &Chain,
) -> Result<(Expect, BTreeMap<&'static str, Place>), ScenarioError> {
    let default = Expect {
        finalized_lost: 0,
        caught_up_within: limits::CAUGHT_UP_WITHIN_DEFAULT,
        confirms_within: chain.confirms_within_default(consensus),
        writable_within: limits::WRITABLE_WITHIN_DEFAULT,
        fork: ForkExpectation::Allowed,
        progress: ProgressExpectation::Allowed,
        reorg_depth_min: None,
        reorg_depth_max: None,
        confirmed_transactions_min: None,
        alerts: None,
        alerts_within: None,
        alerts_allowed: Vec::new(),
        no_other_alert: false,
        violates: Vec::new(),
    };
    let Some(value) = value else { return Ok((default, BTreeMap::new())) };
    let section = value.section("[expect]", keys::EXPECT, Form::Table)?;
    let count = |key| section.or(key, None, |value| value.integer(limits::COUNT).map(Some));
    let forks = [("allowed", ForkExpectation::Allowed), ("required", ForkExpectation::Required)];
    let progress = [
        ("allowed", ProgressExpectation::Allowed),
        ("stops", ProgressExpectation::Stops),
        ("goes-on", ProgressExpectation::GoesOn),
    ];
    let expect = Expect {
        finalized_lost: count("finalized_lost")?.unwrap_or(default.finalized_lost),
        caught_up_within: section
            .or("caught_up_within", default.caught_up_within, |value| value.duration(limits::WITHIN))?,
        confirms_within: section
            .or("confirms_within", default.confirms_within, |value| value.duration(limits::WITHIN))?,
        writable_within: section
            .or("writable_within", default.writable_within, |value| value.duration(limits::WITHIN))?,
        fork: section.or("fork", default.fork, |value| value.word(&forks, Form::Word(FORK_WORDS)))?,
        progress: section
            .or("progress", default.progress, |value| value.word(&progress, Form::Word(PROGRESS_WORDS)))?,
        reorg_depth_min: count("reorg_depth_min")?,
        reorg_depth_max: count("reorg_depth_max")?,
        confirmed_transactions_min: count("confirmed_transactions_min")?,
        alerts: section.or("alerts", None, |value| alerts(value).map(Some))?,
        alerts_within: section.or("alerts_within", None, |value| value.duration(limits::WITHIN).map(Some))?,
        alerts_allowed: section.or("alerts_allowed", Vec::new(), alerts)?,
        no_other_alert: section.or("no_other_alert", false, |value| value.boolean())?,
        violates: section
            .or("violates", Vec::new(), |value| names(value, Form::Invariants, Form::Invariant, is_invariant))?,
    };
    let given = keys::EXPECT.iter().filter_map(|key| section.get(key).map(|value| (*key, value.place())));
    Ok((expect, given.collect()))
}

/// Alerts; none at all is a list as well.
fn alerts(value: Value<'_>) -> Result<Vec<String>, ScenarioError> {
    if value.is_empty_list() {
        return Ok(Vec::new());
    }
    names(value, Form::Alerts, Form::Alert, is_alert)
}

/// A list (of the form `all`) of names (of the form `each`), none twice.
fn names(value: Value<'_>, all: Form, each: Form, is_name: fn(&str) -> bool) -> Result<Vec<String>, ScenarioError> {
    let mut names: Vec<String> = Vec::new();
    for member in value.members(all)? {
        let name = member.text(each)?;
        if !is_name(name) {
            return Err(member.malformed(each, name));
        }
        if names.iter().any(|other| other == name) {
            return Err(member.error(Problem::Twice { key: member.key, member: name.to_owned() }));
        }
        names.push(name.to_owned());
    }
    Ok(names)
}

/// As Prometheus alerts are named: letters and digits, a capital first.
fn is_alert(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(|c| c.is_ascii_alphanumeric())
}

/// Lower-case words joined by `_`; the driver knows which there are.
fn is_invariant(name: &str) -> bool {
    name.split('_').all(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase()))
}
