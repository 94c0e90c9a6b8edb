// The heads of functions.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

topology! {
    async fn awaits() { spout words = Words; }
    fn method(&self) { spout words = Words; }
    fn other(n: usize, t: usize) { spout words = Words; }
    fn shared(t: &Topology) { spout words = Words; }
    fn no_type(path) { spout words = Words; }
}

topology! {
    name: "fraud",
    spouts: { words: Words }
}

fn main() {}
