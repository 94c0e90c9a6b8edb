// Floats are no keys.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

#[topology_fn]
fn wrong(t: &mut Topology) {
    let swipes = t.spout("swipes", Swipes);
    t.bolt("score", Score, swipes.by(|swipe| &swipe.amount));
    t.bolt("again", Score, swipes.by_key(|s, key| { key.add(&s.card).add(&s.amount); }));
}

fn main() {}
