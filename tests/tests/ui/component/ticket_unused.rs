// A ticket that is dropped at once.
#![deny(unused_must_use)]

extern crate self as tormenta;

#[path = "../prelude.rs"]
mod prelude;
use prelude::*;

#[derive(Clone)]
struct Echo;

impl Bolt for Echo {
    type Input = Word;
    type Output = Word;

    async fn execute(&mut self, word: Word, out: &Emitter<Word>) -> Result {
        out.hold();
        out.emit(word).await
    }
}

fn main() {
    let _ = Echo;
}
