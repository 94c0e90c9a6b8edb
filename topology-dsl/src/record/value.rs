//! One dynamic value: what every language that could stand beside us can say.
//!
//! The set is closed on purpose. Anything that serde can describe maps onto it, and whoever
//! writes a component in another language has nine cases to handle.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::RecordError;
use super::ser::ValueSerializer;

/// A value of any type, as it stands in a [`Record`](super::Record).
///
/// Text and bytes are near relations here, because real text is not always UTF-8: whoever asks for
/// a string also gets bytes that are valid UTF-8, whoever asks for bytes also gets text.
/// They are not *equal*, though, and neither are `1` and `1.0`.
///
/// ```
/// use tormenta_dsl::record::Value;
///
/// let value = Value::from(vec![1, 2]);
/// assert_eq!(value, Value::List(vec![Value::Int(1), Value::Int(2)]));
/// assert_eq!(value.to_string(), "[1, 2]");
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// Nothing: `None`, `()`.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// Any integer that an `i64` can hold.
    Int(i64),
    /// An integer above `i64::MAX`. Smaller ones are [`Value::Int`], so that equal numbers are
    /// equal values; `Value::from(n)` chooses.
    UInt(u64),
    /// A floating point number.
    Float(f64),
    /// Text.
    Text(String),
    /// Bytes, whatever they mean.
    Bytes(Bytes),
    /// A sequence: lists, tuples, sets.
    List(Vec<Value>),
    /// Names and values: structs, maps, enum variants that carry something.
    Map(BTreeMap<String, Value>),
}

impl Value {
    /// How many lists and maps may be nested in each other, in levels.
    ///
    /// Values are walked by recursion and read from the network; a bound keeps a hostile or broken
    /// peer from overflowing the stack, which no `catch_unwind` survives.
    pub const DEPTH_MAX: usize = 128;

    /// What `value` looks like without its type.
    ///
    /// # Errors
    ///
    /// `u128` and `i128`, map keys that are not text-like, nesting beyond [`Value::DEPTH_MAX`],
    /// and whatever the type's own `Serialize` reports.
    ///
    /// ```
    /// use tormenta_dsl::record::Value;
    ///
    /// assert_eq!(Value::of(&Some("storm")).unwrap(), Value::from("storm"));
    /// assert!(Value::of(&1_u128).is_err());
    /// ```
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, RecordError> {
        value.serialize(ValueSerializer::new())
    }

    /// Reads this value as a `T`.
    ///
    /// Two things come back changed, as with JSON: `Some(None)` reads as `None`, and `Some(())`
    /// likewise.
    ///
    /// # Errors
    ///
    /// When the value does not fit; the error names the place, what was expected and found.
    ///
    /// ```
    /// use tormenta_dsl::record::Value;
    ///
    /// let pair = Value::from(vec![Value::from(b"storm".as_slice()), Value::from(3)]);
    /// assert_eq!(pair.to::<(String, u8)>().unwrap(), ("storm".to_owned(), 3));
    /// ```
    pub fn to<T: DeserializeOwned>(&self) -> Result<T, RecordError> {
        T::deserialize(self)
    }

    /// The name of the case: `null`, `bool`, `int`, `uint`, `float`, `text`, `bytes`, `list`,
    /// `map`.
    ///
    /// ```
    /// # use tormenta_dsl::record::Value;
    /// assert_eq!(Value::from(1.5).kind(), "float");
    /// ```
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::UInt(_) => "uint",
            Self::Float(_) => "float",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "list",
            Self::Map(_) => "map",
        }
    }

    /// Whether this is [`Value::Null`].
    ///
    /// ```
    /// # use tormenta_dsl::record::Value;
    /// assert!(Value::from(None::<bool>).is_null());
    /// ```
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The truth value, if it is one.
    ///
    /// ```
    /// # use tormenta_dsl::record::Value;
    /// assert_eq!(Value::from(true).as_bool(), Some(true));
    /// ```
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// The integer, if it is one that an `i64` can hold.
    ///
    /// ```
    /// # use tormenta_dsl::record::Value;
    /// assert_eq!(Value::from(7_u8).as_int(), Some(7));
    /// assert_eq!(Value::from(u64::MAX).as_int(), None);
    /// ```
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            Self::UInt(number) => i64::try_from(*number).ok(),
            _ => None,
        }
    }

    /// The integer, if it is one that is not negative.
    ///
    /// ```
    /// # use tormenta_dsl::record::Value;
    /// assert_eq!(Value::from(u64::MAX).as_uint(), Some(u64::MAX));
    /// assert_eq!(Value::from(-1).as_uint(), None);
    /// ```
    pub fn as_uint(&self) -> Option<u64> {
        match self {
            Self::Int(number) => u64::try_from(*number).ok(),
            Self::UInt(number) => Some(*number),
            _ => None,
        }
    }

    /// The number, if it is one. Integers beyond 2^53 are rounded.
    ///
    /// ```
    /// # use tormenta_dsl::record::Value;
    /// assert_eq!(Value::from(1.5).as_float(), Some(1.5));
    /// assert_eq!(Value::from(3).as_float(), Some(3.0));
    /// ```
    pub fn as_float(&self) -> Option<f64> {
        match self {
            Self::Float(number) => Some(*number),
            Self::Int(number) => Some(*number as f64),
            Self::UInt(number) => Some(*number as f64),
            _ => None,
        }
    }

    /// The text, if it is text or bytes that are valid UTF-8.
    ///
    /// ```
    /// # use tormenta_dsl::record::Value;
    /// assert_eq!(Value::from("storm").as_text(), Some("storm"));
    /// assert_eq!(Value::from(b"storm".as_slice()).as_text(), Some("storm"));
    /// assert_eq!(Value::from(b"\xff".as_slice()).as_text(), None);
    /// ```
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// The bytes, of bytes or of text.
    ///
    /// ```
    /// # use tormenta_dsl::record::Value;
    /// assert_eq!(Value::from("storm").as_bytes(), Some(b"storm".as_slice()));
    /// ```
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) => Some(text.as_bytes()),
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The elements, if it is a list.
    ///
    /// ```
    /// # use tormenta_dsl::record::Value;
    /// assert_eq!(Value::from(vec![true]).as_list().map(<[Value]>::len), Some(1));
    /// ```
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// The entries, if it is a map.
    ///
    /// ```
    /// # use tormenta_dsl::record::Value;
    /// let value = Value::of(&std::collections::BTreeMap::from([("n", 3)])).unwrap();
    /// assert_eq!(value.as_map().unwrap()["n"], Value::Int(3));
    /// ```
    pub fn as_map(&self) -> Option<&BTreeMap<String, Value>> {
        match self {
            Self::Map(entries) => Some(entries),
            _ => None,
        }
    }
}
