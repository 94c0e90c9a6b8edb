// Names that start with `__` are the engine's.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

topology! {
    fn wrong() {
        spout words = Words;
        bolt __acker = Count::default(), reads: words.by(word);
    }
}

fn main() {}
