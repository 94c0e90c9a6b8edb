// No task does no work.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

topology! {
    fn wrong() {
        spout words = Words, pending_max: 0;
        bolt count = Count::default(), tasks: 0, reads: words.by(word);
    }
}

fn main() {}
