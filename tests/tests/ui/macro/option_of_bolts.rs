// Spouts do not tick.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

topology! {
    fn wrong() {
        spout words = Words, tick: Duration::from_secs(1);
        bolt count = Count::default(), untracked, reads: words.by(word);
    }
}

fn main() {}
