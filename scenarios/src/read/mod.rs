//! The strict reader: text to [`Scenario`], or the place and the problem.
//!
//! One error is reported at a time: first the TOML, then the sections in the order of the model, last the rules that
//! span several settings. Within a table an unknown key comes before everything else, since it is often the reason for
//! a missing one.

mod disk;
mod expect;
mod fault;
mod host;
mod section;
mod settings;

use crate::error::{Form, Place, Problem, ScenarioError};
use crate::{Consensus, Scenario, check, keys, limits};
use section::{Section, Source, Value};
use std::{collections::BTreeMap, num::NonZeroU16};
use toml::de::DeTable;

/// The engines of this version.
const ENGINES: &[&str] = &["pow", "pos", "poot"];

/// Where things stand that the rules over the whole file name.
#[derive(Debug)]
pub(crate) struct Places {
    /// The action of each fault.
    pub(crate) actions: Vec<Place>,
    /// The keys of `[expect]`.
    pub(crate) expect: BTreeMap<&'static str, Place>,
    /// The key `duration`.
    pub(crate) duration: Place,
    /// The key `planted`, if it is there.
    pub(crate) planted: Option<Place>,
}

/// Reads a whole file.
pub(crate) fn scenario(file: &str, text: &str) -> Result<Scenario, ScenarioError> {
    let source = Source { file, text };
    if text.len() > limits::FILE_BYTES {
        return Err(source.error(0, Problem::TooLong { bytes: text.len() as u64 }));
    }
    let document = DeTable::parse(text).map_err(|error| {
        let message = error.message().replace('\n', ", ");
        source.error(error.span().map_or(0, |span| span.start), Problem::Syntax { message })
    })?;
    let root = Section::open(&source, "the file's top level", keys::ROOT, document.get_ref(), 0)?;

    let name = name(root.need("name", Form::Name)?)?;
    let about = about(root.need("about", Form::Text)?)?;
    let consensus = consensus(root.need("consensus", Form::Word(ENGINES))?)?;
    let nodes = nodes(root.need("nodes", Form::Integer)?)?;
    let duration_value = root.need("duration", Form::Duration)?;
    let duration = duration_value.duration(limits::DURATION)?;
    let planted = root.or("planted", false, |value| value.boolean())?;

    let network = settings::network(root.get("network"))?;
    let chain = settings::chain(root.get("chain"), consensus, nodes.get())?;
    let node = settings::node(root.get("node"))?;
    let workload = settings::workload(root.get("workload"), consensus, duration)?;
    let (faults, actions) = fault::faults(root.get("fault"), nodes.get(), duration)?;
    let (expect, expect_places) = expect::expect(root.get("expect"), consensus, &chain)?;

    let expect_lines = expect_places.iter().map(|(key, place)| (*key, place.line)).collect();
    let file = file.to_owned();
    let scenario = Scenario {
        file,
        text: text.to_owned(),
        name,
        about,
        consensus,
        nodes,
        duration,
        planted,
        network,
        chain,
        node,
        workload,
        faults,
        expect,
        expect_lines,
    };
    let planted = root.get("planted").map(|value| value.place());
    let places = Places { actions, expect: expect_places, duration: duration_value.place(), planted };
    check::scenario(&scenario, &places)?;
    Ok(scenario)
}

fn name(value: Value<'_>) -> Result<String, ScenarioError> {
    let text = value.text(Form::Name)?;
    let word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    match text.len() <= limits::NAME_CHARS && text.split('-').all(word) {
        true => Ok(text.to_owned()),
        false => Err(value.malformed(Form::Name, text)),
    }
}

fn about(value: Value<'_>) -> Result<String, ScenarioError> {
    let text = value.text(Form::Text)?;
    let fits = (1..=limits::ABOUT_CHARS).contains(&text.chars().count());
    match fits && !text.chars().any(char::is_control) {
        true => Ok(text.to_owned()),
        false => Err(value.malformed(Form::Text, text)),
    }
}

fn consensus(value: Value<'_>) -> Result<Consensus, ScenarioError> {
    let engines = [("pow", Consensus::Pow), ("pos", Consensus::Pos), ("poot", Consensus::Poot)];
    value.word(&engines, Form::Word(ENGINES))
}

fn nodes(value: Value<'_>) -> Result<NonZeroU16, ScenarioError> {
    let count = value.integer_u32(limits::NODES)?;
    // The bounds keep it in 1..=100.
    Ok(u16::try_from(count).ok().and_then(NonZeroU16::new).unwrap_or(NonZeroU16::MIN))
}
