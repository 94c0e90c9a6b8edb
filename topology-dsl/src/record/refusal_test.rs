//! What is said when a value does not fit: where, what was expected, what was found.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::top_test::{Job, Point, X, lone, schema};
use super::{Record, Schema, Value};

fn refusal<T: Serialize>(schema: Arc<Schema>, value: T) -> String {
    Record::of(schema, &value).unwrap_err().to_string()
}

fn mismatch<T: DeserializeOwned + Debug>(value: impl Into<Value>) -> String {
    let record = Record::new(schema(&[("x", "T")]), vec![value.into()]).unwrap();
    record.to::<T>().unwrap_err().to_string()
}

#[test]
fn a_refusal_to_write_names_the_field() {
    let point = || Point { x: 1, y: 2 };
    assert_eq!(refusal(schema(&[("x", "i32")]), point()), "field `y`: unknown, expected `x`");
    let three = schema(&[("x", "i32"), ("y", "i32"), ("z", "i32")]);
    assert_eq!(refusal(three, point()), "field `z` is missing");
    let x = || schema(&[("x", "T")]);
    assert_eq!(refusal(x(), 5), "field `value`: unknown, expected `x`");
    let wide = X { x: vec![(0, Job::Idle, 1_u128)] };
    assert_eq!(refusal(x(), wide), "field `x[0][2]`: u128 has no counterpart in a record");
    assert_eq!(refusal(lone(), [1_i128]), "field `value[0]`: i128 has no counterpart in a record");
    let keys = X { x: HashMap::from([((1, 2), 3)]) };
    let words = "field `x`: expected a map key that can be text, found a tuple";
    assert_eq!(refusal(x(), keys), words);
    let deep = (0..=Value::DEPTH_MAX).fold(Value::Null, |inner, _| Value::List(vec![inner]));
    assert!(refusal(lone(), deep).ends_with("]`: nested more than 128 levels deep"));
}

#[test]
fn a_refusal_to_read_names_the_field() {
    assert_eq!(mismatch::<X<u8>>("a"), r#"field `x`: expected u8, found string "a""#);
    assert_eq!(mismatch::<X<u8>>(-1), "field `x`: expected u8, found integer `-1`");
    assert_eq!(mismatch::<X<String>>(()), "field `x`: expected a string, found null");
    let words = "field `x`: expected text, found bytes that are not UTF-8 at offset 1";
    assert_eq!(mismatch::<X<String>>(b"a\xff".as_slice()), words);
    assert_eq!(mismatch::<X<Vec<bool>>>(vec![true.into(), Value::Null]), {
        "field `x[1]`: expected a boolean, found null"
    });
    let words = "field `x`: expected a list of 2, found a list of 3";
    assert_eq!(mismatch::<X<(u8, u8)>>(vec![1, 2, 3]), words);
    let words = "field `x`: expected one of `Idle`, `Busy`, `Moved`, `Failed`, found variant `Off`";
    assert_eq!(mismatch::<X<Job>>("Off"), words);
    let words = "field `x`: expected a variant with fields, found the bare variant `Busy`";
    assert_eq!(mismatch::<X<Job>>("Busy"), words);
    let busy = Value::of(&Job::Busy { n: 1 }).unwrap().to_string();
    assert_eq!(busy, "{Busy: {n: 1}}");
    let wrong = Value::of(&BTreeMap::from([("Busy", BTreeMap::from([("n", "?")]))])).unwrap();
    assert_eq!(mismatch::<X<Job>>(wrong), r#"field `x.Busy.n`: expected u8, found string "?""#);
    assert_eq!(mismatch::<Point>(1), "field `y` is missing");
    let words = "expected the single field `value`, found the schema Test(x: T)";
    assert_eq!(mismatch::<u8>(1), words);
    let words = r#"field `x`: expected u8, found string "one""#;
    let keys = Value::of(&BTreeMap::from([("one", 1)])).unwrap();
    assert_eq!(mismatch::<X<BTreeMap<u8, u8>>>(keys), words);
}
