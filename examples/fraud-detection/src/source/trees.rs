//! What was emitted and is not done, to be emitted again if it fails.

use std::collections::VecDeque;

use crate::tx::Entry;

/// Open trees, by number, from `done_to + 1` on.
#[derive(Debug, Default)]
pub(super) struct Trees {
    /// `None` where one is done; else the entry, and how often it failed.
    open: VecDeque<Option<(Entry, u32)>>,
    done_to: u64,
    again: VecDeque<u64>,
}

impl Trees {
    /// Keeps an entry until it is done. Its number is the one after the last.
    pub(super) fn open(&mut self, entry: Entry) {
        self.open.push_back(Some((entry, 0)));
    }

    /// This one is done. Returns it, unless it was done before.
    pub(super) fn close(&mut self, seq: u64) -> Option<Entry> {
        let closed = self.at(seq).and_then(Option::take);
        while let Some(None) = self.open.front() {
            self.open.pop_front();
            self.done_to += 1;
        }
        closed.map(|(entry, _)| entry)
    }

    /// This one failed and has to come again. Returns how often it failed, 0 if it is done.
    pub(super) fn fail(&mut self, seq: u64) -> u32 {
        let Some(Some((_, failures))) = self.at(seq) else { return 0 };
        *failures += 1;
        let failures = *failures;
        self.again.push_back(seq);
        failures
    }

    /// One that has to come again.
    pub(super) fn again(&mut self) -> Option<Entry> {
        let seq = self.again.pop_front()?;
        self.at(seq)?.as_ref().map(|(entry, _)| entry.clone())
    }

    /// What is not done, in order.
    pub(super) fn left(&self) -> impl Iterator<Item = &Entry> {
        self.open.iter().flatten().map(|(entry, _)| entry)
    }

    /// Everything up to this number is done.
    pub(super) fn done_to(&self) -> u64 {
        self.done_to
    }

    /// Whether everything is done.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    fn at(&mut self, seq: u64) -> Option<&mut Option<(Entry, u32)>> {
        let index = seq.checked_sub(self.done_to + 1)?;
        self.open.get_mut(index as usize)
    }
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;
    use crate::tx::{Chargeback, Turn};

    fn entry(seq: u64) -> Entry {
        let turn = Turn { seq, ..Turn::default() };
        Entry::Chargeback(Chargeback { id: "1".into(), card: 1, terminal: 1, time: 1, turn })
    }

    quickcheck! {
        /// Whatever the order of acks and fails: nothing is forgotten, nothing comes too often.
        fn what_failed_comes_again_and_what_is_done_does_not(steps: Vec<(u8, bool)>) -> bool {
            let (mut trees, mut done) = (Trees::default(), vec![true]);
            let mut failed = std::collections::VecDeque::new();
            for (at, fails) in steps {
                let seq = done.len() as u64;
                trees.open(entry(seq));
                done.push(false);
                let seq = 1 + u64::from(at) % seq;
                if fails {
                    let is_open = !done[seq as usize];
                    if is_open != (trees.fail(seq) > 0) {
                        return false;
                    }
                    failed.extend(is_open.then_some(seq));
                } else {
                    let closed = trees.close(seq).map(|entry| entry.turn().seq);
                    if closed != (!done[seq as usize]).then_some(seq) {
                        return false;
                    }
                    done[seq as usize] = true;
                }
                let prefix = done.iter().take_while(|done| **done).count() as u64 - 1;
                if trees.done_to() != prefix {
                    return false;
                }
            }
            failed.into_iter().all(|seq| {
                let again = trees.again().map(|entry| entry.turn().seq);
                again == (!done[seq as usize]).then_some(seq)
            }) && trees.again().is_none()
        }
    }
}
