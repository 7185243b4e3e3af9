//! `report.json`: the record itself.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

use crate::record::Record;

/// Objects and arrays deeper than this are written on one line: the samples of one node.
const OPEN_DEPTH_MAX: usize = 4;

/// The record as indented JSON with a final newline. Object keys are in the order of the struct; the samples of one
/// node are one line, so that a long run stays small and two runs can be compared line by line.
pub fn json(record: &Record) -> String {
    to_json(record)
}

/// # Panics
/// Never for the types of this crate: all map keys are strings and no serializer of theirs fails.
pub(crate) fn to_json<T: Serialize>(value: &T) -> String {
    let mut out = Vec::new();
    let layout = Layout { pretty: PrettyFormatter::new(), depth: 0 };
    value.serialize(&mut Serializer::with_formatter(&mut out, layout)).expect("a record is plain data");
    out.push(b'\n');
    String::from_utf8(out).expect("JSON is UTF-8")
}

/// Indents down to [`OPEN_DEPTH_MAX`].
struct Layout {
    pretty: PrettyFormatter<'static>,
    depth: usize,
}

impl Layout {
    fn is_open(&self) -> bool {
        self.depth <= OPEN_DEPTH_MAX
    }

    fn comma<W: Write + ?Sized>(writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }
}

impl Formatter for Layout {
    fn begin_array<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth += 1;
        if self.is_open() { self.pretty.begin_array(writer) } else { writer.write_all(b"[") }
    }

    fn end_array<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        let open = self.is_open();
        self.depth -= 1;
        if open { self.pretty.end_array(writer) } else { writer.write_all(b"]") }
    }

    fn begin_array_value<W: Write + ?Sized>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if self.is_open() { self.pretty.begin_array_value(writer, first) } else { Layout::comma(writer, first) }
    }

    fn end_array_value<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        if self.is_open() { self.pretty.end_array_value(writer) } else { Ok(()) }
    }

    fn begin_object<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth += 1;
        if self.is_open() { self.pretty.begin_object(writer) } else { writer.write_all(b"{") }
    }

    fn end_object<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        let open = self.is_open();
        self.depth -= 1;
        if open { self.pretty.end_object(writer) } else { writer.write_all(b"}") }
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if self.is_open() { self.pretty.begin_object_key(writer, first) } else { Layout::comma(writer, first) }
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn end_object_value<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        if self.is_open() { self.pretty.end_object_value(writer) } else { Ok(()) }
    }
}
