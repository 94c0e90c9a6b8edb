// `Word` has no field `wrod`.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

#[topology_fn]
fn wrong(t: &mut Topology) {
    let words = t.spout("words", Words);
    let count = t.bolt("count", Count::default(), words.by(|w| &w.wrod));
    t.bolt("pairs", Count::default(), count.by_key(|w, key| { key.add(&w.word).add(&w.lenght); }));
}

fn main() {}
