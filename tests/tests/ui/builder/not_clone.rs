// Every task has a clone of the bolt.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

struct Log {
    lines: Vec<String>,
}

impl Bolt for Log {
    type Input = Word;
    type Output = ();

    async fn execute(&mut self, _: Word, _: &Emitter<()>) -> Result {
        Ok(())
    }
}

#[topology_fn]
fn wrong(t: &mut Topology) {
    let words = t.spout("words", Words);
    t.bolt("log", Log { lines: Vec::new() }, words.shuffle());
}

fn main() {}
