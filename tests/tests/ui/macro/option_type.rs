// A tick is a `Duration`, tasks are a number.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

topology! {
    fn wrong() {
        spout words = Words;
        bolt count = Count::default(), tick: 1, tasks: "2", reads: words.by(word);
    }
}

fn main() {}
