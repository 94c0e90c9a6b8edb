//! Counts words: a spout of text, a bolt that splits it, a bolt that counts, one that prints.
//!
//! `cargo run` counts a poem, `cargo run -- book.txt` counts a file, and
//! `cargo run -- describe` prints the topology without running it.

use tormenta::{
    Args,
    bolts::{Count, Line, TopWords, Word},
    prelude::*,
    spouts::Lines,
};

/// By Christina Rossetti.
const POEM: &str = "\
Who has seen the wind?
Neither I nor you:
But when the leaves hang trembling,
The wind is passing through.
Who has seen the wind?
Neither you nor I:
But when the trees bow down their heads,
The wind is passing by.";

/// A spout returns one tuple after the other, and `None` at its end.
#[derive(Clone)]
struct Poem {
    read: usize,
}

impl Spout for Poem {
    type Output = Line;
    /// What a line is called when the spout is told that it was processed, or that it failed.
    type Id = ();

    async fn next(&mut self) -> Result<Option<(Line, ())>> {
        let line = POEM.lines().nth(self.read);
        self.read += 1;
        Ok(line.map(|text| (Line::new(text), ())))
    }
}

/// A bolt reads tuples of one type and emits tuples of another.
#[derive(Clone)]
struct Split;

impl Bolt for Split {
    type Input = Line;
    type Output = Word;

    async fn execute(&mut self, line: Line, out: &Emitter<Word>) -> Result {
        for word in line.words() {
            out.emit(Word { word }).await?; // belongs to the line, until it is counted
        }
        Ok(()) // an error would fail the line, and have it replayed
    }
}

#[tormenta::main]
fn main(t: &mut Topology, args: Args) -> Result {
    let lines = match args.path(0) {
        Some(path) => t.spout("lines", Lines::at(path)),
        None => t.spout("lines", Poem { read: 0 }),
    };
    let lines = lines.replaying(Retry::default());
    let split = t.bolt("split", Split, lines.shuffle()).tasks(2);
    let count = t.bolt("count", Count::default(), split.by(|word| &word.word)).tasks(2);
    t.bolt("print", TopWords::new(10).print(), count.global());
    Ok(())
}
