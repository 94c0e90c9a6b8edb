//! From [`Value`] to any serde type.
//!
//! `access` walks lists, maps and enums, `key` reads map keys back from text, and `top` is the
//! outermost layer of a record.
//!
//! A target that asks for text or bytes is met half way, because only the producer knows whether
//! its text is surely UTF-8. Numbers are not converted to text or back: that would hide mistakes.

mod access;
mod key;
mod top;

use serde::de::value::SeqDeserializer;
use serde::de::{Deserializer, Error, Unexpected, Visitor};

use super::error::RecordError;
use super::value::Value;

use access::{EntriesAccess, ListAccess, VariantChoice};

pub(super) use top::RecordDeserializer;

impl Value {
    /// This value as serde reports it in "found ...".
    fn unexpected(&self) -> Unexpected<'_> {
        match self {
            Self::Null => Unexpected::Unit,
            Self::Bool(truth) => Unexpected::Bool(*truth),
            Self::Int(number) => Unexpected::Signed(*number),
            Self::UInt(number) => Unexpected::Unsigned(*number),
            Self::Float(number) => Unexpected::Float(*number),
            Self::Text(text) => Unexpected::Str(text),
            Self::Bytes(bytes) => Unexpected::Bytes(bytes),
            Self::List(_) => Unexpected::Seq,
            Self::Map(_) => Unexpected::Map,
        }
    }

    /// The text in which a target asks for a string.
    fn text(&self) -> Result<Option<&str>, RecordError> {
        match self {
            Self::Text(text) => Ok(Some(text)),
            Self::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Some(text)),
                Err(error) => {
                    let valid_up_to = error.valid_up_to();
                    Err(RecordError::Utf8 { field: String::new(), valid_up_to })
                }
            },
            _ => Ok(None),
        }
    }
}

macro_rules! forward {
    ($to:ident: $($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RecordError> {
            self.$to(visitor)
        }
    )*};
}

/// So `T::deserialize(&value)` works; [`Value::to`] is the shorter way.
impl<'de> Deserializer<'de> for &'de Value {
    type Error = RecordError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RecordError> {
        match self {
            Value::Null => visitor.visit_unit(),
            Value::Bool(truth) => visitor.visit_bool(*truth),
            Value::Int(number) => visitor.visit_i64(*number),
            Value::UInt(number) => visitor.visit_u64(*number),
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
            Value::List(items) => ListAccess::visit(items, visitor),
            Value::Map(entries) => visitor.visit_map(EntriesAccess::of_map(entries)),
        }
    }

    forward! { deserialize_any:
        deserialize_bool
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_f32 deserialize_f64
        deserialize_unit deserialize_map
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RecordError> {
        match self.text()? {
            Some(text) => visitor.visit_borrowed_str(text),
            None => self.deserialize_any(visitor),
        }
    }

    forward! { deserialize_str: deserialize_char deserialize_string deserialize_identifier }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RecordError> {
        match self.as_bytes() {
            Some(bytes) => visitor.visit_borrowed_bytes(bytes),
            None => self.deserialize_any(visitor),
        }
    }

    forward! { deserialize_bytes: deserialize_byte_buf }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RecordError> {
        match self {
            // A `Vec<u8>` in the target is a list to serde, but may well be meant as bytes.
            Value::Bytes(bytes) => {
                SeqDeserializer::new(bytes.iter().copied()).deserialize_seq(visitor)
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, RecordError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, RecordError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, RecordError> {
        self.deserialize_any(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, RecordError> {
        match (self, self.text()?) {
            (_, Some(variant)) => visitor.visit_enum(VariantChoice { variant, inner: None }),
            (Value::Map(entries), _) if entries.len() == 1 => match entries.first_key_value() {
                Some((variant, inner)) => {
                    visitor.visit_enum(VariantChoice { variant, inner: Some(inner) })
                }
                None => self.deserialize_any(visitor),
            },
            (Value::Map(entries), _) => {
                let found = format!("a map with {} entries", entries.len());
                Err(RecordError::mismatch("a variant: text or a map with one entry", found))
            }
            _ => Err(RecordError::invalid_type(self.unexpected(), &"a variant")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RecordError> {
        match self {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
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

    fn deserialize_i128<V: Visitor<'de>>(self, _: V) -> Result<V::Value, RecordError> {
        Err(RecordError::unsupported("i128"))
    }

    fn deserialize_u128<V: Visitor<'de>>(self, _: V) -> Result<V::Value, RecordError> {
        Err(RecordError::unsupported("u128"))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RecordError> {
        visitor.visit_unit()
    }
}
