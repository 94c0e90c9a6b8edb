//! The fields of a record under construction, sorted into the order of the schema.

use serde::ser::{Error, SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};

use super::compound::MapSerializer;
use super::key::KeySerializer;
use super::{RecordError, Value, ValueSerializer};
use crate::record::error::one_of;
use crate::record::schema::{LONE, Schema};

/// Where the fields of a struct or map go.
pub(in crate::record) enum FieldsSerializer<'s> {
    /// The schema is just `value`; the head of `top` tells how it is decided at the end.
    Undecided(MapSerializer),
    /// Each to the place of its name.
    Spread(Slots<'s>),
}

impl<'s> FieldsSerializer<'s> {
    pub(super) fn new(schema: &'s Schema) -> Result<Self, RecordError> {
        if schema.is_lone() {
            ValueSerializer::new().serialize_map(None).map(Self::Undecided)
        } else {
            Ok(Self::Spread(Slots::new(schema)))
        }
    }

    fn finish(self) -> Result<Vec<Value>, RecordError> {
        match self {
            Self::Undecided(map) => SerializeMap::end(map).map(|whole| vec![unwrap_lone(whole)]),
            Self::Spread(slots) => slots.finish(),
        }
    }
}

/// The value of `{value: ..}`; any other map as it is.
fn unwrap_lone(whole: Value) -> Value {
    match whole {
        Value::Map(mut entries) if entries.len() == 1 => match entries.remove(LONE) {
            Some(value) => value,
            None => Value::Map(entries),
        },
        other => other,
    }
}

/// One place per field of the schema, filled in any order.
pub(in crate::record) struct Slots<'s> {
    schema: &'s Schema,
    values: Vec<Option<Value>>,
    /// Place of the key that a map has just written.
    key: Option<usize>,
    /// Place that comes next if fields arrive in schema order, as those of a struct do.
    next: usize,
}

impl<'s> Slots<'s> {
    fn new(schema: &'s Schema) -> Self {
        Self { schema, values: vec![None; schema.fields().len()], key: None, next: 0 }
    }

    fn place(&mut self, name: &str) -> Result<usize, RecordError> {
        let in_order = self.schema.fields().get(self.next).is_some_and(|next| next.name == name);
        let found = if in_order { Some(self.next) } else { self.schema.position(name) };
        let place = found.ok_or_else(|| unknown(self.schema, name))?;
        self.next = place + 1;
        Ok(place)
    }

    fn put<T: Serialize + ?Sized>(&mut self, place: usize, value: &T) -> Result<(), RecordError> {
        let name = &self.schema.fields()[place].name;
        let value = value.serialize(ValueSerializer::new());
        match self.values[place].replace(value.map_err(|error| error.within(name))?) {
            None => Ok(()),
            Some(_) => Err(RecordError::Duplicate { field: name.to_string() }),
        }
    }

    fn finish(self) -> Result<Vec<Value>, RecordError> {
        let names = self.schema.fields().iter().map(|field| &field.name);
        let filled = self.values.into_iter().zip(names);
        let missing = |name: &str| RecordError::Missing { field: name.to_owned() };
        filled.map(|(value, name)| value.ok_or_else(|| missing(name))).collect()
    }
}

/// The error for a field that the schema lacks.
pub(super) fn unknown(schema: &Schema, field: &str) -> RecordError {
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name.as_ref()).collect();
    RecordError::Unknown { field: field.to_owned(), expected: one_of(&names) }
}

impl SerializeMap for FieldsSerializer<'_> {
    type Ok = Vec<Value>;
    type Error = RecordError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), RecordError> {
        match self {
            Self::Undecided(map) => map.serialize_key(key),
            Self::Spread(slots) => {
                slots.key = Some(slots.place(&key.serialize(KeySerializer)?)?);
                Ok(())
            }
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), RecordError> {
        match self {
            Self::Undecided(map) => map.serialize_value(value),
            Self::Spread(slots) => {
                let key = slots.key.take();
                slots.put(key.ok_or_else(|| RecordError::custom("a value before its key"))?, value)
            }
        }
    }

    fn end(self) -> Result<Vec<Value>, RecordError> {
        self.finish()
    }
}

impl SerializeStruct for FieldsSerializer<'_> {
    type Ok = Vec<Value>;
    type Error = RecordError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), RecordError> {
        match self {
            Self::Undecided(map) => SerializeStruct::serialize_field(map, name, value),
            Self::Spread(slots) => {
                let place = slots.place(name)?;
                slots.put(place, value)
            }
        }
    }

    fn skip_field(&mut self, name: &'static str) -> Result<(), RecordError> {
        match self {
            // Within a map a field that is left out needs no place.
            Self::Undecided(_) if name != LONE => Ok(()),
            _ => SerializeStruct::serialize_field(self, name, &()),
        }
    }

    fn end(self) -> Result<Vec<Value>, RecordError> {
        self.finish()
    }
}
