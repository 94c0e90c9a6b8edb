//! How values and records are read and written by *other* formats: JSON, TOML, bincode.
//!
//! | | formats for people | formats for machines |
//! |---|---|---|
//! | `Value` | itself: `3`, `"storm"`, `[1, 2]` | an enum, tagged by its case |
//! | `Record` | a map, `{"word": "storm", "n": 3}` | a struct of schema and values |
//!
//! Machines get everything back exactly. People give up two things for something they can read:
//! the schema (what is read has fields of kind `Value` and is called `Record`), and the difference
//! between text and bytes. [`Record::to`](super::Record::to) needs neither. Bytes that are not
//! UTF-8 become what the format makes of bytes, in JSON a list of numbers; JSON also turns NaN and
//! the infinities into null, as it always does.
//!
//! This file writes, `read` reads. The order of the cases in [`CASES`] is part of the format for
//! machines: append only.

mod read;

use serde::Serialize;
use serde::ser::Serializer;

use super::Record;
use super::schema::Schema;
use super::value::Value;

/// Marks bytes on their way through a format for people, so that our own serializer, which is one
/// of those, can tell them from text. All others see through the wrapper.
pub(super) const BYTES_MARK: &str = "$tormenta::Bytes";

const CASES: &[&str] = &["Null", "Bool", "Int", "UInt", "Float", "Text", "Bytes", "List", "Map"];

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            write_plain(self, serializer)
        } else {
            write_tagged(self, serializer)
        }
    }
}

fn write_plain<S: Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        // Not unit: TOML has no null, but leaves out what is `None`.
        Value::Null => serializer.serialize_none(),
        Value::Bool(truth) => serializer.serialize_bool(*truth),
        Value::Int(number) => serializer.serialize_i64(*number),
        Value::UInt(number) => serializer.serialize_u64(*number),
        Value::Float(number) => serializer.serialize_f64(*number),
        Value::Text(text) => serializer.serialize_str(text),
        Value::Bytes(bytes) => serializer.serialize_newtype_struct(BYTES_MARK, &PlainBytes(bytes)),
        Value::List(items) => serializer.collect_seq(items),
        Value::Map(entries) => serializer.collect_map(entries),
    }
}

fn write_tagged<S: Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
    const NAME: &str = "Value";
    match value {
        Value::Null => serializer.serialize_unit_variant(NAME, 0, CASES[0]),
        Value::Bool(truth) => serializer.serialize_newtype_variant(NAME, 1, CASES[1], truth),
        Value::Int(number) => serializer.serialize_newtype_variant(NAME, 2, CASES[2], number),
        Value::UInt(number) => serializer.serialize_newtype_variant(NAME, 3, CASES[3], number),
        Value::Float(number) => serializer.serialize_newtype_variant(NAME, 4, CASES[4], number),
        Value::Text(text) => serializer.serialize_newtype_variant(NAME, 5, CASES[5], text),
        Value::Bytes(bytes) => serializer.serialize_newtype_variant(NAME, 6, CASES[6], bytes),
        Value::List(items) => serializer.serialize_newtype_variant(NAME, 7, CASES[7], items),
        Value::Map(entries) => serializer.serialize_newtype_variant(NAME, 8, CASES[8], entries),
    }
}

struct PlainBytes<'a>(&'a [u8]);

impl Serialize for PlainBytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => serializer.serialize_bytes(self.0),
        }
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_map(self.iter())
        } else {
            WholeRef { schema: self.schema(), values: self.values() }.serialize(serializer)
        }
    }
}

#[derive(Serialize)]
#[serde(rename = "Record")]
struct WholeRef<'a> {
    schema: &'a Schema,
    values: &'a [Value],
}
