// A task may change its thread.
extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

#[derive(Clone)]
struct Log {
    lines: std::rc::Rc<Vec<String>>,
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
        bolt log = Log { lines: Default::default() }, reads: words.shuffle();
    }
}

fn main() {}
