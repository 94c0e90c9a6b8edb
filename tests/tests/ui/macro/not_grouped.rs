// A stream is no edge: which task gets which tuple?
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

topology! {
    fn wrong() {
        spout words = Words;
        spout swipes = Swipes;
        bolt count = Count::default(), reads: words;
        bolt score = Score, reads: swipes.by(card);
        bolt again = Score, reads: score.alert;
    }
}

fn main() {}
