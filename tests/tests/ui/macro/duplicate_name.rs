// Two components are called `count`.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

topology! {
    fn wrong() {
        spout words = Words;
        bolt count = Count::default(), reads: words.by(word);
        bolt count = Count::default(), reads: words.shuffle();
    }
}

fn main() {}
