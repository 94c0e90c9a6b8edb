// Every mistake is reported, and rustc adds its own.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

topology! {
    fn wrong() {
        spout words Words, replaying Retry::default(), untrakced;
        bolt split = , reads: words.by(word)
        bolt count = Count::default(), reads: words.by(wrod), reads: words.all(), tasks 4;
        bolt match = Count::default(), reads: count.by(word), blocking: true, config: { a = 1 };
        bolt _ = Count::default(), 4, reads: words.partial_by(word, word);
        let edge = words.by(word);
    }
}

fn main() {}
