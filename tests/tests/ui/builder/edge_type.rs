// The stream carries `Word`, the bolt reads `Swipe`.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

#[topology_fn]
fn wrong(t: &mut Topology) {
    let words = t.spout("words", Words);
    let score = t.bolt("score", Score, words.shuffle()).tasks(2);
    t.bolt("count", Count::default(), score.alert.by(|swipe| &swipe.card));
}

fn main() {}
