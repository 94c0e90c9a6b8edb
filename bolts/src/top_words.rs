//! The words that are counted most.

use std::{
    cmp::Reverse,
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use bytes::Bytes;
use tormenta_dsl::{Bolt, Emitter, Free, KeyHasher, Result};

use crate::{WordCount, console::Console};

/// Keeps the `n` words with the largest counts and emits them once the inputs have ended, the
/// largest first and those with equal counts in the order of their bytes.
///
/// It reads the new count of a word whenever that changes, as [`Count`](crate::Count) emits it, or
/// each word once, as [`Tally`](crate::Tally) does. A count that is smaller than an earlier one of
/// the same word is late, and ignored: counts only grow. One task reads them all.
///
/// ```
/// use tormenta_bolts::{TopWords, WordCount};
/// use tormenta_dsl::{Topology, doc::NoEngine};
/// # let mut t = Topology::<NoEngine>::new("word-count");
/// # let counts = t.feedback::<WordCount>("counts");
///
/// let top = t.bolt("top", TopWords::new(20), counts.global());
/// ```
#[derive(Clone, Debug)]
pub struct TopWords {
    n: usize,
    /// At most twice as many words as wanted, and all that are wanted.
    candidates: HashMap<Bytes, u64, BuildHasherDefault<WordHasher>>,
    /// There are `n` candidates with at least this count, so that no word with less is wanted.
    floor: u64,
    print: Option<Console>,
}

impl TopWords {
    /// The `n` largest.
    ///
    /// ```
    /// let top = tormenta_bolts::TopWords::new(20);
    /// ```
    #[must_use]
    pub fn new(n: usize) -> Self {
        Self { n, candidates: HashMap::default(), floor: 0, print: None }
    }

    /// Prints the table to standard output as well, at the end.
    ///
    /// ```
    /// let top = tormenta_bolts::TopWords::new(20).print();
    /// ```
    #[must_use]
    pub fn print(self) -> Self {
        let print = Some(Console::default());
        Self { print, ..self }
    }

    /// Takes note of a count. Most are below the floor and cost one comparison.
    #[inline]
    fn note(&mut self, WordCount { word, count }: WordCount) {
        if count < self.floor || self.n == 0 {
            return;
        }
        if let Some(known) = self.candidates.get_mut(&word) {
            *known = count.max(*known);
            return;
        }
        self.candidates.insert(Bytes::copy_from_slice(&word), count);
        if self.candidates.len() >= 2 * self.n {
            self.raise_floor();
        }
    }

    /// Drops the candidates that are beaten by `n` others. Called once in `n` new candidates.
    fn raise_floor(&mut self) {
        let mut ranked = self.ranked();
        ranked.truncate(self.n);
        self.floor = ranked.last().map_or(0, |last| last.count);
        self.candidates = ranked.into_iter().map(|top| (top.word, top.count)).collect();
    }

    /// All candidates, the largest first.
    fn ranked(&self) -> Vec<WordCount> {
        let candidates = self.candidates.iter();
        let mut ranked: Vec<_> =
            candidates.map(|(word, count)| WordCount::new(word.clone(), *count)).collect();
        ranked
            .sort_unstable_by(|a, b| (Reverse(a.count), &a.word).cmp(&(Reverse(b.count), &b.word)));
        ranked
    }

    fn top(&self) -> Vec<WordCount> {
        let mut top = self.ranked();
        top.truncate(self.n);
        top
    }
}

/// The table as people like to read it: counts first, because they can be aligned.
fn table(top: &[WordCount]) -> Vec<u8> {
    let width = top.first().map_or(0, |largest| largest.count.to_string().len());
    let mut lines = Vec::new();
    for WordCount { word, count } in top {
        lines.extend_from_slice(format!("{count:>width$}  ").as_bytes());
        lines.extend_from_slice(word);
        lines.push(b'\n');
    }
    lines
}

impl Bolt for TopWords {
    type Input = WordCount;
    type Output = WordCount;

    #[inline]
    async fn execute(&mut self, count: WordCount, _out: &Emitter<WordCount>) -> Result {
        self.note(count);
        Ok(())
    }

    async fn finish(&mut self, out: &Emitter<WordCount, Free>) -> Result {
        let top = self.top();
        if let Some(console) = &self.print {
            console.print(&table(&top))?;
        }
        for count in top {
            out.emit_free(count).await?;
        }
        Ok(())
    }
}

/// Hashes a word as the groupings do, which is faster than the standard hasher. Whoever chooses
/// words so that they collide must bring `n` of them into the table first.
#[derive(Clone, Copy, Debug, Default)]
struct WordHasher(KeyHasher);

impl Hasher for WordHasher {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        self.0.add(bytes);
    }

    /// The length of the word, which its hash depends on already.
    #[inline]
    fn write_usize(&mut self, _length: usize) {}

    #[inline]
    fn finish(&self) -> u64 {
        self.0.hash()
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use quickcheck::quickcheck;

    use super::*;
    use crate::testing::{Bench, block_on};

    fn counts(counts: &[(&'static str, u64)]) -> Vec<WordCount> {
        counts.iter().map(|(word, count)| WordCount::new(*word, *count)).collect()
    }

    quickcheck! {
        /// Words counted one after the other, against a table of them all.
        fn the_top_is_the_top_of_all(words: Vec<u8>, n: u8) -> bool {
            let n = usize::from(n % 8);
            let (mut top, mut all) = (TopWords::new(n), BTreeMap::<Bytes, u64>::new());
            for word in words {
                let word = Bytes::from(vec![b'a' + word % 40]);
                let count = all.entry(word.clone()).or_default();
                *count += 1;
                top.note(WordCount::new(word, *count));
            }
            let mut all: Vec<_> = all.into_iter().collect();
            all.sort_by_key(|(_, count)| Reverse(*count));
            let all = all.into_iter().map(|(word, count)| WordCount { word, count });
            top.candidates.len() <= (2 * n).max(1) && top.top().into_iter().eq(all.take(n))
        }
    }

    #[test]
    fn ties_go_by_the_word() {
        let mut top = TopWords::new(3);
        for count in counts(&[("d", 1), ("c", 2), ("b", 1), ("a", 1), ("e", 1)]) {
            top.note(count);
        }
        assert_eq!(top.top(), counts(&[("c", 2), ("a", 1), ("b", 1)]));
    }

    #[test]
    fn a_late_count_is_ignored() {
        let mut top = TopWords::new(2);
        for count in counts(&[("a", 5), ("a", 4), ("b", 1)]) {
            top.note(count);
        }
        assert_eq!(top.top(), counts(&[("a", 5), ("b", 1)]));
    }

    #[test]
    fn the_table_is_emitted_and_printed_at_the_end() {
        let (written, bench) = (Arc::default(), Bench::new());
        let mut top = TopWords::new(2).print();
        top.print = Some(Console::Memory(Arc::clone(&written)));
        for count in counts(&[("the", 123), ("a", 45), ("storm", 7)]) {
            block_on(top.execute(count, &bench.emitter())).expect("no error");
        }
        block_on(top.finish(&bench.emitter())).expect("no error");
        assert_eq!(bench.emitted(), counts(&[("the", 123), ("a", 45)]));
        assert_eq!(*written.lock().expect("whole"), b"123  the\n 45  a\n");
    }
}
