// `Swipes` is a spout.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

topology! {
    fn wrong() {
        spout words = Words;
        bolt swipes = Swipes, reads: words.shuffle();
    }
}

fn main() {}
