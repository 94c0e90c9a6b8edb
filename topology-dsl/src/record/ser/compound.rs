//! Lists and maps under construction.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::ser::{
    Error, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};

use super::key::KeySerializer;
use super::{RecordError, Value, ValueSerializer, tagged};

/// Memory reserved for a list before its elements have come, in elements: the length is what the
/// type claims, and a type may claim anything.
const RESERVE_MAX: usize = 1024;

/// A list, or the list in a tuple variant.
pub(in crate::record) struct ListSerializer {
    inner: ValueSerializer,
    items: Vec<Value>,
    variant: Option<&'static str>,
}

impl ListSerializer {
    pub(super) fn new(inner: ValueSerializer, length: Option<usize>) -> Self {
        let items = Vec::with_capacity(length.unwrap_or(0).min(RESERVE_MAX));
        Self { inner, items, variant: None }
    }

    pub(super) fn tagged(self, variant: &'static str) -> Self {
        Self { variant: Some(variant), ..self }
    }

    fn push<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), RecordError> {
        match item.serialize(self.inner) {
            Ok(item) => {
                self.items.push(item);
                Ok(())
            }
            Err(error) => Err(locate(self.variant, error.within_index(self.items.len()))),
        }
    }

    fn finish(self) -> Value {
        wrap(self.variant, Value::List(self.items))
    }
}

/// A map or struct, or the struct in a struct variant.
pub(in crate::record) struct MapSerializer {
    inner: ValueSerializer,
    entries: BTreeMap<String, Value>,
    key: Option<String>,
    variant: Option<&'static str>,
}

impl MapSerializer {
    pub(super) fn new(inner: ValueSerializer) -> Self {
        Self { inner, entries: BTreeMap::new(), key: None, variant: None }
    }

    pub(super) fn tagged(self, variant: &'static str) -> Self {
        Self { variant: Some(variant), ..self }
    }

    fn put<T: Serialize + ?Sized>(&mut self, key: String, value: &T) -> Result<(), RecordError> {
        match value.serialize(self.inner) {
            Ok(value) => {
                self.entries.insert(key, value);
                Ok(())
            }
            Err(error) => Err(locate(self.variant, error.within(&key))),
        }
    }

    fn finish(self) -> Value {
        wrap(self.variant, Value::Map(self.entries))
    }
}

fn locate(variant: Option<&'static str>, error: RecordError) -> RecordError {
    match variant {
        Some(variant) => error.within(variant),
        None => error,
    }
}

fn wrap(variant: Option<&'static str>, inner: Value) -> Value {
    match variant {
        Some(variant) => tagged(variant, inner),
        None => inner,
    }
}

macro_rules! lists {
    ($($trait:ident::$method:ident)*) => {$(
        impl $trait for ListSerializer {
            type Ok = Value;
            type Error = RecordError;

            fn $method<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), RecordError> {
                self.push(item)
            }

            fn end(self) -> Result<Value, RecordError> {
                Ok(self.finish())
            }
        }
    )*};
}

lists! {
    SerializeSeq::serialize_element
    SerializeTuple::serialize_element
    SerializeTupleStruct::serialize_field
    SerializeTupleVariant::serialize_field
}

macro_rules! structs {
    ($($trait:ident)*) => {$(
        impl $trait for MapSerializer {
            type Ok = Value;
            type Error = RecordError;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), RecordError> {
                self.put(name.to_owned(), value)
            }

            fn end(self) -> Result<Value, RecordError> {
                Ok(self.finish())
            }
        }
    )*};
}

structs!(SerializeStruct SerializeStructVariant);

impl SerializeMap for MapSerializer {
    type Ok = Value;
    type Error = RecordError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), RecordError> {
        self.key = Some(key.serialize(KeySerializer)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), RecordError> {
        let key = self.key.take().ok_or_else(|| RecordError::custom("a value before its key"))?;
        self.put(key, value)
    }

    fn end(self) -> Result<Value, RecordError> {
        Ok(self.finish())
    }
}
