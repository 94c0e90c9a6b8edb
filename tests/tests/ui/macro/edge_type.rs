// The stream carries `Word`, the bolt reads `Swipe`.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

topology! {
    fn wrong() {
        spout words = Words;
        bolt score = Score, tasks: 2, reads: words.shuffle();
        bolt count = Count::default(), reads: score.alert.by(card);
    }
}

fn main() {}
