//! Map keys as text: what can be a key, and how it is written.
//!
//! Other languages and JSON know only names, so a key must have one obvious spelling that can be
//! read back. Numbers, booleans, letters and unit variants have; lists and structs have not.

use std::fmt::Display;

use serde::ser::Impossible;
use serde::{Serialize, Serializer};

use super::RecordError;

pub(super) struct KeySerializer;

fn refuse<T>(found: &str) -> Result<T, RecordError> {
    Err(RecordError::mismatch("a map key that can be text", found))
}

fn spell(scalar: impl Display) -> Result<String, RecordError> {
    Ok(scalar.to_string())
}

macro_rules! spelled {
    ($($method:ident($ty:ty))*) => {$(
        fn $method(self, scalar: $ty) -> Result<String, RecordError> {
            spell(scalar)
        }
    )*};
}

type Never = Impossible<String, RecordError>;

impl Serializer for KeySerializer {
    type Ok = String;
    type Error = RecordError;
    type SerializeSeq = Never;
    type SerializeTuple = Never;
    type SerializeTupleStruct = Never;
    type SerializeTupleVariant = Never;
    type SerializeMap = Never;
    type SerializeStruct = Never;
    type SerializeStructVariant = Never;

    spelled! {
        serialize_bool(bool) serialize_char(char) serialize_str(&str)
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64)
        serialize_f32(f32) serialize_f64(f64)
    }

    fn serialize_i128(self, _: i128) -> Result<String, RecordError> {
        Err(RecordError::unsupported("i128"))
    }

    fn serialize_u128(self, _: u128) -> Result<String, RecordError> {
        Err(RecordError::unsupported("u128"))
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<String, RecordError> {
        match std::str::from_utf8(bytes) {
            Ok(text) => spell(text),
            Err(_) => refuse("bytes that are not UTF-8"),
        }
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<String, RecordError> {
        spell(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        inner: &T,
    ) -> Result<String, RecordError> {
        inner.serialize(self)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, inner: &T) -> Result<String, RecordError> {
        inner.serialize(self)
    }

    fn serialize_none(self) -> Result<String, RecordError> {
        refuse("null")
    }

    fn serialize_unit(self) -> Result<String, RecordError> {
        refuse("null")
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<String, RecordError> {
        refuse("null")
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<String, RecordError> {
        refuse("a variant that carries a value")
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Never, RecordError> {
        refuse("a list")
    }

    fn serialize_tuple(self, _: usize) -> Result<Never, RecordError> {
        refuse("a tuple")
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Never, RecordError> {
        refuse("a tuple")
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Never, RecordError> {
        refuse("a variant that carries a tuple")
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Never, RecordError> {
        refuse("a map")
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Never, RecordError> {
        refuse("a struct")
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Never, RecordError> {
        refuse("a variant that carries a struct")
    }
}
