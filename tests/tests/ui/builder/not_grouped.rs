// A stream is no edge: which task gets which tuple?
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

#[topology_fn]
fn wrong(t: &mut Topology) {
    let words = t.spout("words", Words);
    let swipes = t.spout("swipes", Swipes);
    t.bolt("count", Count::default(), words);
    let score = t.bolt("score", Score, swipes.by(|swipe| &swipe.card));
    t.bolt("again", Score, score.alert);
}

fn main() {}
