// Two streams of different types in one bolt.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

topology! {
    fn wrong() {
        spout words = Words;
        spout swipes = Swipes;
        bolt count = Count::default(), reads: [words.by(word), swipes.by(card)];
    }
}

fn main() {}
