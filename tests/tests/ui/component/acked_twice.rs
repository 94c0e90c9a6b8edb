// A ticket is used up by `ack`.
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
        let ticket = out.hold();
        ticket.ack();
        ticket.fail("too late");
        out.emit(word).await
    }
}

fn main() {
    let _ = Echo;
}
