// Tuples begin at a spout.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

#[topology_fn]
fn wrong(t: &mut Topology) {
    let words = t.spout("words", Words);
    let swipes = t.spout("swipes", Swipes, words.shuffle());
    t.bolt("score", Score, swipes.by(|swipe| &swipe.card));
}

fn main() {}
