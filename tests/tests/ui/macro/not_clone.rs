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

topology! {
    fn wrong() {
        spout words = Words;
        bolt log = Log { lines: Vec::new() }, reads: words.shuffle();
    }
}

fn main() {}
