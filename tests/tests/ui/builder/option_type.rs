// A tick is a `Duration`, tasks are a number.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

#[topology_fn]
fn wrong(t: &mut Topology) {
    let words = t.spout("words", Words);
    t.bolt("count", Count::default(), words.by(|w| &w.word)).tick(1).tasks("2");
}

fn main() {}
