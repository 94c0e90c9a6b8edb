// `Word` has no field `wrod`.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

topology! {
    fn wrong() {
        spout words = Words;
        bolt count = Count::default(), reads: words.by(wrod);
        bolt pairs = Count::default(), reads: count.by(word, lenght);
    }
}

fn main() {}
