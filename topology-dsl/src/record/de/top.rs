//! The outermost layer of a record: the mirror of `ser::top`.
//!
//! A target that is a struct or map sees the fields by name; any other sees what stands in the
//! single field `value`. If a record is just `value` and that is a map, it was a struct kept whole
//! and is read as one - unless the target's only field is `value` itself.

use serde::de::{Deserializer, Visitor};

use super::access::EntriesAccess;
use super::{RecordError, Value};
use crate::record::Record;
use crate::record::schema::LONE;

/// Reads one record.
#[derive(Clone, Copy)]
pub(in crate::record) struct RecordDeserializer<'de> {
    record: &'de Record,
}

impl<'de> RecordDeserializer<'de> {
    pub(in crate::record) fn new(record: &'de Record) -> Self {
        Self { record }
    }

    /// The value of a record that has just one, called `value`.
    fn lone(self) -> Option<&'de Value> {
        self.record.values().first().filter(|_| self.record.schema().is_lone())
    }

    /// Reads the single value, for a target that is not a struct.
    fn with_lone<T>(
        self,
        read: impl FnOnce(&'de Value) -> Result<T, RecordError>,
    ) -> Result<T, RecordError> {
        match self.lone() {
            Some(value) => read(value).map_err(|error| error.within(LONE)),
            None => {
                let found = format!("the schema {}", self.record.schema());
                Err(RecordError::mismatch(format!("the single field `{LONE}`"), found))
            }
        }
    }

    fn spread<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RecordError> {
        visitor.visit_map(EntriesAccess::new(self.record.iter()))
    }
}

macro_rules! lone {
    ($($method:ident($($arg:ident: $ty:ty),*))*) => {$(
        fn $method<V: Visitor<'de>>(
            self,
            $($arg: $ty,)*
            visitor: V,
        ) -> Result<V::Value, RecordError> {
            self.with_lone(|value| value.$method($($arg,)* visitor))
        }
    )*};
}

type Names = &'static [&'static str];

impl<'de> Deserializer<'de> for RecordDeserializer<'de> {
    type Error = RecordError;

    lone! {
        deserialize_bool() deserialize_char()
        deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64()
        deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64()
        deserialize_i128() deserialize_u128() deserialize_f32() deserialize_f64()
        deserialize_str() deserialize_string() deserialize_identifier()
        deserialize_bytes() deserialize_byte_buf()
        deserialize_seq()
        deserialize_tuple(length: usize)
        deserialize_tuple_struct(name: &'static str, length: usize)
        deserialize_enum(name: &'static str, variants: Names)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RecordError> {
        match self.lone() {
            Some(_) => self.with_lone(|value| value.deserialize_any(visitor)),
            None => self.spread(visitor),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RecordError> {
        match self.lone() {
            Some(Value::Map(_)) => self.with_lone(|value| value.deserialize_map(visitor)),
            _ => self.spread(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: Names,
        visitor: V,
    ) -> Result<V::Value, RecordError> {
        if fields == [LONE] { self.spread(visitor) } else { self.deserialize_map(visitor) }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RecordError> {
        match self.lone() {
            Some(Value::Null) => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RecordError> {
        if self.record.values().is_empty() {
            return visitor.visit_unit();
        }
        self.with_lone(|value| value.deserialize_unit(visitor))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, RecordError> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, RecordError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RecordError> {
        visitor.visit_unit()
    }
}
