//! One ranking from those of many tasks.

use std::{cmp::Reverse, collections::BTreeMap, time::Duration};

use tormenta_dsl::{Bolt, Emitter, Free, Result};

use super::{RankKey, Ranked, Ranking};

/// Merges the rankings of the tasks of a [`TopN`](super::TopN) into the ranking of all keys, and
/// emits it at a tick when it has changed.
///
/// Every key must be counted by one task only: then who is among the `n` first of all is among the
/// `n` first of its task, and the result is exact. It is as fresh as the ticks of both bolts. A
/// task whose window ended before that of the newest ranking began counts no more. One task reads
/// them all; it keeps one ranking for each of the tasks. Give both bolts the same `n`.
///
/// ```
/// use tormenta_bolts::{MergeTop, TopN, Word};
/// use tormenta_dsl::{Topology, doc::NoEngine};
/// # let mut t = Topology::<NoEngine>::new("trends");
/// # let words = t.feedback::<Word>("words");
///
/// let part = TopN::new(10, |word: &Word| word.word.clone()).for_merge();
/// let parts = t.bolt("parts", part, words.by(|word| &word.word)).tasks(4);
/// let ranking = t.bolt("ranking", MergeTop::new(10), parts.global());
/// ```
#[derive(Clone, Debug)]
pub struct MergeTop<K> {
    n: usize,
    /// The newest ranking of every task.
    parts: BTreeMap<u64, Ranking<K>>,
    has_changed: bool,
    last: Vec<Ranked<K>>,
}

impl<K: RankKey> MergeTop<K> {
    /// The `n` first of all.
    ///
    /// ```
    /// let merge = tormenta_bolts::MergeTop::<String>::new(10);
    /// ```
    #[must_use]
    pub fn new(n: usize) -> Self {
        Self { n, parts: BTreeMap::new(), has_changed: false, last: Vec::new() }
    }

    fn merged(&self) -> Option<Ranking<K>> {
        let newest = self.parts.values().max_by_key(|part| part.end)?;
        let (start, end) = (newest.start, newest.end);
        let fresh = self.parts.values().filter(|part| part.end > start);
        let mut top: Vec<&Ranked<K>> = fresh.flat_map(|part| &part.top).collect();
        top.sort_unstable_by(|a, b| (Reverse(a.count), &a.key).cmp(&(Reverse(b.count), &b.key)));
        let top = top.into_iter().take(self.n).cloned().collect();
        Some(Ranking { task: 0, start, end, top })
    }
}

impl<K: RankKey> Bolt for MergeTop<K> {
    type Input = Ranking<K>;
    type Output = Ranking<K>;

    async fn execute(&mut self, part: Ranking<K>, _out: &Emitter<Ranking<K>>) -> Result {
        self.parts.insert(part.task, part);
        self.has_changed = true;
        Ok(())
    }

    fn tick_interval(&self) -> Option<Duration> {
        Some(Duration::from_secs(1))
    }

    async fn tick(&mut self, out: &Emitter<Ranking<K>, Free>) -> Result {
        if !std::mem::take(&mut self.has_changed) {
            return Ok(());
        }
        match self.merged() {
            Some(ranking) if ranking.top != self.last => {
                self.last.clone_from(&ranking.top);
                out.emit_free(ranking).await
            }
            _ => Ok(()),
        }
    }

    async fn finish(&mut self, out: &Emitter<Ranking<K>, Free>) -> Result {
        self.tick(out).await
    }
}
