// Floats are no keys.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

topology! {
    fn wrong() {
        spout swipes = Swipes;
        bolt score = Score, reads: swipes.by(amount);
        bolt again = Score, reads: swipes.by(card, amount);
    }
}

fn main() {}
