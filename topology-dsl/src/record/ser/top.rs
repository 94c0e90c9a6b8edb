//! The outermost layer of a record: a struct spreads over the schema, all else goes into `value`.
//!
//! One case needs a decision. When the schema is just `value`, a struct may be meant either way:
//! `Reading { value: 1.5 }` is spread, a newtype around `Point { x, y }` is kept whole. The
//! number of entries tells: exactly one called `value` is spread. `de::top` decides likewise.

use serde::ser::{
    Error, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};
use serde::{Serialize, Serializer};

use super::compound::{ListSerializer, MapSerializer};
use super::key::KeySerializer;
use super::{BYTES_MARK, RecordError, Value, ValueSerializer};
use crate::record::error::one_of;
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

    /// A value without fields of its own, for a schema that must then be just `value`.
    fn lone(self, value: Result<Value, RecordError>) -> Values {
        if !self.schema.is_lone() {
            return Err(unknown(self.schema, LONE));
        }
        Ok(vec![value.map_err(|error| error.within(LONE))?])
    }

    /// `()` and unit structs: a record without fields, or a null.
    fn nothing(self) -> Values {
        if self.schema.fields().is_empty() { Ok(Vec::new()) } else { self.lone(Ok(Value::Null)) }
    }

    fn inside<C>(self, inner: Result<C, RecordError>) -> Result<Whole<'s, C>, RecordError> {
        Ok(Whole { top: self, inner: inner? })
    }

    fn fields(self) -> Result<Fields<'s>, RecordError> {
        if self.schema.is_lone() {
            return VALUE().serialize_map(None).map(Fields::Undecided);
        }
        Ok(Fields::Spread(Slots::new(self.schema)))
    }
}

fn unknown(schema: &Schema, field: &str) -> RecordError {
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name.as_ref()).collect();
    RecordError::Unknown { field: field.to_owned(), expected: one_of(&names) }
}

/// Where the fields of a struct or map go.
pub(in crate::record) enum Fields<'s> {
    /// The schema is just `value`; see the head of this file.
    Undecided(MapSerializer),
    /// Each to the place of its name.
    Spread(Slots<'s>),
}

/// One place per field of the schema, filled in any order.
pub(in crate::record) struct Slots<'s> {
    schema: &'s Schema,
    slots: Vec<Option<Value>>,
    /// Place of the last key written by a map.
    key: Option<usize>,
    /// Place that comes next if the fields arrive in schema order, as those of a struct do.
    next: usize,
}

impl<'s> Slots<'s> {
    fn new(schema: &'s Schema) -> Self {
        Self { schema, slots: vec![None; schema.fields().len()], key: None, next: 0 }
    }

    fn place(&mut self, name: &str) -> Result<usize, RecordError> {
        let fields = self.schema.fields();
        let expected = fields.get(self.next).filter(|field| field.name == name);
        let found = expected.map(|_| self.next).or_else(|| self.schema.position(name));
        let place = found.ok_or_else(|| unknown(self.schema, name))?;
        self.next = place + 1;
        Ok(place)
    }

    fn put<T: Serialize + ?Sized>(&mut self, place: usize, value: &T) -> Result<(), RecordError> {
        let name = || self.schema.fields()[place].name.as_ref();
        let value = value.serialize(VALUE()).map_err(|error| error.within(name()))?;
        match self.slots[place].replace(value) {
            None => Ok(()),
            Some(_) => Err(RecordError::Duplicate { field: name().to_owned() }),
        }
    }

    fn finish(self) -> Values {
        let missing = |place: usize| {
            RecordError::Missing { field: self.schema.fields()[place].name.to_string() }
        };
        let slots = self.slots.into_iter().enumerate();
        slots.map(|(place, slot)| slot.ok_or_else(|| missing(place))).collect()
    }
}
