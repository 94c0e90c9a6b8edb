// Tuples begin at a spout.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

topology! {
    fn wrong() {
        spout words = Words;
        spout swipes = Swipes, reads: words.shuffle();
        bolt count = Count::default(), reads: words.by(word);
        bolt score = Score, reads: swipes.by(card);
    }
}

fn main() {}
