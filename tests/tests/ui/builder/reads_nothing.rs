// A bolt without edges.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

#[topology_fn]
fn wrong(t: &mut Topology) {
    let words = t.spout("words", Words);
    let count = t.bolt("count", Count::default()).tasks(2);
    t.bolt("again", Count::default(), count.by(|w| &w.word));
}

fn main() {}
