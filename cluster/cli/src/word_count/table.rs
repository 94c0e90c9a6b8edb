//! All words and their counts.

use std::sync::{Arc, Mutex, PoisonError};

use tormenta::{Bolt, Emitter, Result, bolts::WordCount};

/// Collects what the counting tasks say at the end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table(Arc<Mutex<Words>>);

/// Words and how often each was seen.
pub(crate) type Words = Vec<WordCount>;

impl Table {
    /// What was collected, lines sorted by byte: as `LC_ALL=C sort` would sort `word TAB count`.
    pub(crate) fn take_sorted(&self) -> Words {
        let mut words = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        // No word has a byte below the tab in it, except for control characters: then the tab
        // decides, and not the end of the shorter word.
        words.sort_unstable_by(|a, b| line_bytes(a).cmp(line_bytes(b)));
        words
    }
}

fn line_bytes(count: &WordCount) -> impl Iterator<Item = &u8> {
    count.word.iter().chain(b"\t")
}

impl Bolt for Table {
    type Input = WordCount;
    type Output = ();

    async fn execute(&mut self, count: WordCount, _out: &Emitter<()>) -> Result {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(count);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorted_as_lines_are() {
        let table = Table::default();
        for word in ["b", "a\x01", "a", "a\x0e", "\u{e9}"] {
            table.0.lock().expect("whole").push(WordCount::new(word, 1));
        }
        let sorted: Vec<_> = table.take_sorted().into_iter().map(|count| count.word).collect();
        // The lines are `a\x01\t1`, `a\t1`, `a\x0e\t1`, ..
        assert_eq!(sorted, ["a\x01", "a", "a\x0e", "b", "\u{e9}"]);
    }
}
