//! The side door: tuples whose shape is known only at run time.
//!
//! Typed streams check everything at compile time and never pay for it. A component written in
//! another language, or a topology declared in TOML, cannot take part in that. For them there is
//! the [`Record`]: a [`Schema`] and one [`Value`] per field.
//!
//! ```text
//!   struct Count { word: Bytes, n: u64 }             { "word": "storm", "n": 3 }
//!            |          ^                                  |           ^
//!   Record::of          Record::to                    Deserialize   Serialize
//!            v          |                                  v           |
//!          Record: Count(word: Bytes, n: u64) + [b"storm", 3]  <->  bincode
//! ```
//!
//! Any serde type goes both ways. The rules, in full:
//!
//! - A struct or map gives one value per schema field, matched by name. All else - a number, a
//!   list, a tuple struct, an enum - is kept whole in a single field called `value`.
//! - Newtypes are transparent, `None` and `()` are null, sets and tuples are lists.
//! - Enums are tagged from outside: `"Idle"`, or `{"Busy": {..}}`.
//! - Map keys become text: numbers, booleans, unit variants and UTF-8 bytes can be keys.
//! - Who asks for a string gets bytes too if they are UTF-8; who asks for bytes gets text too.
//!
//! Files: `value`, `schema` and `error` are the nouns; `ser` and `de` connect them to Rust types,
//! `wire` to other formats.

mod convert;
mod de;
mod display;
mod error;
mod interned;
mod schema;
mod ser;
mod tuple;
mod value;
mod wire;

#[cfg(test)]
mod compact_test;
#[cfg(test)]
mod record_test;
#[cfg(test)]
mod refusal_test;
#[cfg(test)]
mod schema_test;
#[cfg(test)]
mod top_test;

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use error::RecordError;
pub use interned::Interned;
pub use schema::{Field, Schema};
pub use value::Value;

use de::RecordDeserializer;
use ser::RecordSerializer;

/// A dynamic tuple: a schema, and as many values as it has fields.
///
/// ```
/// use std::sync::Arc;
/// use serde::{Deserialize, Serialize};
/// use tormenta_dsl::record::{Record, Schema};
///
/// #[derive(Serialize, Deserialize)]
/// struct Count {
///     word: String,
///     n: u64,
/// }
///
/// # fn main() -> Result<(), tormenta_dsl::record::RecordError> {
/// let schema = Arc::new(Schema::new("Count", &[("word", "String"), ("n", "u64")]));
/// let record = Record::of(schema, &Count { word: "storm".to_owned(), n: 3 })?;
/// assert_eq!(record.to_string(), r#"{word: "storm", n: 3}"#);
/// assert_eq!(record.to::<Count>()?.n, 3);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    schema: Held,
    values: Vec<Value>,
}

/// How a record refers to its schema.
#[derive(Clone, Debug)]
enum Held {
    Interned(Interned),
    Counted(Arc<Schema>),
}

impl Held {
    #[inline]
    fn get(&self) -> &Arc<Schema> {
        match self {
            Self::Interned(schema) => schema.get(),
            Self::Counted(schema) => schema,
        }
    }
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl Record {
    /// A record of `values`, in the order of the schema's fields.
    ///
    /// Kinds are not checked: they are Rust types, and the values may come from elsewhere.
    ///
    /// # Errors
    ///
    /// [`RecordError::Arity`] unless there is one value per field.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use tormenta_dsl::record::{Record, Schema};
    ///
    /// let schema = Arc::new(Schema::new("Count", &[("word", "String"), ("n", "u64")]));
    /// assert!(Record::new(schema.clone(), vec!["storm".into(), 3.into()]).is_ok());
    /// assert!(Record::new(schema, vec!["storm".into()]).is_err());
    /// ```
    pub fn new(schema: Arc<Schema>, values: Vec<Value>) -> Result<Self, RecordError> {
        Self::checked(Held::Counted(schema), values)
    }

    /// A record of `values` whose schema is [interned](Interned): to make one counts no references,
    /// which for small records is a good part of what they cost.
    ///
    /// # Errors
    ///
    /// [`RecordError::Arity`] unless there is one value per field.
    ///
    /// ```
    /// use tormenta_dsl::record::{Interned, Record, Schema};
    ///
    /// let schema = Interned::new(Schema::new("Count", &[("word", "String"), ("n", "u64")]));
    /// let record = Record::of_interned(schema, vec!["storm".into(), 3.into()]).unwrap();
    /// assert_eq!(record.to_string(), r#"{word: "storm", n: 3}"#);
    /// ```
    #[inline]
    pub fn of_interned(schema: Interned, values: Vec<Value>) -> Result<Self, RecordError> {
        Self::checked(Held::Interned(schema), values)
    }

    #[inline]
    fn checked(schema: Held, values: Vec<Value>) -> Result<Self, RecordError> {
        let (expected, found) = (schema.get().fields().len(), values.len());
        if expected == found {
            Ok(Self { schema, values })
        } else {
            Err(arity(schema.get(), found))
        }
    }

    /// What `value` looks like through `schema`.
    ///
    /// A record or a JSON object is a `value` too, so this also gives a record another schema.
    /// A field that `skip_serializing_if` leaves out becomes null, so its type must read null, as
    /// an `Option` does.
    ///
    /// # Errors
    ///
    /// When `value` lacks a field of the schema or has one that the schema lacks, and in all
    /// cases of [`Value::of`].
    ///
    /// ```
    /// use std::sync::Arc;
    /// use tormenta_dsl::record::{Record, Schema, Value};
    ///
    /// let schema = Arc::new(Schema::new("Reading", &[("value", "f64")]));
    /// let record = Record::of(schema, &1.5).unwrap();
    /// assert_eq!(record.get("value"), Some(&Value::Float(1.5)));
    /// ```
    pub fn of<T: Serialize + ?Sized>(schema: Arc<Schema>, value: &T) -> Result<Self, RecordError> {
        let values = value.serialize(RecordSerializer::new(&schema))?;
        Self::new(schema, values)
    }

    /// Reads this record as a `T`; fields that `T` does not know are ignored.
    ///
    /// # Errors
    ///
    /// When a field is missing or does not fit. The error names it, and what was found instead.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use tormenta_dsl::record::{Record, Schema};
    ///
    /// #[derive(Debug, serde::Deserialize)]
    /// struct Count {
    ///     n: u8,
    /// }
    ///
    /// let schema = Arc::new(Schema::new("Count", &[("n", "u64")]));
    /// let record = Record::new(schema, vec![300.into()]).unwrap();
    /// let error = record.to::<Count>().unwrap_err();
    /// assert_eq!(error.to_string(), "field `n`: expected u8, found integer `300`");
    /// ```
    pub fn to<T: DeserializeOwned>(&self) -> Result<T, RecordError> {
        T::deserialize(RecordDeserializer::new(self))
    }

    /// The schema. Clone the `Arc` to make more records of the same shape.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use tormenta_dsl::record::{Record, Schema};
    /// let schema = Arc::new(Schema::new("Tick", &[]));
    /// let record = Record::new(Arc::clone(&schema), vec![]).unwrap();
    /// assert!(Arc::ptr_eq(record.schema(), &schema));
    /// ```
    #[inline]
    pub fn schema(&self) -> &Arc<Schema> {
        self.schema.get()
    }

    /// The values, in the order of the schema's fields.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use tormenta_dsl::record::{Record, Schema, Value};
    /// let schema = Arc::new(Schema::new("Count", &[("n", "u64")]));
    /// let record = Record::new(schema, vec![3.into()]).unwrap();
    /// assert_eq!(record.values(), [Value::Int(3)]);
    /// ```
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The values alone, to be kept or changed without a copy.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use tormenta_dsl::record::{Record, Schema, Value};
    /// let schema = Arc::new(Schema::new("Count", &[("n", "u64")]));
    /// let record = Record::new(schema, vec![3.into()]).unwrap();
    /// assert_eq!(record.into_values(), vec![Value::Int(3)]);
    /// ```
    pub fn into_values(self) -> Vec<Value> {
        self.values
    }

    /// The value of the field called `name`.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use tormenta_dsl::record::{Record, Schema, Value};
    /// let schema = Arc::new(Schema::new("Count", &[("n", "u64")]));
    /// let record = Record::new(schema, vec![3.into()]).unwrap();
    /// assert_eq!(record.get("n").and_then(Value::as_int), Some(3));
    /// assert_eq!(record.get("m"), None);
    /// ```
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.schema().position(name).and_then(|position| self.values.get(position))
    }

    /// Names and values, in the order of the schema.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use tormenta_dsl::record::{Record, Schema, Value};
    /// let schema = Arc::new(Schema::new("Count", &[("n", "u64")]));
    /// let record = Record::new(schema, vec![3.into()]).unwrap();
    /// assert_eq!(record.iter().next(), Some(("n", &Value::Int(3))));
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.schema().fields().iter().map(|field| field.name.as_ref()).zip(&self.values)
    }
}

#[cold]
fn arity(schema: &Schema, found: usize) -> RecordError {
    RecordError::Arity { schema: schema.name().to_owned(), expected: schema.fields().len(), found }
}
