// The streams of `Score` are `alert` and `clean`.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

topology! {
    fn wrong() {
        spout swipes = Swipes;
        bolt score = Score, reads: swipes.by(card);
        bolt again = Score, reads: score.alarm.shuffle();
    }
}

fn main() {}
