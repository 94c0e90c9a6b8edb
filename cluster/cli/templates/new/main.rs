//! Counts words: a spout of text, a bolt that splits it, a bolt that counts, one that prints.
//!
//! `cargo run` counts a poem, `cargo run -- book.txt` counts a file, and
//! `cargo run -- describe` prints the topology without running it. `cargo test` tests the bolt,
//! and the topology in virtual time.

use tormenta::{
    Args,
    bolts::{Count, Line, TopWords, Word, WordCount},
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

/// A part of a topology is a function from streams to streams.
fn count_words(t: &mut Topology, lines: Stream<Line>) -> Stream<WordCount> {
    let split = t.bolt("split", Split, lines.shuffle()).tasks(2);
    *t.bolt("count", Count::default(), split.by(|word| &word.word)).tasks(2)
}

#[tormenta::main]
fn main(t: &mut Topology, args: Args) -> Result {
    let lines = match args.path(0) {
        Some(path) => t.spout("lines", Lines::at(path)),
        None => t.spout("lines", Poem { read: 0 }),
    };
    let lines = lines.replaying(Retry::default());
    let counts = count_words(t, *lines);
    t.bolt("print", TopWords::new(10).print(), counts.global());
    Ok(())
}

#[cfg(test)]
mod tests {
    use tormenta::{
        LocalCluster, Simulation,
        testkit::{BoltTest, Capture},
    };

    use super::*;

    #[test]
    fn a_line_becomes_its_words() {
        let mut test = BoltTest::new(Split).input(Line::new("Who has seen"));
        let words: Vec<Bytes> = test.outputs().into_iter().map(|word| word.word).collect();
        assert_eq!(words, ["Who", "has", "seen"]);
    }

    /// The whole engine, on the thread of the test; another seed is another order of events.
    #[test]
    fn the_wind_is_counted() {
        let counted = Capture::new();
        let mut t = Topology::new("test");
        let lines = t.spout("lines", Poem { read: 0 });
        let counts = count_words(&mut t, *lines);
        t.bolt("counted", counted.bolt(), counts.global());
        let mut cluster = LocalCluster::new(t, Simulation::new(7)).expect("a sound plan");
        assert_eq!(cluster.run().error, None);
        let of_wind = counted.taken().into_iter().filter(|count| count.word == "wind");
        assert_eq!(of_wind.map(|count| count.count).max(), Some(2));
    }
}
