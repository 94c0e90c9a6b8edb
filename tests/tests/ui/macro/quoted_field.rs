// Fields are Rust, not text.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

topology! {
    fn wrong() {
        spout words = Words;
        bolt count = Count::default(), reads: words.by("word");
    }
}

fn main() {}
