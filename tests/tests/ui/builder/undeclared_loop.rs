// `count` is read before it is declared.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

#[topology_fn]
fn wrong(t: &mut Topology) {
    let words = t.spout("words", Words);
    let reads = [words.by(|w| &w.word).to(In::Word), count.by(|w| &w.word).to(In::Stop)];
    let keep = t.bolt("keep", Keep, reads);
    let count = t.bolt("count", Count::default(), keep.by(|w| &w.word));
}

fn main() {}
