// A bolt without `reads`.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

topology! {
    fn wrong() {
        spout words = Words;
        bolt count = Count::default(), tasks: 2;
        bolt again = Count::default(), reads: count.by(word);
    }
}

fn main() {}
