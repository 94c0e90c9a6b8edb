//! Who was used when.
//!
//! The number of cards in the world has no bound, memory has. Recency goes by the place in the
//! stream, not by a clock and not by what a transaction claims to be its time: so the same input
//! forgets the same cards in every run, and a time far in the future keeps nobody alive.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

/// No slot.
const NONE: u32 = u32::MAX;

/// Keys in the order of their last use. A use costs a look into a map; memory is some 60 bytes
/// a key. The order is made when it is asked for the first time, and kept from then on: whoever
/// never has too many keys does not pay for it.
///
/// ```
/// use tormenta_fraud::Lru;
///
/// let mut lru = Lru::default();
/// assert_eq!([lru.touch(7, 1), lru.touch(8, 2), lru.touch(7, 3)], [0, 0, 1]);
/// assert_eq!(lru.pop_oldest(), Some(8));
/// ```
#[derive(Clone, Debug)]
pub struct Lru {
    /// The slot of each key; before there is an order, the number of its last use.
    index: HashMap<u64, u64, BuildHasherDefault<Mixed>>,
    slots: Vec<Slot>,
    /// Slots that are free.
    free: Vec<u32>,
    oldest: u32,
    newest: u32,
    is_ordered: bool,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    key: u64,
    seq: u64,
    older: u32,
    newer: u32,
}

impl Default for Lru {
    fn default() -> Self {
        let (slots, free) = (Vec::new(), Vec::new());
        let (index, is_ordered) = (HashMap::default(), false);
        Self { index, slots, free, oldest: NONE, newest: NONE, is_ordered }
    }
}

impl Lru {
    /// Uses a key with a number, which must not be 0. Returns the number of its last use, or 0.
    /// A number that is not above the last one changes nothing: it is a replay.
    pub fn touch(&mut self, key: u64, seq: u64) -> u64 {
        if !self.is_ordered {
            let last = self.index.entry(key).or_insert(0);
            let before = *last;
            *last = before.max(seq);
            return before;
        }
        let Some(&slot) = self.index.get(&key) else {
            self.append(key, seq);
            return 0;
        };
        let slot = slot as u32;
        let before = self.slots[slot as usize].seq;
        if seq > before {
            self.slots[slot as usize].seq = seq;
            if slot != self.newest {
                self.unlink(slot);
                self.link(slot);
            }
        }
        before
    }

    /// The number of the last use of the key that was not used for longest; 0 if there is none.
    pub fn oldest(&mut self) -> u64 {
        self.put_in_order();
        self.slots.get(self.oldest as usize).map_or(0, |slot| slot.seq)
    }

    /// Forgets the key that was not used for longest.
    pub fn pop_oldest(&mut self) -> Option<u64> {
        self.put_in_order();
        let slot = self.oldest;
        let key = self.slots.get(slot as usize)?.key;
        self.unlink(slot);
        self.index.remove(&key);
        self.free.push(slot);
        Some(key)
    }

    /// Number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    fn put_in_order(&mut self) {
        if self.is_ordered {
            return;
        }
        self.is_ordered = true;
        let mut uses: Vec<_> = self.index.drain().collect();
        uses.sort_unstable_by_key(|(_, seq)| *seq);
        uses.into_iter().for_each(|(key, seq)| self.append(key, seq));
    }

    /// Adds a key as the newest.
    fn append(&mut self, key: u64, seq: u64) {
        let slot = self.take_slot(Slot { key, seq, older: NONE, newer: NONE });
        self.index.insert(key, u64::from(slot));
        self.link(slot);
    }

    fn take_slot(&mut self, slot: Slot) -> u32 {
        if let Some(free) = self.free.pop() {
            self.slots[free as usize] = slot;
            return free;
        }
        self.slots.push(slot);
        (self.slots.len() - 1) as u32
    }

    /// Makes a slot the newest.
    fn link(&mut self, slot: u32) {
        let older = self.newest;
        self.slots[slot as usize].older = older;
        self.slots[slot as usize].newer = NONE;
        match self.slots.get_mut(older as usize) {
            Some(older) => older.newer = slot,
            None => self.oldest = slot,
        }
        self.newest = slot;
    }

    fn unlink(&mut self, slot: u32) {
        let Slot { older, newer, .. } = self.slots[slot as usize];
        match self.slots.get_mut(older as usize) {
            Some(older) => older.newer = newer,
            None => self.oldest = newer,
        }
        match self.slots.get_mut(newer as usize) {
            Some(newer) => newer.older = older,
            None => self.newest = older,
        }
    }
}

/// Spreads numbers that are close to each other. Nobody is kept from choosing card numbers that
/// collide, but who may choose them pays with his own cards.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mixed(u64);

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        let mixed = u128::from(self.0 ^ number) * 0x9E37_79B9_7F4A_7C15;
        self.0 = (mixed >> 64) as u64 ^ mixed as u64;
    }
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    quickcheck! {
        /// By a list that is searched every time.
        fn behaves_like_a_list(steps: Vec<(u8, bool)>) -> bool {
            let (mut lru, mut list, mut seq) = (Lru::default(), Vec::<(u64, u64)>::new(), 0);
            steps.into_iter().all(|(key, pops)| {
                if pops {
                    let key = (!list.is_empty()).then(|| list.remove(0).0);
                    return lru.pop_oldest() == key && lru.len() == list.len();
                }
                let key = u64::from(key % 16);
                seq += 1;
                let place = list.iter().position(|(known, _)| *known == key);
                let before = place.map_or(0, |place| list.remove(place).1);
                list.push((key, seq));
                lru.touch(key, seq) == before
                    && lru.touch(key, before.max(1)) == seq
                    && lru.oldest() == list[0].1
                    && lru.len() == list.len()
            })
        }
    }

    #[test]
    fn slots_are_used_again() {
        let mut lru = Lru::default();
        for seq in 1..=10_000 {
            lru.touch(seq, seq);
            if lru.len() > 100 {
                lru.pop_oldest();
            }
        }
        assert!(lru.slots.len() <= 101, "{}", lru.slots.len());
    }
}
