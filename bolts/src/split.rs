//! Lines into words.

use tormenta_dsl::{
    Bolt, Emitter, Result,
    text::{Line, Word},
};

/// Emits the words of each line, as slices of the line: see [`words`](crate::words).
///
/// ```
/// use tormenta_bolts::{Count, Line, Split};
/// use tormenta_dsl::{Topology, doc::NoEngine};
/// # let mut t = Topology::<NoEngine>::new("word-count");
/// # let lines = t.feedback::<Line>("lines");
///
/// let split = t.bolt("split", Split, lines.shuffle()).tasks(2);
/// let count = t.bolt("count", Count::default(), split.by(|word| &word.word)).tasks(2);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Split;

impl Bolt for Split {
    type Input = Line;
    type Output = Word;

    #[inline]
    async fn execute(&mut self, line: Line, out: &Emitter<Word>) -> Result {
        for word in line.words() {
            out.emit(Word { word }).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, block_on};

    #[test]
    fn words_leave_in_their_order() {
        let bench = Bench::new();
        for line in ["to be", "", " or\tnot to be "] {
            block_on(Split.execute(Line::new(line), &bench.emitter())).expect("no error");
        }
        let words = ["to", "be", "or", "not", "to", "be"].map(Word::new);
        assert_eq!(bench.emitted(), words);
    }
}
