// The option is called `tasks`.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

topology! {
    fn wrong() {
        spout words = Words;
        bolt count = Count::default(), task: 2, reads: words.by(word);
        bolt again = Count::default(), colour: "red", reads: count.by(word);
    }
}

fn main() {}
