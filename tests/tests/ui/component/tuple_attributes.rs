// Attributes of serde that make a record of another shape than the schema's, and generic tuples.
#![allow(unreachable_patterns)]
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

#[derive(Tuple, Clone, Serialize, Deserialize)]
#[serde(rename_all(serialize = "camelCase", deserialize = "camelCase"))]
struct Flat {
    #[serde(flatten)]
    swipe: Swipe,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(skip_serializing, default)]
    cached: bool,
}

#[derive(Tuple, Clone, Serialize, Deserialize)]
#[serde(transparent)]
struct Bare {
    card: u64,
}

#[derive(Tuple, Clone, Serialize, Deserialize)]
struct Twice {
    card: u64,
    #[serde(rename = "card")]
    number: u64,
}

#[derive(Tuple, Clone, Serialize, Deserialize)]
struct Timed<T> {
    at: u64,
    what: T,
}

fn main() {}
