//! `From` conversions: how values are written in code, without naming the cases.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::value::Value;

macro_rules! ints {
    ($($int:ty)*) => {$(
        impl From<$int> for Value {
            fn from(number: $int) -> Self {
                Self::Int(i64::from(number))
            }
        }
    )*};
}

ints!(i8 i16 i32 i64 u8 u16 u32);

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        i64::try_from(number).map_or(Self::UInt(number), Self::Int)
    }
}

// No target has a pointer wider than 64 bits, so these two casts never lose anything.
impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::from(number as u64)
    }
}

impl From<isize> for Value {
    fn from(number: isize) -> Self {
        Self::Int(number as i64)
    }
}

impl From<f32> for Value {
    fn from(number: f32) -> Self {
        Self::Float(f64::from(number))
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<()> for Value {
    fn from((): ()) -> Self {
        Self::Null
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<char> for Value {
    fn from(letter: char) -> Self {
        Self::Text(letter.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(Bytes::copy_from_slice(bytes))
    }
}

impl From<Bytes> for Value {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(option: Option<T>) -> Self {
        option.map_or(Self::Null, Into::into)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Value>> From<BTreeMap<String, T>> for Value {
    fn from(entries: BTreeMap<String, T>) -> Self {
        Self::Map(entries.into_iter().map(|(name, value)| (name, value.into())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_are_equal_values() {
        let five = [
            Value::from(5_i8),
            Value::from(5_u32),
            Value::from(5_i64),
            Value::from(5_u64),
            Value::from(5_usize),
            Value::from(5_isize),
        ];
        assert!(five.iter().all(|value| *value == Value::Int(5)));
        assert_eq!(Value::from(i64::MAX as u64), Value::Int(i64::MAX));
        assert_eq!(Value::from(i64::MAX as u64 + 1), Value::UInt(1 << 63));
    }

    #[test]
    fn containers_convert_their_contents() {
        assert_eq!(Value::from(Some('x')), Value::Text("x".to_owned()));
        assert_eq!(Value::from(vec![None, Some(1.5)]), {
            Value::List(vec![Value::Null, Value::Float(1.5)])
        });
        let entries = BTreeMap::from([("n".to_owned(), 3)]);
        assert_eq!(Value::from(entries).as_map().unwrap()["n"], Value::Int(3));
    }
}
