//! Formats for machines do not describe themselves: a reader that asks "what comes next?" fails.
//! This is the smallest such format, enough to prove that records survive one; the engine's own
//! codec is tested where it lives.

mod format;

use std::sync::Arc;

use quickcheck::quickcheck;

use super::record_test::AnyValue;
use super::{Record, Schema, Value};
use format::{read, write};

#[test]
fn a_record_brings_its_schema_along() {
    let schema = Schema::new("Count", &[("word", "Bytes"), ("n", "u64")]);
    let values = vec![Value::from(b"a\xff".as_slice()), Value::from(3)];
    let record = Record::new(Arc::new(schema), values).unwrap();
    assert_eq!(read::<Record>(&write(&record)).unwrap(), record);
}

#[test]
fn the_cases_keep_their_numbers() {
    let map = std::collections::BTreeMap::from([("k".to_owned(), Value::Null)]);
    let golden: [(Value, &[u8]); 9] = [
        (Value::Null, &[0]),
        (Value::from(true), &[1, 1]),
        (Value::from(-2), &[2, 254, 255, 255, 255, 255, 255, 255, 255]),
        (Value::from(1_u64 << 63), &[3, 0, 0, 0, 0, 0, 0, 0, 128]),
        (Value::from(1.0), &[4, 0, 0, 0, 0, 0, 0, 240, 63]),
        (Value::from("hi"), &[5, 2, b'h', b'i']),
        (Value::from(b"\xff".as_slice()), &[6, 1, 255]),
        (Value::from(vec![false]), &[7, 1, 1, 0]),
        (Value::Map(map), &[8, 1, 1, b'k', 0]),
    ];
    for (value, bytes) in golden {
        assert_eq!(write(&value), bytes, "{value}");
        assert_eq!(read::<Value>(bytes).unwrap(), value);
    }
}

#[test]
fn what_is_read_is_checked() {
    let wrong_count = [1, b'C', 1, 1, b'n', 1, b't', 0];
    let error = read::<Record>(&wrong_count).unwrap_err();
    assert_eq!(error.to_string(), "schema `C` has 1 field, found 0 values");
    let small_uint = [3, 7, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(read::<Value>(&small_uint).unwrap(), Value::Int(7));
    let mut bomb = [7, 1].repeat(Value::DEPTH_MAX + 1);
    bomb.push(0);
    let error = read::<Value>(&bomb).unwrap_err();
    assert_eq!(error.to_string(), "nested more than 128 levels deep");
    assert!(read::<Value>(&bomb[2..]).is_ok());
}

quickcheck! {
    fn any_value_survives(value: AnyValue) -> bool {
        read::<Value>(&write(&value.0)).unwrap() == value.0
    }
}
