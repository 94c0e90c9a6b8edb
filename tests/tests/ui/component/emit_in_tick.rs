// A tick has no tuple to anchor to.
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
        out.emit(word).await
    }

    async fn tick(&mut self, out: &Emitter<Word, Free>) -> Result {
        let _ticket = out.hold();
        out.emit(Word { word: "tick".to_owned() }).await
    }
}

fn main() {
    let _ = Echo;
}
