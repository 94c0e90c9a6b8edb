//! Counts words in memory.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hasher, RandomState},
};

use bytes::Bytes;
use tormenta::{Bolt, Emitter, Free, Result, bolts::WordCount};

use super::token::{Packed, Token};

/// Counts words, and emits each with its count once the inputs have ended.
///
/// What it emits is anchored to nothing: the lines of the words were acked when they were counted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    short: Counts,
    long: HashMap<Bytes, u64>,
}

impl Bolt for Tally {
    type Input = Token;
    type Output = WordCount;

    #[inline]
    async fn execute(&mut self, token: Token, _out: &Emitter<WordCount>) -> Result {
        match token {
            Token::Short(word) => self.short.add(word),
            Token::Long(word) => self.add_long(&word),
        }
        Ok(())
    }

    async fn finish(&mut self, out: &Emitter<WordCount, Free>) -> Result {
        for (word, count) in std::mem::take(&mut self.short).into_iter() {
            out.emit_free(WordCount::new(word, count)).await?;
        }
        for (word, count) in self.long.drain() {
            out.emit_free(WordCount::new(word, count)).await?;
        }
        Ok(())
    }
}

impl Tally {
    #[cold]
    fn add_long(&mut self, word: &Bytes) {
        match self.long.get_mut(word) {
            Some(count) => *count += 1,
            // A copy: the slice would keep alive all that was read together with it.
            None => {
                self.long.insert(Bytes::copy_from_slice(word), 1);
            }
        }
    }
}

/// How often each short word was seen: a table with open addresses, at most half full.
///
/// A word is compared as two numbers that stand beside its count, so that nearly every word costs
/// one cache line. The hash is seeded, so that nobody can choose words that collide.
#[derive(Debug, Clone)]
struct Counts {
    /// A power of two.
    slots: Vec<Slot>,
    used: usize,
    seed: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    halves: (u64, u64),
    count: u64,
}

impl Default for Counts {
    fn default() -> Self {
        let seed = RandomState::new().build_hasher().finish();
        Self { slots: vec![Slot::default(); 1 << 12], used: 0, seed }
    }
}

impl Counts {
    #[inline]
    fn add(&mut self, word: Packed) {
        let halves = word.halves();
        let index = self.find(halves);
        let slot = &mut self.slots[index];
        slot.count += 1;
        if slot.count == 1 {
            slot.halves = halves;
            self.grow_if_crowded();
        }
    }

    /// Where a word is, or where it shall be.
    #[inline]
    fn find(&self, halves: (u64, u64)) -> usize {
        let mask = self.slots.len() - 1;
        let mut index = self.hash(halves) as usize & mask;
        loop {
            let slot = &self.slots[index];
            if slot.halves == halves || slot.count == 0 {
                return index;
            }
            index = (index + 1) & mask;
        }
    }

    #[inline]
    fn hash(&self, (low, high): (u64, u64)) -> u64 {
        let product = u128::from(low ^ self.seed) * u128::from(high ^ 0x9e37_79b9_7f4a_7c15);
        product as u64 ^ (product >> 64) as u64
    }

    #[cold]
    fn grow_if_crowded(&mut self) {
        self.used += 1;
        if 2 * self.used <= self.slots.len() {
            return;
        }
        let slots = vec![Slot::default(); 2 * self.slots.len()];
        for slot in std::mem::replace(&mut self.slots, slots) {
            if slot.count > 0 {
                let index = self.find(slot.halves);
                self.slots[index] = slot;
            }
        }
    }

    fn into_iter(self) -> impl Iterator<Item = (Packed, u64)> {
        let used = self.slots.into_iter().filter(|slot| slot.count > 0);
        used.map(|slot| (Packed::of_halves(slot.halves), slot.count))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use quickcheck::quickcheck;
    use tormenta::bolts::Word;

    use super::*;

    quickcheck! {
        fn counts_like_a_map(words: Vec<u16>) -> bool {
            let (mut counts, mut model) = (Counts::default(), BTreeMap::new());
            for number in words {
                // Enough different words that the table grows, and some that come again.
                for number in number..number.saturating_add(60) {
                    let Token::Short(word) = Token::from(Word::new(number.to_string())) else {
                        return false;
                    };
                    counts.add(word);
                    *model.entry(word).or_insert(0u64) += 1;
                }
            }
            counts.into_iter().collect::<BTreeMap<_, _>>() == model
        }
    }
}
