//! What the outermost layer does with each kind of type.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::sync::Arc;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Record, Schema, Value};

pub(super) fn schema(fields: &[(&'static str, &'static str)]) -> Arc<Schema> {
    Arc::new(Schema::new("Test", fields))
}

pub(super) fn lone() -> Arc<Schema> {
    schema(&[("value", "T")])
}

/// Sends `value` through a record, and returns how that prints.
fn round<T>(schema: Arc<Schema>, value: T) -> String
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let record = Record::of(schema, &value).unwrap();
    assert_eq!(record.to::<T>().unwrap(), value);
    record.to_string()
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Point {
    pub(super) x: i32,
    pub(super) y: i32,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct X<T> {
    pub(super) x: T,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Reading<T> {
    value: T,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Newtype<T>(T);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Pair(u8, String);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Tick;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Job {
    Idle,
    Busy { n: u8 },
    Moved(u8, u8),
    Failed(String),
}

#[test]
fn structs_spread_over_the_schema() {
    let xy = || schema(&[("y", "i32"), ("x", "i32")]);
    let point = || Point { x: 1, y: 2 };
    assert_eq!(round(xy(), point()), "{y: 2, x: 1}");
    assert_eq!(round(xy(), Newtype(point())), "{y: 2, x: 1}");
    assert_eq!(round(xy(), Some(point())), "{y: 2, x: 1}");
    let map: BTreeMap<String, i32> = [("x".to_owned(), 1), ("y".to_owned(), 2)].into();
    assert_eq!(round(xy(), map), "{y: 2, x: 1}");
    assert_eq!(round(schema(&[]), Tick), "{}");
    assert_eq!(round(schema(&[]), ()), "{}");
}

#[test]
fn all_else_is_kept_in_the_field_value() {
    assert_eq!(round(lone(), 7_u8), "{value: 7}");
    assert_eq!(round(lone(), f64::INFINITY), "{value: inf}");
    assert_eq!(round(lone(), 'x'), r#"{value: "x"}"#);
    assert_eq!(round(lone(), Bytes::from_static(b"hi")), r#"{value: b"hi"}"#);
    assert_eq!(round(lone(), Value::from(b"hi".as_slice())), r#"{value: b"hi"}"#);
    assert_eq!(round(lone(), None::<u8>), "{value: null}");
    assert_eq!(round(lone(), Tick), "{value: null}");
    assert_eq!(round(lone(), Pair(1, "a".into())), r#"{value: [1, "a"]}"#);
    assert_eq!(round(lone(), [1, 2, 3]), "{value: [1, 2, 3]}");
    assert_eq!(round(lone(), Job::Idle), r#"{value: "Idle"}"#);
    assert_eq!(round(lone(), Job::Busy { n: 1 }), "{value: {Busy: {n: 1}}}");
    assert_eq!(round(lone(), Job::Moved(1, 2)), "{value: {Moved: [1, 2]}}");
    assert_eq!(round(lone(), Job::Failed("x".into())), r#"{value: {Failed: "x"}}"#);
}

#[test]
fn a_struct_may_be_the_field_value() {
    assert_eq!(round(lone(), Reading { value: 1.5 }), "{value: 1.5}");
    assert_eq!(round(lone(), Newtype(Reading { value: 1.5 })), "{value: 1.5}");
    assert_eq!(round(lone(), Newtype(Point { x: 1, y: 2 })), "{value: {x: 1, y: 2}}");
    assert_eq!(round(lone(), Reading { value: Point { x: 1, y: 2 } }), "{value: {x: 1, y: 2}}");
    let map: HashMap<u8, bool> = [(7, true)].into();
    assert_eq!(round(lone(), map), r#"{value: {"7": true}}"#);
}

#[test]
fn text_and_bytes_stand_in_for_each_other() {
    let text = Value::from("storm");
    let bytes = Value::from(b"storm".as_slice());
    assert_eq!(text.to::<Bytes>().unwrap(), "storm");
    assert_eq!(bytes.to::<String>().unwrap(), "storm");
    assert_eq!(bytes.to::<Vec<u8>>().unwrap(), b"storm");
    assert_eq!(Value::from(vec![104, 105]).to::<Bytes>().unwrap(), "hi");
    assert_eq!(Value::from(b"Idle".as_slice()).to::<Job>().unwrap(), Job::Idle);
    let counts: BTreeMap<Bytes, u8> = [("a".into(), 1)].into();
    assert_eq!(round(lone(), counts), "{value: {a: 1}}");
}

#[test]
fn attributes_of_serde_are_honoured() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "lowercase")]
    enum Event {
        Up { port: u16 },
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Flat {
        n: u8,
        #[serde(flatten)]
        event: Event,
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    }
    let fields = schema(&[("n", "u8"), ("kind", "String"), ("port", "u16"), ("note", "String")]);
    let flat = Flat { n: 1, event: Event::Up { port: 80 }, note: Some("x".into()) };
    assert_eq!(round(fields, flat), r#"{n: 1, kind: "up", port: 80, note: "x"}"#);

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(i64),
        Point(Point),
    }
    assert_eq!(round(lone(), Either::Number(3)), "{value: 3}");
    let xy = schema(&[("x", "i32"), ("y", "i32")]);
    assert_eq!(round(xy, Either::Point(Point { x: 1, y: 2 })), "{x: 1, y: 2}");
}

#[test]
fn a_skipped_field_is_null_and_an_absent_option_is_none() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Note {
        n: u8,
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    }
    let note = Note { n: 1, note: None };
    assert_eq!(round(schema(&[("n", "u8"), ("note", "String")]), note), "{n: 1, note: null}");
    let record = Record::new(schema(&[("n", "u8")]), vec![1.into()]).unwrap();
    assert_eq!(record.to::<Note>().unwrap().note, None);
}

#[test]
fn json_lines_read_as_records() {
    let text = r#"{"word":"storm","n":3,"tags":[null,1.5]}"#;
    let record: Record = serde_json::from_str(text).unwrap();
    assert_eq!(record.schema().to_string(), "Record(word: Value, n: Value, tags: Value)");
    assert_eq!(record.to_string(), r#"{word: "storm", n: 3, tags: [null, 1.5]}"#);
    assert_eq!(serde_json::to_string(&record).unwrap(), text);
    let twice = serde_json::from_str::<Record>(r#"{"n":3,"n":4}"#).unwrap_err();
    assert!(twice.to_string().starts_with("field `n`: occurs twice"), "{twice}");
}
