// `In::Word` takes a `Word`.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

#[topology_fn]
fn wrong(t: &mut Topology) {
    let swipes = t.spout("swipes", Swipes);
    t.bolt("keep", Keep, swipes.by(|swipe| &swipe.card).to(In::Word));
}

fn main() {}
