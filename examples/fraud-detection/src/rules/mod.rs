//! The rules: what is remembered of cards and terminals, and what a transaction is worth.
//!
//! ```text
//!   Tx -> Crowd::size_of ----> Size ---+
//!   Tx -> Terminal::observe -> Signs --+
//!                                      v
//!   Tx ----------------------> Card::observe -> Evidence -> Decision
//!
//!   Chargeback -> Terminal::report, Card::report
//! ```
//!
//! Everything here is plain: no engine, no clock, no randomness. Two things follow. The same
//! transactions in the same order give the same decisions, to the bit. And [`Rules`] is a whole
//! fraud detector that a test can call; the topology only deals its parts over tasks.

mod card;
mod crowd;
mod days;
mod evidence;
mod goods;
mod habit;
mod lately;
mod recent;
mod terminal;
mod windows;
mod worth;

pub use card::Card;
pub use crowd::{Crowd, Size, Usual};
pub use days::{Days, Reported, SPANS_DAYS};
pub use evidence::{Evidence, Reasons, Rule};
pub use goods::Goods;
pub use habit::{Guess, Habit};
pub use lately::Lately;
pub use recent::{Recent, fingerprint};
pub use terminal::{Signs, Terminal};
pub use windows::{SPANS_S, Windows};

use std::collections::HashMap;

use crate::{
    order::Order,
    source::Limits,
    tx::{Chargeback, Decision, Tx},
};

/// Version of the rules. It stands in every line of the ledger; raise it when a rule changes.
pub const VERSION: u32 = 3;

/// Cards and terminals in one place: the detector without an engine.
///
/// ```
/// use tormenta_fraud::{Rules, Tx, Verdict};
///
/// let mut rules = Rules::default();
/// let bread = Tx {
///     id: "1".into(), card: 7, terminal: 3, cents: 250, time: 1_700_000_000,
///     category: None, place: None, pass: None,
/// };
/// assert_eq!(rules.observe(&bread).verdict, Verdict::Approve);
/// ```
#[derive(Clone, Debug)]
pub struct Rules {
    crowd: Crowd,
    order: Order,
    cards: HashMap<u64, Card>,
    terminals: HashMap<u64, Terminal>,
    limits: Limits,
}

impl Default for Rules {
    fn default() -> Self {
        Self::with(Limits::default())
    }
}

impl Rules {
    /// Rules for which a time after `limits.time_max` lies in the future, and which remember
    /// `limits.keys_max` cards and terminals.
    #[must_use]
    pub fn with(limits: Limits) -> Self {
        let (cards, terminals) = (HashMap::new(), HashMap::new());
        let order = Order::new(limits.keys_max);
        Self { crowd: Crowd::default(), order, cards, terminals, limits }
    }

    /// Decides, and remembers. A transaction that comes twice in short order is decided the same
    /// way again and remembered once, as far as it concerns its card and terminal.
    pub fn observe(&mut self, tx: &Tx) -> Decision {
        let (size, limits) = (self.crowd.size_of(tx), self.limits);
        let (card, terminal) = self.at(tx.card, tx.terminal);
        let signs = terminal.observe(tx, limits);
        card.observe(tx, size, signs, limits)
    }

    /// Hears that a payment was a fraud.
    pub fn report(&mut self, chargeback: &Chargeback) {
        let (card, terminal) = self.at(chargeback.card, chargeback.terminal);
        terminal.report(chargeback);
        card.report(chargeback);
    }

    /// A card and a terminal. Those that were not used for longest are forgotten for them.
    fn at(&mut self, card: u64, terminal: u64) -> (&mut Card, &mut Terminal) {
        self.order.turn(card, terminal, u64::MAX);
        let [old_card, old_terminal] = self.order.just_forgotten();
        old_card.map(|card| self.cards.remove(&card));
        old_terminal.map(|terminal| self.terminals.remove(&terminal));
        (self.cards.entry(card).or_default(), self.terminals.entry(terminal).or_default())
    }
}
