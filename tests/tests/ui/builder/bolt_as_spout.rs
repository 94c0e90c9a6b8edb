// `Score` is a bolt.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

#[topology_fn]
fn wrong(t: &mut Topology) {
    t.spout("score", Score);
}

fn main() {}
