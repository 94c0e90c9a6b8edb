// Spouts do not tick.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

#[topology_fn]
fn wrong(t: &mut Topology) {
    let words = t.spout("words", Words).tick(Duration::from_secs(1));
    t.bolt("count", Count::default(), words.by(|w| &w.word)).untracked();
}

fn main() {}
