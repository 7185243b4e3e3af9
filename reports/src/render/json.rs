//! `report.json`: the record itself.

use serde::Serialize;

use crate::record::Record;

/// The record as indented JSON with a final newline. Object keys are in the order of the struct.
pub fn json(record: &Record) -> String {
    to_json(record)
}

/// # Panics
/// Never for the types of this crate: all map keys are strings and no serializer of theirs fails.
pub(crate) fn to_json<T: Serialize>(value: &T) -> String {
    serde_json::to_string_pretty(value).expect("a record is plain data with string keys") + "\n"
}
