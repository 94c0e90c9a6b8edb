//! Counts words, and says so at the end.

use bytes::Bytes;
use tormenta_dsl::{Bolt, Emitter, Free, Keyed, Result, Stores, text::Word};

use crate::{WordCount, count::add_one};

/// Counts words and emits each with its final count once the inputs have ended, in the order of
/// the words' bytes.
///
/// What it emits is anchored to nothing: the words themselves were acked when they were counted.
///
/// ```
/// use tormenta_bolts::{LineFile, Tally, Word, WordCount};
/// use tormenta_dsl::{Topology, doc::NoEngine};
/// # let mut t = Topology::<NoEngine>::new("word-count");
/// # let words = t.feedback::<Word>("words");
///
/// let tally = t.bolt("tally", Tally::default(), words.by(|word| &word.word)).tasks(2);
/// t.bolt("file", LineFile::at("counts.tsv").with(WordCount::tsv), tally.global());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Tally {
    counts: Keyed<Bytes, u64>,
}

impl Bolt for Tally {
    type Input = Word;
    type Output = WordCount;

    fn state<S: Stores>(&mut self, stores: &mut S) {
        stores.keyed("counts", &mut self.counts);
    }

    #[inline]
    async fn execute(&mut self, Word { word }: Word, _out: &Emitter<WordCount>) -> Result {
        add_one(&mut self.counts, &word);
        Ok(())
    }

    async fn finish(&mut self, out: &Emitter<WordCount, Free>) -> Result {
        let mut counts: Vec<_> = self.counts.iter().collect();
        counts.sort_unstable();
        for (word, count) in counts {
            out.emit_free(WordCount::new(word.clone(), *count)).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, TestStores, block_on};

    #[test]
    fn each_word_is_told_once_at_the_end() {
        let (mut tally, bench) = (Tally::default(), Bench::new());
        tally.state(&mut TestStores);
        for word in ["to", "be", "or", "not", "to", "be"] {
            block_on(tally.execute(Word::new(word), &bench.emitter())).expect("no error");
        }
        assert!(bench.emitted().is_empty());
        block_on(tally.finish(&bench.emitter())).expect("no error");
        let expected = [("be", 2), ("not", 1), ("or", 1), ("to", 2)];
        assert_eq!(bench.emitted(), expected.map(|(word, n)| WordCount::new(word, n)));
    }
}
