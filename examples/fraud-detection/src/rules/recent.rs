//! What was said about the last few transactions, so that it is said again and not learned twice.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// A number for an id. Only ever compared among the last few of one card or terminal.
#[must_use]
pub fn fingerprint(id: &[u8]) -> u64 {
    xxh3_64(id)
}

/// Answers that are remembered.
pub(super) const RECENT: usize = 16;

/// The last answers of one card or terminal, by the fingerprint of their transaction.
///
/// A tuple that is replayed comes within seconds. Bounded, because it is there for every card.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Recent<A> {
    answers: Vec<(u64, A)>,
    next: usize,
}

impl<A> Default for Recent<A> {
    fn default() -> Self {
        Self { answers: Vec::new(), next: 0 }
    }
}

impl<A: Copy> Recent<A> {
    /// What was answered, if this was asked lately.
    #[must_use]
    pub fn find(&self, fingerprint: u64) -> Option<A> {
        let same = |(known, _): &&(u64, A)| *known == fingerprint;
        self.answers.iter().find(same).map(|(_, answer)| *answer)
    }

    /// Remembers an answer, and forgets the oldest.
    pub fn keep(&mut self, fingerprint: u64, answer: A) {
        if self.answers.len() < RECENT {
            self.answers.push((fingerprint, answer));
        } else {
            self.answers[self.next] = (fingerprint, answer);
            self.next = (self.next + 1) % RECENT;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_answers_are_kept() {
        let mut recent = Recent::default();
        for n in 0..100u64 {
            recent.keep(n, n * 10);
            let oldest = n.saturating_sub(RECENT as u64 - 1);
            assert!((oldest..=n).all(|known| recent.find(known) == Some(known * 10)));
            assert!((0..oldest).all(|forgotten| recent.find(forgotten).is_none()));
        }
    }
}
