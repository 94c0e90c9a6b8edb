//! Keys: values that can be compared, hashed and kept.
//!
//! A key is bytes whose order is that of its values. So one comparison of bytes compares a whole
//! key, whatever it is made of, and a short one stands in the table itself: to find it costs one
//! look at memory, where a tree of values costs three. A short text, which most keys are, is two
//! numbers, that are never written to memory before they are compared.

mod bytes;
#[cfg(test)]
mod key_test;

use std::{
    borrow::Cow,
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
};

use serde::{Deserialize, Serialize};
use tormenta::{KeyHasher, record::Value};

use self::bytes::{Part, Parts, TEXT, nested_text, normal, write};
use crate::{row::Row, shape::Slot};

/// Bytes of a key that stands in place.
const SHORT: usize = 22;

/// The values of the key fields of a row.
///
/// Text and bytes are one, and so are `0.0` and `-0.0`, and all that is not a number. It is a copy,
/// so that no chunk of a file stays in memory for a word of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<u8>", into = "Vec<u8>")]
pub(crate) enum Key {
    /// One text of up to 16 bytes: its length, and its bytes as numbers in their order.
    Text(u8, [u64; 2]),
    /// So many of these bytes; the others are zero. No text that stands in `Text`.
    Short(u8, [u8; SHORT]),
    /// More than stand in place.
    Long(Box<[u8]>),
}

impl Key {
    /// The key of a row.
    #[inline]
    pub(crate) fn of(row: &Row, slots: &[Slot]) -> Self {
        match slots {
            [one] => match row.at(one.at) {
                Value::Bytes(text) => Self::of_text(text),
                Value::Text(text) => Self::of_text(text.as_bytes()),
                other => Self::of_values([other].into_iter()),
            },
            many => Self::of_values(many.iter().map(|slot| row.at(slot.at))),
        }
    }

    #[inline]
    fn of_text(text: &[u8]) -> Self {
        match text.len() {
            length @ ..=8 => Self::Text(length as u8, [number(text), 0]),
            length @ 9..=16 => Self::Text(length as u8, [number(&text[..8]), number(&text[8..])]),
            _ => Self::from([&[TEXT], text].concat()),
        }
    }

    fn of_values<'a>(values: impl ExactSizeIterator<Item = &'a Value>) -> Self {
        let is_alone = values.len() == 1;
        let mut bytes = Vec::with_capacity(SHORT);
        values.for_each(|value| write(value, is_alone, &mut bytes));
        Self::from(bytes)
    }

    /// The whole of it as bytes.
    fn bytes(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Text(length, [first, second]) => {
                let mut bytes = Vec::with_capacity(SHORT);
                bytes.push(TEXT);
                bytes.extend_from_slice(&first.to_be_bytes());
                bytes.extend_from_slice(&second.to_be_bytes());
                bytes.truncate(1 + usize::from(*length));
                Cow::Owned(bytes)
            }
            Self::Short(length, bytes) => Cow::Borrowed(&bytes[..usize::from(*length)]),
            Self::Long(bytes) => Cow::Borrowed(bytes),
        }
    }

    /// Its values, in the order of the fields.
    pub(crate) fn values(&self) -> impl Iterator<Item = Value> {
        let bytes = self.bytes();
        let value = |part| match part {
            Part::Null => Value::Null,
            Part::Bool(truth) => Value::Bool(truth),
            Part::Int(number) => Value::Int(number),
            Part::UInt(number) => Value::UInt(number),
            Part::Float(number) => Value::Float(number),
            Part::Text(text) => Value::from(&text[..]),
        };
        Parts(&bytes).map(value).collect::<Vec<_>>().into_iter()
    }
}

/// Up to eight bytes as a number whose order is theirs, without a loop: a table of counts waits for
/// every key.
#[inline]
fn number(text: &[u8]) -> u64 {
    let length = text.len();
    let missing = 8 * (8 - length.min(8)) as u32;
    // The first and the last of them, which may overlap: there they are the same.
    if let Some(eight) = text.first_chunk() {
        u64::from_be_bytes(*eight)
    } else if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        let (first, last) = (u32::from_be_bytes(*first), u32::from_be_bytes(*last));
        u64::from(first) << 32 | u64::from(last) << missing
    } else if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        let (first, last) = (u16::from_be_bytes(*first), u16::from_be_bytes(*last));
        u64::from(first) << 48 | u64::from(last) << missing
    } else {
        text.first().map_or(0, |only| u64::from(*only) << 56)
    }
}

impl From<Vec<u8>> for Key {
    fn from(bytes: Vec<u8>) -> Self {
        match bytes.split_first() {
            Some((&TEXT, text)) if text.len() <= 16 => return Self::of_text(text),
            _ if bytes.len() > SHORT => return Self::Long(bytes.into()),
            _ => {}
        }
        let mut short = [0; SHORT];
        short[..bytes.len()].copy_from_slice(&bytes);
        Self::Short(bytes.len() as u8, short)
    }
}

impl From<Key> for Vec<u8> {
    fn from(key: Key) -> Self {
        key.bytes().into_owned()
    }
}

impl Hash for Key {
    #[inline]
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        match self {
            Self::Text(length, [first, second]) => {
                let second = second ^ u64::from(*length) ^ 0x9e37_79b9_7f4a_7c15;
                let product = u128::from(first ^ 0xd1b5_4a32_d192_ed03) * u128::from(second);
                hasher.write_u64(product as u64 ^ (product >> 64) as u64);
            }
            Self::Short(_, bytes) => hasher.write(bytes),
            Self::Long(bytes) => hasher.write(bytes),
        }
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(a, first), Self::Text(b, second)) => first.cmp(second).then(a.cmp(b)),
            _ => self.bytes().cmp(&other.bytes()),
        }
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.values()).finish()
    }
}

impl tormenta::Key for Key {
    fn hash_key(&self, hasher: &mut KeyHasher) {
        for part in Parts(&self.bytes()) {
            match part {
                Part::Null => hasher.add(&None::<bool>),
                Part::Bool(truth) => hasher.add(&truth),
                Part::Int(number) => hasher.add(&number),
                Part::UInt(number) => hasher.add(&number),
                Part::Float(number) => hasher.add(&number.to_bits().to_le_bytes()[..]),
                Part::Text(text) => hasher.add(&text[..]),
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
            Value::Float(number) => hasher.add(&normal(*number).to_le_bytes()[..]),
            Value::Text(text) => hasher.add(text.as_str()),
            Value::Bytes(bytes) => hasher.add(&bytes[..]),
            nested => hasher.add(&nested_text(nested)[..]),
        };
    }
}
