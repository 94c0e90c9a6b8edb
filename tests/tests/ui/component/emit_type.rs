// The output is `Word`.
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
        out.emit(Swipe { card: 1, amount: 2.0 }).await?;
        out.emit(word.word).await
    }
}

fn main() {
    let _ = Echo;
}
