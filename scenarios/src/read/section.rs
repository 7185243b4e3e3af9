//! Typed access to a parsed TOML document that knows where everything stands.

use crate::error::{Bounds, Form, Place, Problem, ScenarioError};
use crate::{ByteSize, format_duration, parse_duration};
use std::{fmt::Display, ops::RangeInclusive, time::Duration};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// A file and its text.
pub(super) struct Source<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
}

impl Source<'_> {
    /// `problem` at a byte offset of the text.
    pub(super) fn error(&self, offset: usize, problem: Problem) -> ScenarioError {
        let place = Place::of(self.text, offset);
        ScenarioError::Invalid { file: self.file.to_owned(), place, problem: Box::new(problem) }
    }
}

/// A table whose keys are all known.
#[derive(Clone, Copy)]
pub(super) struct Section<'a> {
    pub(super) source: &'a Source<'a>,
    /// As messages write it.
    name: &'static str,
    /// None where something else stands in the place of a table.
    table: Option<&'a DeTable<'a>>,
    /// Where it begins.
    pub(super) offset: usize,
}

/// One value and its key.
#[derive(Clone, Copy)]
pub(super) struct Value<'a> {
    pub(super) source: &'a Source<'a>,
    pub(super) key: &'static str,
    /// Where the key stands.
    pub(super) key_offset: usize,
    inner: &'a Spanned<DeValue<'a>>,
}

impl<'a> Section<'a> {
    /// Opens a table; a key that is not in `known` is an error, the first one of the file if there are several.
    pub(super) fn open(
        source: &'a Source<'a>,
        name: &'static str,
        known: &'static [&'static str],
        table: &'a DeTable<'a>,
        offset: usize,
    ) -> Result<Self, ScenarioError> {
        let unknown = table.keys().filter(|key| !known.contains(&key.get_ref().as_ref()));
        match unknown.min_by_key(|key| key.span().start) {
            None => Ok(Section { source, name, table: Some(table), offset }),
            Some(key) => {
                let problem = Problem::UnknownKey { key: key.get_ref().to_string(), section: name, known };
                Err(source.error(key.span().start, problem))
            }
        }
    }

    /// The value of `key`, if it is there.
    pub(super) fn get(&self, key: &'static str) -> Option<Value<'a>> {
        let (spanned, inner) = self.table?.get_key_value(key)?;
        Some(Value { source: self.source, key, key_offset: spanned.span().start, inner })
    }

    /// The value of `key`; `form` is how the message says to write it if it is missing.
    pub(super) fn need(&self, key: &'static str, form: Form) -> Result<Value<'a>, ScenarioError> {
        let missing = || match self.table {
            Some(_) => Problem::MissingKey { key, section: self.name, form },
            None => Problem::OptionMissing { key, action: self.name },
        };
        self.get(key).ok_or_else(|| self.source.error(self.offset, missing()))
    }

    /// `read` of the value of `key`, or `default` if it is not there.
    pub(super) fn or<T>(
        &self,
        key: &'static str,
        default: T,
        read: impl FnOnce(Value<'a>) -> Result<T, ScenarioError>,
    ) -> Result<T, ScenarioError> {
        self.get(key).map_or(Ok(default), read)
    }
}

impl<'a> Value<'a> {
    /// `problem` where the value stands.
    pub(super) fn error(&self, problem: Problem) -> ScenarioError {
        self.source.error(self.inner.span().start, problem)
    }

    /// `problem` where the key stands.
    pub(super) fn key_error(&self, problem: Problem) -> ScenarioError {
        self.source.error(self.key_offset, problem)
    }

    /// Where the key stands.
    pub(super) fn place(&self) -> Place {
        Place::of(self.source.text, self.key_offset)
    }

    fn wrong_type(&self, form: Form) -> ScenarioError {
        self.error(Problem::WrongType { key: self.key, form, got: self.inner.get_ref().type_str() })
    }

    /// A string that is not written as `form` says.
    pub(super) fn malformed(&self, form: Form, got: &str) -> ScenarioError {
        self.error(Problem::Malformed { key: self.key, form, got: got.to_owned() })
    }

    fn out_of_bounds(&self, got: String, min: impl Display, max: impl Display) -> ScenarioError {
        let bounds = Bounds { min: min.to_string(), max: max.to_string() };
        self.error(Problem::OutOfBounds { key: self.key, got, bounds })
    }

    /// The string, which is to be written as `form` says.
    pub(super) fn text(&self, form: Form) -> Result<&'a str, ScenarioError> {
        self.inner.get_ref().as_str().ok_or_else(|| self.wrong_type(form))
    }

    /// The meaning of one of `words`.
    pub(super) fn word<T: Copy>(&self, words: &[(&str, T)], form: Form) -> Result<T, ScenarioError> {
        let text = self.text(form)?;
        let found = words.iter().find(|(word, _)| *word == text);
        found.map(|(_, meaning)| *meaning).ok_or_else(|| self.malformed(form, text))
    }

    /// A whole number within `bounds`.
    pub(super) fn integer(&self, bounds: RangeInclusive<u64>) -> Result<u64, ScenarioError> {
        let Some(integer) = self.inner.get_ref().as_integer() else { return Err(self.wrong_type(Form::Integer)) };
        let number = u64::from_str_radix(integer.as_str(), integer.radix()).ok();
        let within = number.filter(|number| bounds.contains(number));
        within.ok_or_else(|| self.out_of_bounds(integer.to_string(), bounds.start(), bounds.end()))
    }

    /// As [`Value::integer`], for bounds that fit 32 bits.
    pub(super) fn integer_u32(&self, bounds: RangeInclusive<u32>) -> Result<u32, ScenarioError> {
        let number = self.integer(u64::from(*bounds.start())..=u64::from(*bounds.end()))?;
        Ok(u32::try_from(number).unwrap_or(*bounds.end()))
    }

    /// A whole number within `bounds`, which may be negative.
    pub(super) fn signed(&self, bounds: RangeInclusive<i64>) -> Result<i64, ScenarioError> {
        let Some(integer) = self.inner.get_ref().as_integer() else { return Err(self.wrong_type(Form::Signed)) };
        let number = i64::from_str_radix(integer.as_str(), integer.radix()).ok();
        let within = number.filter(|number| bounds.contains(number));
        within.ok_or_else(|| self.out_of_bounds(integer.to_string(), bounds.start(), bounds.end()))
    }

    /// A duration of at most `max` either way, with its sign, in milliseconds.
    pub(super) fn skew(&self, max: Duration) -> Result<i64, ScenarioError> {
        let text = self.text(Form::Skew)?;
        let (sign, unsigned) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
            (Some(unsigned), _) => (1, unsigned),
            (_, Some(unsigned)) => (-1, unsigned),
            _ => return Err(self.malformed(Form::Skew, text)),
        };
        let size = parse_duration(unsigned).ok_or_else(|| self.malformed(Form::Skew, text))?;
        let millis = i64::try_from(size.as_millis()).ok().filter(|_| size <= max && !size.is_zero());
        let bound = format_duration(max);
        let refused =
            || self.out_of_bounds(format!("{text:?}"), format!("\"-{bound}\""), format!("\"+{bound}\", and not 0"));
        Ok(sign * millis.ok_or_else(refused)?)
    }

    /// A number within `bounds`, written with or without a point.
    pub(super) fn number(&self, bounds: RangeInclusive<f64>) -> Result<f64, ScenarioError> {
        let (text, number) = match self.inner.get_ref() {
            DeValue::Float(float) => (float.to_string(), float.as_str().parse().ok()),
            DeValue::Integer(integer) => {
                let whole = i64::from_str_radix(integer.as_str(), integer.radix()).ok();
                (integer.to_string(), whole.map(|whole| whole as f64))
            }
            _ => return Err(self.wrong_type(Form::Number)),
        };
        let within = number.filter(|number| bounds.contains(number));
        within.ok_or_else(|| self.out_of_bounds(text, bounds.start(), bounds.end()))
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self) -> Result<bool, ScenarioError> {
        self.inner.get_ref().as_bool().ok_or_else(|| self.wrong_type(Form::Boolean))
    }

    /// A size in bytes within `bounds`.
    pub(super) fn bytes(&self, bounds: RangeInclusive<ByteSize>) -> Result<ByteSize, ScenarioError> {
        let text = self.text(Form::Bytes)?;
        let size = ByteSize::parse(text).ok_or_else(|| self.malformed(Form::Bytes, text))?;
        let [min, max] = [bounds.start(), bounds.end()].map(|bound| format!("\"{bound}\""));
        match bounds.contains(&size) {
            true => Ok(size),
            false => Err(self.out_of_bounds(format!("{text:?}"), min, max)),
        }
    }

    /// A duration within `bounds`.
    pub(super) fn duration(&self, bounds: RangeInclusive<Duration>) -> Result<Duration, ScenarioError> {
        let text = self.text(Form::Duration)?;
        let duration = parse_duration(text).ok_or_else(|| self.malformed(Form::Duration, text))?;
        self.within(duration, text, &bounds)?;
        Ok(duration)
    }

    /// Checks a duration that was written as (a part of) `text`.
    pub(super) fn within(
        &self,
        duration: Duration,
        text: &str,
        bounds: &RangeInclusive<Duration>,
    ) -> Result<(), ScenarioError> {
        if bounds.contains(&duration) {
            return Ok(());
        }
        let [min, max] = [bounds.start(), bounds.end()].map(|bound| format!("{:?}", format_duration(*bound)));
        Err(self.out_of_bounds(format!("{text:?}"), min, max))
    }

    /// The members of a list, each with this value's key; `form` is the form of the whole. An empty list is an error.
    pub(super) fn members(&self, form: Form) -> Result<Vec<Value<'a>>, ScenarioError> {
        let Some(array) = self.inner.get_ref().as_array() else { return Err(self.wrong_type(form)) };
        if array.is_empty() {
            return Err(self.error(Problem::EmptyList { key: self.key }));
        }
        Ok(array.iter().map(|inner| Value { inner, ..*self }).collect())
    }

    /// Whether it is a list without a member.
    pub(super) fn is_empty_list(&self) -> bool {
        self.inner.get_ref().as_array().is_some_and(|array| array.is_empty())
    }

    /// Whether it is a table.
    pub(super) fn is_table(&self) -> bool {
        self.inner.get_ref().is_table()
    }

    /// A table without any key, for a value that stands where a table may.
    pub(super) fn no_section(&self) -> Section<'a> {
        Section { source: self.source, name: self.key, table: None, offset: self.inner.span().start }
    }

    /// Whether it is a string.
    pub(super) fn is_text(&self) -> bool {
        self.inner.get_ref().is_str()
    }

    /// The table under this key.
    pub(super) fn section(
        &self,
        name: &'static str,
        known: &'static [&'static str],
        form: Form,
    ) -> Result<Section<'a>, ScenarioError> {
        let Some(table) = self.inner.get_ref().as_table() else { return Err(self.wrong_type(form)) };
        Section::open(self.source, name, known, table, self.inner.span().start)
    }
}
