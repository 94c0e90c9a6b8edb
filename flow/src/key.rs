//! Keys: values that can be compared, hashed and kept.

use std::cmp::Ordering;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tormenta::{KeyHasher, record::Value};

use crate::{row::Row, shape::Slot};

/// The values of the key fields of a row.
///
/// Text and bytes are one, and so are `0.0` and `-0.0`, and all that is not a number. What is kept
/// is a copy, so that no chunk of a file stays in memory for a word of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Key {
    One(Atom),
    Many(Box<[Atom]>),
}

/// One value of a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Atom {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(Bits),
    /// Text, bytes, and what is nested as JSON.
    Text(Bytes),
}

/// A float by its bits, in the order of the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Bits(u64);

impl Bits {
    fn of(number: f64) -> Self {
        let number = if number.is_nan() { f64::NAN } else { number + 0.0 };
        Self(number.to_bits())
    }
}

impl Ord for Bits {
    fn cmp(&self, other: &Self) -> Ordering {
        f64::from_bits(self.0).total_cmp(&f64::from_bits(other.0))
    }
}

impl PartialOrd for Bits {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Atom {
    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Int(number) => Self::Int(*number),
            Value::UInt(number) => Self::UInt(*number),
            Value::Float(number) => Self::Float(Bits::of(*number)),
            Value::Text(text) => Self::Text(Bytes::copy_from_slice(text.as_bytes())),
            Value::Bytes(bytes) => Self::Text(Bytes::copy_from_slice(bytes)),
            nested => Self::Text(nested_text(nested)),
        }
    }

    #[inline]
    fn view(value: &Value) -> Self {
        match value {
            Value::Bytes(bytes) => Self::Text(bytes.clone()),
            other => Self::of(other),
        }
    }

    fn value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(truth) => Value::Bool(*truth),
            Self::Int(number) => Value::Int(*number),
            Self::UInt(number) => Value::UInt(*number),
            Self::Float(bits) => Value::Float(f64::from_bits(bits.0)),
            Self::Text(text) => Value::Bytes(text.clone()),
        }
    }
}

/// What is nested, in the one notation that is the same for equal values.
#[cold]
fn nested_text(value: &Value) -> Bytes {
    Bytes::from(value.to_string())
}

impl Key {
    /// The key of a row, to look something up with: its texts are not copied.
    #[inline]
    pub(crate) fn view(row: &Row, slots: &[Slot]) -> Self {
        match slots {
            [one] => Self::One(Atom::view(row.at(one.at))),
            many => Self::Many(many.iter().map(|slot| Atom::view(row.at(slot.at))).collect()),
        }
    }

    /// The key of a row.
    #[inline]
    pub(crate) fn of(row: &Row, slots: &[Slot]) -> Self {
        match slots {
            [one] => Self::One(Atom::of(row.at(one.at))),
            many => Self::Many(many.iter().map(|slot| Atom::of(row.at(slot.at))).collect()),
        }
    }

    /// Its values, in the order of the fields.
    pub(crate) fn values(&self) -> impl Iterator<Item = Value> {
        self.atoms().iter().map(Atom::value)
    }

    fn atoms(&self) -> &[Atom] {
        match self {
            Self::One(atom) => std::slice::from_ref(atom),
            Self::Many(atoms) => atoms,
        }
    }
}

impl tormenta::Key for Key {
    fn hash_key(&self, hasher: &mut KeyHasher) {
        for atom in self.atoms() {
            match atom {
                Atom::Null => hasher.add(&None::<bool>),
                Atom::Bool(truth) => hasher.add(truth),
                Atom::Int(number) => hasher.add(number),
                Atom::UInt(number) => hasher.add(number),
                Atom::Float(bits) => hasher.add(&bits.0.to_le_bytes()[..]),
                Atom::Text(text) => hasher.add(text),
            };
        }
    }
}

/// Hashes the fields as all groupings do, so that rows, typed tuples and other languages agree.
#[inline]
pub(crate) fn hash(row: &Row, slots: &[Slot], hasher: &mut KeyHasher) {
    for slot in slots {
        match row.at(slot.at) {
            Value::Null => hasher.add(&None::<bool>),
            Value::Bool(truth) => hasher.add(truth),
            Value::Int(number) => hasher.add(number),
            Value::UInt(number) => hasher.add(number),
            Value::Float(number) => hasher.add(&Bits::of(*number).0.to_le_bytes()[..]),
            Value::Text(text) => hasher.add(text.as_str()),
            Value::Bytes(bytes) => hasher.add(&bytes[..]),
            nested => hasher.add(&nested_text(nested)),
        };
    }
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;
    use crate::shape::{Kind, Shape};

    fn row(value: Value) -> (Row, [Slot; 1]) {
        let shape = Shape::of([("k", Kind::Any)]);
        (Row::new(shape.schema(), vec![value]), [Slot { at: 0, kind: Kind::Any }])
    }

    fn key(value: impl Into<Value>) -> (Key, u64) {
        let (row, slots) = row(value.into());
        let mut hasher = KeyHasher::new();
        hash(&row, &slots, &mut hasher);
        (Key::of(&row, &slots), hasher.hash())
    }

    #[test]
    fn a_key_hashes_as_its_row() {
        for value in [Value::Null, true.into(), 7.into(), u64::MAX.into(), 1.5.into(), "a".into()] {
            let (key, expected) = key(value);
            assert_eq!(KeyHasher::new().add(&key).hash(), expected, "{key:?}");
        }
        let (row, slots) = row("a".into());
        assert_eq!(Key::view(&row, &slots), Key::of(&row, &slots));
    }

    #[test]
    fn equal_keys_have_equal_hashes() {
        assert_eq!(key("storm"), key(&b"storm"[..]));
        assert_eq!(key(0.0), key(-0.0));
        assert_eq!(key(f64::NAN), key(-f64::NAN));
        assert_eq!(key(7u64), key(7i64));
        assert_ne!(key(7), key("7"));
        assert_ne!(key(()), key(""));
    }

    #[test]
    fn the_hash_is_that_of_typed_tuples() {
        let mut hasher = KeyHasher::new();
        assert_eq!(key("storm").1, hasher.add("storm").hash());
        assert_eq!(key(-7).1, KeyHasher::new().add(&-7i64).hash());
        assert_eq!(key(None::<bool>).1, KeyHasher::new().add(&None::<u8>).hash());
    }

    quickcheck! {
        fn keys_of_numbers_are_in_their_order(a: i64, b: i64, c: f64, d: f64) -> bool {
            key(a).0.cmp(&key(b).0) == a.cmp(&b)
                && (c.is_nan() || d.is_nan() || key(c).0.cmp(&key(d).0) == c.total_cmp(&d)
                    || c == d)
        }

        fn values_come_back(number: i64, text: String) -> bool {
            key(number).0.values().eq([Value::Int(number)])
                && key(&text[..]).0.values().next().and_then(|v| v.as_text().map(str::to_owned))
                    == Some(text)
        }
    }
}
