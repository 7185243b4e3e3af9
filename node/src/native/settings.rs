//! What settings there are, and how layers of them add up: defaults < file < `ASSAY_*` variables < flags. Pure.
//!
//! Every setting has one name, `section.key`, and one variable, `ASSAY_SECTION_KEY`. A list is written with commas in a
//! variable or flag. What no layer can mean is an error that names the layer, never something to be left out.

use super::logs::{self, FilterError};
use crate::config::{Config, ConfigError};
use std::{collections::BTreeMap, fmt};
use toml::{Table, Value};

/// What the names of all variables begin with.
pub const VARIABLE_PREFIX: &str = "ASSAY_";

/// Variables that are no settings: where the home is, which is needed to find the file of settings, and those of Compose.
pub const OTHER_VARIABLES: [&str; 11] = [
    "ASSAY_HOME",
    "ASSAY_BIND",
    "ASSAY_CPUS",
    "ASSAY_GID",
    "ASSAY_HOMES",
    "ASSAY_IMAGE",
    "ASSAY_MEMORY",
    "ASSAY_MONITOR",
    "ASSAY_PROMETHEUS_IMAGE",
    "ASSAY_RESTART",
    "ASSAY_UID",
];

/// Where the value of a setting comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A file, by its name.
    File(String),
    /// A variable, by its name.
    Variable(String),
    /// A flag of the command line, as it is typed.
    Flag(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::File(name) | Self::Variable(name) | Self::Flag(name)) = self;
        f.write_str(name)
    }
}

/// One setting in a layer above the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// Its name, `section.key`.
    pub key: String,
    /// Its value, as text.
    pub value: String,
    /// Where it was found.
    pub source: Source,
}

/// All layers together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    /// The settings; [`Config::validate`] has passed.
    pub config: Config,
    /// Who set what is not left at its default.
    pub sources: BTreeMap<String, Source>,
}

/// A layer that cannot be meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The file is not TOML, has an unknown key, or a value of another type.
    #[error("{file}:{line}:{column}: {cause}; correct it, or see 'assay-node config show' for all keys")]
    File {
        /// The file's name.
        file: String,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// What is wrong there.
        cause: String,
    },
    /// A variable or flag names no setting.
    #[error("{source_name} is no setting; {remedy}")]
    Unknown {
        /// The variable, or the key of a flag.
        source_name: String,
        /// The nearest name there is, or where all are.
        remedy: String,
    },
    /// A variable's or flag's value is of another type than the setting.
    #[error("{source_name} is {value:?}: {cause}; correct it or leave it out")]
    Value {
        /// Where it was found.
        source_name: Source,
        /// The text.
        value: String,
        /// What is wrong.
        cause: String,
    },
    /// Out of bounds.
    #[error("{cause} (set by {source_name}); correct it or leave it out")]
    Invalid {
        /// Which setting, and its bounds.
        cause: ConfigError,
        /// Where it was found.
        source_name: String,
    },
    /// The log filter means nothing.
    #[error(transparent)]
    Filter(#[from] FilterError),
}

/// Every setting and its default, by name.
pub fn defaults() -> BTreeMap<String, Value> {
    values(&Config::default())
}

/// Every setting's value, by name.
pub fn values(config: &Config) -> BTreeMap<String, Value> {
    named(&table(config))
}

/// The variable of a setting: `p2p.listen` has `ASSAY_P2P_LISTEN`.
pub fn variable_of(key: &str) -> String {
    format!("{VARIABLE_PREFIX}{}", key.replace('.', "_").to_ascii_uppercase())
}

/// The settings among `variables`, which may be all of a process.
///
/// # Errors
/// [`SettingsError::Unknown`] for the first `ASSAY_*` variable that is none.
pub fn from_variables(variables: impl IntoIterator<Item = (String, String)>) -> Result<Vec<Override>, SettingsError> {
    let keys: BTreeMap<String, String> = defaults().into_keys().map(|key| (variable_of(&key), key)).collect();
    let mut found = Vec::new();
    for (name, value) in variables {
        if !name.starts_with(VARIABLE_PREFIX) || OTHER_VARIABLES.contains(&name.as_str()) {
            continue;
        }
        let Some(key) = keys.get(&name) else {
            return Err(unknown(name, keys.keys().map(String::as_str).chain(OTHER_VARIABLES)));
        };
        found.push(Override { key: key.clone(), value, source: Source::Variable(name) });
    }
    Ok(found)
}

/// Adds the layers up: the text of the file called `name`, then each of `overrides` in turn.
///
/// # Errors
/// [`SettingsError`] for the first thing that cannot be meant.
pub fn merge(name: &str, text: &str, overrides: &[Override]) -> Result<Effective, SettingsError> {
    let mut config: Config = toml::from_str(text).map_err(|error| in_file(name, text, &error))?;
    let set_in_file: Table = toml::from_str(text).map_err(|error| in_file(name, text, &error))?;
    let mut sources: BTreeMap<_, _> =
        named(&set_in_file).into_keys().map(|key| (key, Source::File(name.to_owned()))).collect();
    for Override { key, value, source } in overrides {
        config = set(&config, key, value, source)?;
        sources.insert(key.clone(), source.clone());
    }
    let default = defaults();
    let effective = values(&config);
    sources.retain(|key, _| effective.get(key) != default.get(key));
    logs::filter(&config.log.level)?;
    config.validate().map_err(|cause| {
        let (ConfigError::OutOfBounds { key, .. } | ConfigError::Address { key, .. }) = &cause;
        let key = key.trim_start_matches("number of ");
        SettingsError::Invalid { source_name: sources.get(key).map_or("default".into(), ToString::to_string), cause }
    })?;
    Ok(Effective { config, sources })
}

fn set(config: &Config, key: &str, text: &str, source: &Source) -> Result<Config, SettingsError> {
    let mut table = table(config);
    let place = key.split_once('.').and_then(|(section, key)| table.get_mut(section)?.as_table_mut()?.get_mut(key));
    let Some(place) = place else {
        return Err(unknown(key.to_owned(), defaults().keys().map(String::as_str)));
    };
    let wrong = |cause: String| SettingsError::Value { source_name: source.clone(), value: text.to_owned(), cause };
    *place = match place {
        Value::Integer(_) => Value::Integer(text.parse().map_err(|_| wrong("expected a whole number".into()))?),
        Value::Boolean(_) => Value::Boolean(text.parse().map_err(|_| wrong("expected true or false".into()))?),
        Value::Array(_) => {
            Value::Array(text.split(',').filter(|item| !item.is_empty()).map(|item| item.trim().into()).collect())
        }
        _ => Value::String(text.to_owned()),
    };
    table.try_into().map_err(|error: toml::de::Error| wrong(one_line(error.message())))
}

fn table(config: &Config) -> Table {
    Table::try_from(config).expect("the settings have a TOML form")
}

/// The values of a table of sections by `section.key`.
fn named(sections: &Table) -> BTreeMap<String, Value> {
    let of_section = |(section, values): (&String, &Value)| {
        let values = values.as_table().cloned().unwrap_or_default();
        values.into_iter().map(|(key, value)| (format!("{section}.{key}"), value)).collect::<Vec<_>>()
    };
    sections.iter().flat_map(of_section).collect()
}

fn in_file(name: &str, text: &str, error: &toml::de::Error) -> SettingsError {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    SettingsError::File { file: name.to_owned(), line, column, cause: one_line(error.message()) }
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(", ")
}

fn unknown<'a>(name: String, known: impl Iterator<Item = &'a str>) -> SettingsError {
    // Further away than a third of its letters a name is no slip of the pen.
    let near = known.map(|other| (edits(&name, other), other)).filter(|(distance, _)| distance * 3 <= name.len());
    let remedy = match near.min() {
        Some((_, other)) => format!("did you mean {other}?"),
        None => "'assay-node config show' prints all, and the variable of p2p.listen is ASSAY_P2P_LISTEN".into(),
    };
    SettingsError::Unknown { remedy, source_name: name }
}

/// Levenshtein's distance: insertions, deletions and replacements of bytes that make `a` into `b`.
fn edits(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
