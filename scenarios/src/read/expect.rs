//! `[expect]`.

use super::section::Value;
use crate::error::{Form, Place, Problem, ScenarioError};
use crate::{Chain, Expect, ForkExpectation, keys, limits};
use std::collections::BTreeMap;

const FORK_WORDS: &[&str] = &["allowed", "required"];

/// The expectations, and where each key that is given stands.
pub(super) fn expect(
    value: Option<Value<'_>>,
    chain: &Chain,
) -> Result<(Expect, BTreeMap<&'static str, Place>), ScenarioError> {
    let default = Expect {
        finalized_lost: 0,
        caught_up_within: limits::CAUGHT_UP_WITHIN_DEFAULT,
        confirms_within: chain.confirms_within_default(),
        fork: ForkExpectation::Allowed,
        reorg_depth_min: None,
        reorg_depth_max: None,
        confirmed_transactions_min: None,
        alerts: Vec::new(),
    };
    let Some(value) = value else { return Ok((default, BTreeMap::new())) };
    let section = value.section("[expect]", keys::EXPECT, Form::Table)?;
    let count = |key| section.or(key, None, |value| value.integer(limits::COUNT).map(Some));
    let forks = [("allowed", ForkExpectation::Allowed), ("required", ForkExpectation::Required)];
    let expect = Expect {
        finalized_lost: count("finalized_lost")?.unwrap_or(default.finalized_lost),
        caught_up_within: section
            .or("caught_up_within", default.caught_up_within, |value| value.duration(limits::WITHIN))?,
        confirms_within: section
            .or("confirms_within", default.confirms_within, |value| value.duration(limits::WITHIN))?,
        fork: section.or("fork", default.fork, |value| value.word(&forks, Form::Word(FORK_WORDS)))?,
        reorg_depth_min: count("reorg_depth_min")?,
        reorg_depth_max: count("reorg_depth_max")?,
        confirmed_transactions_min: count("confirmed_transactions_min")?,
        alerts: section.or("alerts", Vec::new(), alerts)?,
    };
    let given = keys::EXPECT.iter().filter_map(|key| section.get(key).map(|value| (*key, value.place())));
    Ok((expect, given.collect()))
}

/// Names as Prometheus alerts have them: letters and digits, a capital first.
fn alerts(value: Value<'_>) -> Result<Vec<String>, ScenarioError> {
    let mut alerts: Vec<String> = Vec::new();
    for member in value.members(Form::Alerts)? {
        let name = member.text(Form::Alert)?;
        let capital = name.starts_with(|c: char| c.is_ascii_uppercase());
        if !capital || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(member.malformed(Form::Alert, name));
        }
        if alerts.iter().any(|alert| alert == name) {
            return Err(member.error(Problem::Twice { key: member.key, member: name.to_owned() }));
        }
        alerts.push(name.to_owned());
    }
    Ok(alerts)
}
