// `count` is read before it is declared.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

topology! {
    fn wrong() {
        spout words = Words;
        bolt keep = Keep, reads: [words.by(word).to(In::Word), count.by(word).to(In::Stop)];
        bolt count = Count::default(), reads: keep.by(word);
    }
}

fn main() {}
