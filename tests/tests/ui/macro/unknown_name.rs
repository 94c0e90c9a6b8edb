// There is no `word`.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

topology! {
    fn wrong() {
        spout words = Words;
        bolt count = Count::default(), reads: word.shuffle();
    }
}

fn main() {}
