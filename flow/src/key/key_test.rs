//! Keys against what they are made of.

use std::hash::BuildHasher;

use quickcheck::{Arbitrary, Gen, quickcheck};

use super::{
    bytes::{BOOL, INT, PART, SIGN},
    *,
};
use crate::shape::{Kind, Shape};

fn row<const N: usize>(values: [Value; N]) -> (Row, [Slot; N]) {
    let names = (0..N).map(|at| (format!("k{at}"), Kind::Any));
    let slots = std::array::from_fn(|at| Slot { at, kind: Kind::Any });
    (Row::new(Shape::new(names).schema(), values.into()), slots)
}

fn keys<const N: usize>(values: [Value; N]) -> (Key, u64) {
    let (row, slots) = row(values);
    let mut hasher = KeyHasher::new();
    hash(&row, &slots, &mut hasher);
    (Key::of(&row, &slots), hasher.hash())
}

fn key(value: impl Into<Value>) -> (Key, u64) {
    keys([value.into()])
}

#[test]
fn a_key_hashes_as_its_row() {
    for value in [Value::Null, true.into(), 7.into(), u64::MAX.into(), 1.5.into(), "a".into()] {
        let (key, expected) = key(value);
        assert_eq!(KeyHasher::new().add(&key).hash(), expected, "{key:?}");
    }
}

#[test]
fn equal_keys_have_equal_hashes() {
    assert_eq!(key("storm"), key(&b"storm"[..]));
    assert_eq!(key(0.0), key(-0.0));
    assert_eq!(key(f64::NAN), key(-f64::NAN));
    assert_eq!(key(vec![0.0, f64::NAN]), key(vec![-0.0, -f64::NAN]));
    assert_eq!(key(vec![vec!["storm"]]), key(vec![vec![&b"storm"[..]]]));
    assert_ne!(key(vec![&b"\xff"[..]]), key(vec![&b"\xfe"[..]]));
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

#[test]
fn a_key_is_small() {
    assert_eq!(size_of::<Key>(), 24, "a table of counts has one for each key");
    assert!(matches!(key("a word of 22 letters..").0, Key::Long(_)));
    assert!(matches!(key("a word of 21 letters.").0, Key::Short(22, _)));
    assert!(matches!(key("sixteen letters.").0, Key::Text(16, _)));
}

#[test]
fn bytes_that_are_no_key_end_it() {
    for bytes in [vec![INT, 1, 2], vec![BOOL], vec![PART, b'a'], vec![PART, b'a', 0], vec![99]] {
        assert!(Key::from(bytes.clone()).values().count() <= 1, "{bytes:?}");
    }
}

/// A value that a key can have.
#[derive(Clone, Debug)]
struct Any(Value);

impl Arbitrary for Any {
    fn arbitrary(g: &mut Gen) -> Self {
        // Few different bytes, zero among them, so that texts begin alike.
        let text = |g: &mut Gen| -> Vec<u8> {
            Vec::<u8>::arbitrary(g)
                .iter()
                .map(|byte| [0, 1, 255, b'a'][usize::from(byte % 4)])
                .collect()
        };
        Self(match u8::arbitrary(g) % 6 {
            0 => Value::Null,
            1 => bool::arbitrary(g).into(),
            2 => i64::arbitrary(g).into(),
            3 => Value::from(u64::arbitrary(g) | SIGN),
            4 => f64::arbitrary(g).into(),
            _ => Value::from(&text(g)[..]),
        })
    }
}

/// What is put into a key comes out of it, but for what equals something else.
fn kept(value: &Value) -> Value {
    match value {
        Value::Float(number) => Value::Float(f64::from_bits(normal(*number))),
        other => other.clone(),
    }
}

fn are_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
        _ => a == b,
    }
}

/// The order of values by their kind, and then by themselves.
fn order(a: &Value, b: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Int(_) => 2,
        Value::UInt(_) => 3,
        Value::Float(_) => 4,
        _ => 5,
    };
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::UInt(a), Value::UInt(b)) => a.cmp(b),
        (Value::Float(a), Value::Float(b)) => {
            f64::from_bits(normal(*a)).total_cmp(&f64::from_bits(normal(*b)))
        }
        (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
        _ => rank(a).cmp(&rank(b)),
    }
}

quickcheck! {
    /// Of any length, zeros among them.
    fn texts_are_in_their_order(a: Vec<u8>, b: Vec<u8>, most: usize) -> bool {
        let cut = |text: &Vec<u8>| -> Vec<u8> {
            text.iter().take(most % 24).map(|byte| byte % 3).collect()
        };
        let (a, b) = (cut(&a), cut(&b));
        let (x, y) = (key(&a[..]).0, key(&b[..]).0);
        x.cmp(&y) == a.cmp(&b) && (x == y) == (a == b) && x.values().eq([Value::from(&a[..])])
    }

    fn values_come_back(a: Any, b: Any, c: Any) -> bool {
        let one = key(a.0.clone()).0;
        let three = keys([a.0.clone(), b.0.clone(), c.0.clone()]).0;
        let expected = [kept(&a.0), kept(&b.0), kept(&c.0)];
        let same = |key: &Key, expected: &[Value]| {
            let values: Vec<Value> = key.values().collect();
            values.len() == expected.len()
                && values.iter().zip(expected).all(|(a, b)| are_same(a, b))
        };
        same(&one, &expected[..1]) && same(&three, &expected)
    }

    fn keys_are_in_the_order_of_their_values(a: (Any, Any), b: (Any, Any)) -> bool {
        let of = |(x, y): &(Any, Any)| keys([x.0.clone(), y.0.clone()]).0;
        let expected = order(&a.0.0, &b.0.0).then(order(&a.1.0, &b.1.0));
        let alone = key(a.0.0.clone()).0.cmp(&key(b.0.0.clone()).0);
        of(&a).cmp(&of(&b)) == expected
            && (of(&a) == of(&b)) == (expected == Ordering::Equal)
            && alone == order(&a.0.0, &b.0.0)
    }

    /// Also through bytes, as saved state goes.
    fn equal_keys_hash_alike_and_come_back(a: Any, b: Any) -> bool {
        let hashes = std::collections::hash_map::RandomState::new();
        let (left, right) = (keys([a.0.clone(), b.0.clone()]), keys([a.0, b.0]));
        let saved = serde_json::to_vec(&left.0).expect("JSON");
        let back: Key = serde_json::from_slice(&saved).expect("a key");
        back == left.0
            && hashes.hash_one(&left.0) == hashes.hash_one(&right.0)
            && KeyHasher::new().add(&left.0).hash() == left.1
    }
}
