//! Reading values and records: from formats that say what they hold, and from those that do not.
//!
//! What is read may come from a peer, so depth and reserved memory are bounded.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::CASES;
use crate::record::{Field, Record, RecordError, Schema, Value};

/// A length announced by a peer is a hint; memory is reserved for no more than this many elements
/// before they have arrived.
const RESERVE_MAX: usize = 1024;

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Reader { room: Self::DEPTH_MAX }.deserialize(deserializer)
    }
}

/// Reads one value that may hold `room` more levels of lists and maps.
#[derive(Clone, Copy)]
struct Reader {
    room: usize,
}

impl Reader {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        let depth_max = Value::DEPTH_MAX;
        let error = || E::custom(RecordError::Depth { field: String::new(), depth_max });
        self.room.checked_sub(1).map(|room| Self { room }).ok_or_else(error)
    }
}

impl<'de> DeserializeSeed<'de> for Reader {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(self)
        } else {
            deserializer.deserialize_enum("Value", CASES, self)
        }
    }
}

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Value, D::Error> {
        self.deserialize(inner)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Value, D::Error> {
        self.deserialize(inner)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Int(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Value, E> {
        Ok(Value::from(bytes))
    }

    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Value, E> {
        Ok(Value::Bytes(Bytes::from(bytes)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::with_capacity(access.size_hint().unwrap_or(0).min(RESERVE_MAX));
        while let Some(item) = access.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut entries = BTreeMap::new();
        while let Some(name) = access.next_key::<String>()? {
            entries.insert(name, access.next_value_seed(inner)?);
        }
        Ok(Value::Map(entries))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Value, A::Error> {
        let (case, variant) = access.variant()?;
        match case {
            Case::Null => variant.unit_variant().map(|()| Value::Null),
            Case::Bool => variant.newtype_variant().map(Value::Bool),
            Case::Int => variant.newtype_variant().map(Value::Int),
            Case::UInt => variant.newtype_variant::<u64>().map(Value::from),
            Case::Float => variant.newtype_variant().map(Value::Float),
            Case::Text => variant.newtype_variant().map(Value::Text),
            Case::Bytes => variant.newtype_variant().map(Value::Bytes),
            Case::List => variant.newtype_variant_seed(ListReader(self)),
            Case::Map => variant.newtype_variant_seed(MapReader(self)),
        }
    }
}

/// The tag of the format for machines, in the order of [`CASES`].
#[derive(Deserialize)]
#[serde(variant_identifier)]
enum Case {
    Null,
    Bool,
    Int,
    UInt,
    Float,
    Text,
    Bytes,
    List,
    Map,
}

struct ListReader(Reader);

impl<'de> DeserializeSeed<'de> for ListReader {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_seq(self.0)
    }
}

struct MapReader(Reader);

impl<'de> DeserializeSeed<'de> for MapReader {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_map(self.0)
    }
}

#[derive(Deserialize)]
#[serde(rename = "Record")]
struct Whole {
    schema: Schema,
    values: Vec<Value>,
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return deserializer.deserialize_map(RecordReader);
        }
        let whole = Whole::deserialize(deserializer)?;
        Self::new(Arc::new(whole.schema), whole.values).map_err(D::Error::custom)
    }
}

struct RecordReader;

impl<'de> Visitor<'de> for RecordReader {
    type Value = Record;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of field names to values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Record, A::Error> {
        let (mut fields, mut values) = (Vec::new(), Vec::new());
        while let Some((name, value)) = access.next_entry::<String, Value>()? {
            fields.push(Field::new(name, "Value"));
            values.push(value);
        }
        let schema = Schema::from_fields("Record", fields).map_err(A::Error::custom)?;
        Record::new(Arc::new(schema), values).map_err(A::Error::custom)
    }
}
