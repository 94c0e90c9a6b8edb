// `Swipes` is a spout.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

#[topology_fn]
fn wrong(t: &mut Topology) {
    let words = t.spout("words", Words);
    t.bolt("swipes", Swipes, words.shuffle());
}

fn main() {}
