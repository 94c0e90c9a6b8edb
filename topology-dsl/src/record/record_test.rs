//! The promises of the module: any serde type goes into a record and comes out as it was.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use bytes::Bytes;
use quickcheck::{Arbitrary, Gen, quickcheck};
use serde::{Deserialize, Serialize};

use super::{Field, Record, Schema, Value};

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Side {
    Buy,
    Sell,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Empty,
    Circle(f64),
    Rect(u32, u32),
    Named { name: String, inner: Option<Box<Shape>> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Id(u64);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    id: Id,
    delta: i64,
    small: i8,
    ratio: f64,
    half: f32,
    open: bool,
    letter: char,
    name: String,
    raw: Bytes,
    octets: Vec<u8>,
    note: Option<String>,
    pair: (u16, bool),
    unit: (),
    address: Ipv4Addr,
    by_id: BTreeMap<u32, String>,
    by_side: BTreeMap<Side, i64>,
    shapes: Vec<Shape>,
    parts: Vec<Order>,
}

const ORDER: &[&str] = &[
    "id", "delta", "small", "ratio", "half", "open", "letter", "name", "raw", "octets", "note",
    "pair", "unit", "address", "by_id", "by_side", "shapes", "parts",
];

fn order_schema() -> Arc<Schema> {
    let fields = ORDER.iter().map(|&name| Field::new(name, "Value")).collect();
    Arc::new(Schema::from_fields("Order", fields).unwrap())
}

/// A generator for what is one level further in, so that trees end.
fn smaller(g: &Gen) -> Gen {
    Gen::new(g.size() / 4)
}

/// Sixteenths, because decimal text gives those back exactly.
fn fraction(g: &mut Gen) -> f64 {
    f64::from(i32::arbitrary(g)) / 16.0
}

fn several<T>(g: &mut Gen, make: impl Fn(&mut Gen) -> T) -> Vec<T> {
    let mut inner = smaller(g);
    let count = usize::arbitrary(g) % (inner.size() + 1).min(4);
    (0..count).map(|_| make(&mut inner)).collect()
}

impl Arbitrary for Side {
    fn arbitrary(g: &mut Gen) -> Self {
        if bool::arbitrary(g) { Self::Buy } else { Self::Sell }
    }
}

impl Arbitrary for Shape {
    fn arbitrary(g: &mut Gen) -> Self {
        match u8::arbitrary(g) % 4 {
            0 => Self::Empty,
            1 => Self::Circle(fraction(g)),
            2 => Self::Rect(u32::arbitrary(g), u32::arbitrary(g)),
            _ => Self::Named {
                name: String::arbitrary(g),
                inner: several(g, Shape::arbitrary).pop().map(Box::new),
            },
        }
    }
}

impl Arbitrary for Order {
    fn arbitrary(g: &mut Gen) -> Self {
        Self {
            id: Id(u64::arbitrary(g)),
            delta: i64::arbitrary(g),
            small: i8::arbitrary(g),
            ratio: fraction(g),
            half: f32::from(i16::arbitrary(g)) / 16.0,
            open: bool::arbitrary(g),
            letter: char::arbitrary(g),
            name: String::arbitrary(g),
            raw: Vec::arbitrary(g).into(),
            octets: Vec::arbitrary(g),
            note: Option::arbitrary(g),
            pair: Arbitrary::arbitrary(g),
            unit: (),
            address: Ipv4Addr::from(u32::arbitrary(g)),
            by_id: BTreeMap::arbitrary(g),
            by_side: BTreeMap::arbitrary(g),
            shapes: several(g, Shape::arbitrary),
            parts: several(g, Order::arbitrary),
        }
    }
}

/// A value of any case, `NaN` excepted, which equals nothing.
#[derive(Clone, Debug)]
pub(super) struct AnyValue(pub(super) Value);

impl Arbitrary for AnyValue {
    fn arbitrary(g: &mut Gen) -> Self {
        Self(match u8::arbitrary(g) % 9 {
            0 => Value::Null,
            1 => bool::arbitrary(g).into(),
            2 => i64::arbitrary(g).into(),
            3 => u64::arbitrary(g).into(),
            4 => fraction(g).into(),
            5 => char::arbitrary(g).into(),
            6 => Vec::<u8>::arbitrary(g)[..].iter().take(99).copied().collect::<Bytes>().into(),
            7 => several(g, |g| Self::arbitrary(g).0).into(),
            _ => {
                let entry = |g: &mut Gen| (char::arbitrary(g).into(), Self::arbitrary(g).0);
                Value::Map(several(g, entry).into_iter().collect())
            }
        })
    }
}

quickcheck! {
    fn a_struct_comes_back_from_a_record(order: Order) -> bool {
        let record = Record::of(order_schema(), &order).unwrap();
        record.to::<Order>().unwrap() == order
    }

    fn a_struct_comes_back_through_json(order: Order) -> bool {
        let record = Record::of(order_schema(), &order).unwrap();
        let text = serde_json::to_string(&record).unwrap();
        let untyped: Record = serde_json::from_str(&text).unwrap();
        untyped.to::<Order>().unwrap() == order
    }

    fn a_record_takes_any_schema_with_its_names(order: Order) -> bool {
        let reversed = ORDER.iter().rev().map(|&name| Field::new(name, "Value")).collect();
        let reversed = Arc::new(Schema::from_fields("Reversed", reversed).unwrap());
        let record = Record::of(order_schema(), &order).unwrap();
        let turned = Record::of(reversed, &record).unwrap();
        Record::of(order_schema(), &turned).unwrap() == record
    }

    fn a_shape_comes_back_from_the_field_value(shape: Shape) -> bool {
        let schema = Arc::new(Schema::new("Shape", &[("value", "Shape")]));
        Record::of(schema, &shape).unwrap().to::<Shape>().unwrap() == shape
    }

    fn a_value_is_its_own_image(value: AnyValue) -> bool {
        Value::of(&value.0).unwrap() == value.0 && value.0.to::<Value>().unwrap() == value.0
    }
}
