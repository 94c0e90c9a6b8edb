//! Counts words, and says so each time.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tormenta_dsl::{Bolt, Emitter, Keyed, Result, Stores, Tuple, text::Word};

/// How often a word was seen.
///
/// ```
/// use tormenta_bolts::WordCount;
///
/// let storm = WordCount::new("storm", 3);
/// assert_eq!(storm.count, 3);
/// ```
#[derive(Tuple, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordCount {
    /// The word.
    pub word: Bytes,
    /// How often it was seen.
    pub count: u64,
}

impl WordCount {
    /// So many of this word.
    ///
    /// ```
    /// let storms = tormenta_bolts::WordCount::new("storm", 3);
    /// ```
    #[must_use]
    pub fn new(word: impl Into<Bytes>, count: u64) -> Self {
        let word = word.into();
        Self { word, count }
    }

    /// Adds `word TAB count` to a line, for sinks:
    ///
    /// ```
    /// use tormenta_bolts::{LineFile, WordCount};
    ///
    /// let file = LineFile::at("counts.tsv").with(WordCount::tsv);
    /// ```
    pub fn tsv(&self, line: &mut Vec<u8>) {
        line.extend_from_slice(&self.word);
        line.push(b'\t');
        line.extend_from_slice(self.count.to_string().as_bytes());
    }
}

/// Counts words and emits the new count of each: Storm's classic.
///
/// The counts are keyed state of the engine. Read a stream of words `by` the word, so that every
/// word is counted by one task. A word whose tree fails and is replayed is counted again: that is
/// what at-least-once means. Who needs the exact number counts in an exactly-once layer.
///
/// ```
/// use tormenta_bolts::{Count, Word};
/// use tormenta_dsl::{Topology, doc::NoEngine};
/// # let mut t = Topology::<NoEngine>::new("word-count");
/// # let words = t.feedback::<Word>("words");
///
/// let count = t.bolt("count", Count::default(), words.by(|word| &word.word)).tasks(2);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Count {
    counts: Keyed<Bytes, u64>,
}

impl Bolt for Count {
    type Input = Word;
    type Output = WordCount;

    fn state<S: Stores>(&mut self, stores: &mut S) {
        stores.keyed("counts", &mut self.counts);
    }

    #[inline]
    async fn execute(&mut self, Word { word }: Word, out: &Emitter<WordCount>) -> Result {
        let count = add_one(&mut self.counts, &word);
        out.emit(WordCount { word, count }).await
    }
}

/// Counts a word. A new one is copied: the word is a slice, and would keep alive all that was read
/// together with it.
#[inline]
pub(crate) fn add_one(counts: &mut Keyed<Bytes, u64>, word: &Bytes) -> u64 {
    if let Some(count) = counts.get_mut(word) {
        *count += 1;
        return *count;
    }
    counts.insert(Bytes::copy_from_slice(word), 1);
    1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, TestStores, block_on};

    #[test]
    fn every_word_says_how_often_it_was_seen() {
        let (mut count, bench) = (Count::default(), Bench::new());
        count.state(&mut TestStores);
        for word in ["to", "be", "to"] {
            block_on(count.execute(Word::new(word), &bench.emitter())).expect("no error");
        }
        let expected = [("to", 1), ("be", 1), ("to", 2)];
        assert_eq!(bench.emitted(), expected.map(|(word, n)| WordCount::new(word, n)));
    }

    #[test]
    fn a_counted_word_does_not_keep_its_line() {
        let line = Bytes::from(b"storm and more".to_vec());
        let mut count = Count::default();
        count.state(&mut TestStores);
        for _ in 0..2 {
            add_one(&mut count.counts, &line.slice(0..5));
        }
        assert!(line.is_unique());
    }
}
