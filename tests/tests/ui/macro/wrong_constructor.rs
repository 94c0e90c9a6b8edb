// `In::Word` takes a `Word`.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

topology! {
    fn wrong() {
        spout swipes = Swipes;
        bolt keep = Keep, reads: swipes.by(card).to(In::Word);
    }
}

fn main() {}
