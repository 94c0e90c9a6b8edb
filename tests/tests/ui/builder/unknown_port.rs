// The streams of `Score` are `alert` and `clean`.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

#[topology_fn]
fn wrong(t: &mut Topology) {
    let swipes = t.spout("swipes", Swipes);
    let score = t.bolt("score", Score, swipes.by(|swipe| &swipe.card));
    t.bolt("again", Score, score.alarm.shuffle());
}

fn main() {}
