// Two streams of different types in one bolt.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

#[topology_fn]
fn wrong(t: &mut Topology) {
    let words = t.spout("words", Words);
    let swipes = t.spout("swipes", Swipes);
    t.bolt("count", Count::default(), [words.by(|w| &w.word), swipes.by(|swipe| &swipe.card)]);
}

fn main() {}
