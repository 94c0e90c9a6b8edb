//! From any serde type to [`Value`]: the scalars and the choice of container.
//!
//! `compound` fills lists and maps, `key` turns map keys into text, `top` is the outermost layer of
//! a record, and `fields` is where its fields are sorted into the schema's order.
//!
//! The serializer calls itself human readable, so that addresses and dates become text, which
//! other languages understand, instead of the numbers of one Rust crate.

mod compound;
mod fields;
mod key;
mod top;

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::error::RecordError;
use super::value::Value;
use super::wire::BYTES_MARK;

use compound::{ListSerializer, MapSerializer};

pub(super) use top::RecordSerializer;

/// Builds one [`Value`] that may hold `room` more levels of lists and maps.
#[derive(Clone, Copy)]
pub(super) struct ValueSerializer {
    room: usize,
}

impl ValueSerializer {
    pub(super) fn new() -> Self {
        Self { room: Value::DEPTH_MAX }
    }

    /// The serializer for what is inside the list or map about to be opened.
    fn deeper(self) -> Result<Self, RecordError> {
        let depth_max = Value::DEPTH_MAX;
        let error = RecordError::Depth { field: String::new(), depth_max };
        self.room.checked_sub(1).map(|room| Self { room }).ok_or(error)
    }

    fn list(self, length: Option<usize>) -> Result<ListSerializer, RecordError> {
        Ok(ListSerializer::new(self.deeper()?, length))
    }

    fn map(self) -> Result<MapSerializer, RecordError> {
        Ok(MapSerializer::new(self.deeper()?))
    }
}

/// An enum variant that carries `inner`, tagged from outside.
fn tagged(variant: &str, inner: Value) -> Value {
    Value::Map(BTreeMap::from([(variant.to_owned(), inner)]))
}

macro_rules! scalars {
    ($($method:ident($ty:ty))*) => {$(
        fn $method(self, scalar: $ty) -> Result<Value, RecordError> {
            Ok(Value::from(scalar))
        }
    )*};
}

impl Serializer for ValueSerializer {
    type Ok = Value;
    type Error = RecordError;
    type SerializeSeq = ListSerializer;
    type SerializeTuple = ListSerializer;
    type SerializeTupleStruct = ListSerializer;
    type SerializeTupleVariant = ListSerializer;
    type SerializeMap = MapSerializer;
    type SerializeStruct = MapSerializer;
    type SerializeStructVariant = MapSerializer;

    scalars! {
        serialize_bool(bool) serialize_char(char) serialize_str(&str) serialize_bytes(&[u8])
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64)
        serialize_f32(f32) serialize_f64(f64)
    }

    fn serialize_i128(self, _: i128) -> Result<Value, RecordError> {
        Err(RecordError::unsupported("i128"))
    }

    fn serialize_u128(self, _: u128) -> Result<Value, RecordError> {
        Err(RecordError::unsupported("u128"))
    }

    fn serialize_none(self) -> Result<Value, RecordError> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, inner: &T) -> Result<Value, RecordError> {
        inner.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, RecordError> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Value, RecordError> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Value, RecordError> {
        Ok(Value::from(variant))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        inner: &T,
    ) -> Result<Value, RecordError> {
        match inner.serialize(self)? {
            // A `Value` within a typed struct: bytes that went through as text come back.
            Value::Text(text) if name == BYTES_MARK => Ok(Value::Bytes(text.into())),
            value => Ok(value),
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        inner: &T,
    ) -> Result<Value, RecordError> {
        let inner = inner.serialize(self.deeper()?).map_err(|error| error.within(variant))?;
        Ok(tagged(variant, inner))
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<ListSerializer, RecordError> {
        self.list(length)
    }

    fn serialize_tuple(self, length: usize) -> Result<ListSerializer, RecordError> {
        self.list(Some(length))
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        length: usize,
    ) -> Result<ListSerializer, RecordError> {
        self.list(Some(length))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<ListSerializer, RecordError> {
        Ok(self.deeper()?.list(Some(length))?.tagged(variant))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<MapSerializer, RecordError> {
        self.map()
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<MapSerializer, RecordError> {
        self.map()
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<MapSerializer, RecordError> {
        Ok(self.deeper()?.map()?.tagged(variant))
    }
}
