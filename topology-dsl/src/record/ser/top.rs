//! The outermost layer of a record: a struct spreads over the schema, all else goes into `value`.
//!
//! One case needs a decision. When the schema is just `value`, a struct may be meant either way:
//! `Reading { value: 1.5 }` is spread, a newtype around `Point { x, y }` is kept whole. The
//! entries tell: a single one called `value` is spread. `de::top` decides likewise.

use serde::ser::{
    SerializeSeq, SerializeStructVariant, SerializeTuple, SerializeTupleStruct,
    SerializeTupleVariant,
};
use serde::{Serialize, Serializer};

use super::compound::{ListSerializer, MapSerializer};
use super::fields::{FieldsSerializer, unknown};
use super::{BYTES_MARK, RecordError, Value, ValueSerializer};
use crate::record::schema::{LONE, Schema};

type Values = Result<Vec<Value>, RecordError>;

/// Builds the values of one record, in schema order.
#[derive(Clone, Copy)]
pub(in crate::record) struct RecordSerializer<'s> {
    schema: &'s Schema,
}

impl<'s> RecordSerializer<'s> {
    pub(in crate::record) fn new(schema: &'s Schema) -> Self {
        Self { schema }
    }

    /// A value without fields of its own; the schema must then be just `value`.
    fn lone(self, value: Result<Value, RecordError>) -> Values {
        if self.schema.is_lone() {
            Ok(vec![value.map_err(|error| error.within(LONE))?])
        } else {
            Err(unknown(self.schema, LONE))
        }
    }

    /// `()` and unit structs: a record without fields, or a null.
    fn nothing(self) -> Values {
        if self.schema.fields().is_empty() { Ok(Vec::new()) } else { self.lone(Ok(Value::Null)) }
    }

    fn whole<C>(
        self,
        inner: Result<C, RecordError>,
    ) -> Result<WholeSerializer<'s, C>, RecordError> {
        Ok(WholeSerializer { top: self, inner: inner? })
    }
}

macro_rules! scalars {
    ($($method:ident($ty:ty))*) => {$(
        fn $method(self, scalar: $ty) -> Values {
            self.lone(ValueSerializer::new().$method(scalar))
        }
    )*};
}

impl<'s> Serializer for RecordSerializer<'s> {
    type Ok = Vec<Value>;
    type Error = RecordError;
    type SerializeSeq = WholeSerializer<'s, ListSerializer>;
    type SerializeTuple = WholeSerializer<'s, ListSerializer>;
    type SerializeTupleStruct = WholeSerializer<'s, ListSerializer>;
    type SerializeTupleVariant = WholeSerializer<'s, ListSerializer>;
    type SerializeMap = FieldsSerializer<'s>;
    type SerializeStruct = FieldsSerializer<'s>;
    type SerializeStructVariant = WholeSerializer<'s, MapSerializer>;

    scalars! {
        serialize_bool(bool) serialize_char(char) serialize_str(&str) serialize_bytes(&[u8])
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64)
        serialize_i128(i128) serialize_u128(u128) serialize_f32(f32) serialize_f64(f64)
    }

    fn serialize_none(self) -> Values {
        self.lone(Ok(Value::Null))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, inner: &T) -> Values {
        inner.serialize(self)
    }

    fn serialize_unit(self) -> Values {
        self.nothing()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Values {
        self.nothing()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Values {
        self.lone(Ok(Value::from(variant)))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        inner: &T,
    ) -> Values {
        if name == BYTES_MARK {
            return self.lone(ValueSerializer::new().serialize_newtype_struct(name, inner));
        }
        inner.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        inner: &T,
    ) -> Values {
        let value = ValueSerializer::new();
        self.lone(value.serialize_newtype_variant(name, index, variant, inner))
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self::SerializeSeq, RecordError> {
        self.whole(ValueSerializer::new().serialize_seq(length))
    }

    fn serialize_tuple(self, length: usize) -> Result<Self::SerializeTuple, RecordError> {
        self.whole(ValueSerializer::new().serialize_tuple(length))
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleStruct, RecordError> {
        self.whole(ValueSerializer::new().serialize_tuple_struct(name, length))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleVariant, RecordError> {
        let value = ValueSerializer::new();
        self.whole(value.serialize_tuple_variant(name, index, variant, length))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<FieldsSerializer<'s>, RecordError> {
        FieldsSerializer::new(self.schema)
    }

    fn serialize_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<FieldsSerializer<'s>, RecordError> {
        FieldsSerializer::new(self.schema)
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStructVariant, RecordError> {
        let value = ValueSerializer::new();
        self.whole(value.serialize_struct_variant(name, index, variant, length))
    }
}

/// A list or map that becomes the one value of the record.
pub(in crate::record) struct WholeSerializer<'s, C> {
    top: RecordSerializer<'s>,
    inner: C,
}

macro_rules! wholes {
    ($($trait:ident for $inner:ident::$method:ident($($name:ident: $ty:ty)?))*) => {$(
        impl $trait for WholeSerializer<'_, $inner> {
            type Ok = Vec<Value>;
            type Error = RecordError;

            fn $method<T: Serialize + ?Sized>(
                &mut self,
                $($name: $ty,)?
                value: &T,
            ) -> Result<(), RecordError> {
                let pushed = $trait::$method(&mut self.inner, $($name,)? value);
                pushed.map_err(|error| error.within(LONE))
            }

            fn end(self) -> Values {
                self.top.lone($trait::end(self.inner))
            }
        }
    )*};
}

wholes! {
    SerializeSeq for ListSerializer::serialize_element()
    SerializeTuple for ListSerializer::serialize_element()
    SerializeTupleStruct for ListSerializer::serialize_field()
    SerializeTupleVariant for ListSerializer::serialize_field()
    SerializeStructVariant for MapSerializer::serialize_field(name: &'static str)
}
