//! The order of everything: who has which turn, and who is forgotten.

use crate::{lru::Lru, tx::Turn};

/// Deals turns. Kept by whoever knows the order: the source of the topology, or the rules alone.
///
/// ```
/// use tormenta_fraud::Order;
///
/// let mut order = Order::new(100_000);
/// let first = order.turn(7, 1, 0);
/// let second = order.turn(7, 2, 1);
/// assert_eq!((first.card_back, second.card_back, second.terminal_back), (0, 1, 0));
/// ```
#[derive(Clone, Debug)]
pub struct Order {
    seq: u64,
    keys_max: usize,
    cards: Lru,
    terminals: Lru,
    /// How many cards, and how many terminals, were forgotten.
    forgotten: [u64; 2],
    /// The card and the terminal that the last turn made forgotten.
    just_forgotten: [Option<u64>; 2],
    /// From where on cards and terminals are remembered, as of this number. It is told to the
    /// tasks only once everything up to there is done.
    next: (u64, [u64; 2]),
    told: [u64; 2],
}

impl Order {
    /// Remembers so many cards, and so many terminals.
    #[must_use]
    pub fn new(keys_max: usize) -> Self {
        Self {
            seq: 0,
            keys_max,
            cards: Lru::default(),
            terminals: Lru::default(),
            forgotten: [0; 2],
            just_forgotten: [None; 2],
            next: (0, [0; 2]),
            told: [0; 2],
        }
    }

    /// The turn of the next thing that happens to a card at a terminal, where everything up to
    /// the number `done_to` is done.
    pub fn turn(&mut self, card: u64, terminal: u64, done_to: u64) -> Turn {
        if done_to >= self.next.0 {
            self.told = self.next.1;
            self.next = (self.seq, self.remembered_from());
        }
        self.seq += 1;
        let seq = self.seq;
        let back = |before: u64| match before {
            0 => 0,
            before => u32::try_from(seq - before).unwrap_or(0),
        };
        let card_back = back(self.cards.touch(card, seq));
        let terminal_back = back(self.terminals.touch(terminal, seq));
        for (index, keys) in [&mut self.cards, &mut self.terminals].into_iter().enumerate() {
            let forgotten = if keys.len() > self.keys_max { keys.pop_oldest() } else { None };
            self.forgotten[index] += u64::from(forgotten.is_some());
            self.just_forgotten[index] = forgotten;
        }
        let kept = |from: u64| match from {
            0 => u32::MAX,
            from => u32::try_from(seq - from).unwrap_or(u32::MAX),
        };
        let [cards_kept, terminals_kept] = self.told.map(kept);
        Turn { seq, card_back, terminal_back, cards_kept, terminals_kept }
    }

    /// Numbers that were given.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.seq
    }

    /// Whether none was given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.seq == 0
    }

    /// How many cards, and how many terminals, were forgotten so far.
    #[must_use]
    pub fn forgotten(&self) -> [u64; 2] {
        self.forgotten
    }

    /// The card and the terminal that the last turn made forgotten.
    #[must_use]
    pub fn just_forgotten(&self) -> [Option<u64>; 2] {
        self.just_forgotten
    }

    fn remembered_from(&mut self) -> [u64; 2] {
        let from = |forgotten, keys: &mut Lru| if forgotten > 0 { keys.oldest() } else { 0 };
        let [cards, terminals] = self.forgotten;
        [from(cards, &mut self.cards), from(terminals, &mut self.terminals)]
    }
}
