//! The rules: what is remembered of cards and terminals, and what a transaction is worth.
//!
//! ```text
//!   Tx -> Terminal::observe -> Signs --+
//!                                      v
//!   Tx ----------------------> Card::observe -> Evidence -> Decision
//! ```
//!
//! Everything here is plain: no engine, no clock, no randomness. Two things follow. The same
//! transactions in the same order give the same decisions, to the bit. And [`Rules`] is a whole
//! fraud detector that a test can call; the topology only deals its parts over tasks.

mod card;
mod evidence;
mod habit;
mod recent;
mod terminal;
mod windows;

pub use card::Card;
pub use evidence::{Evidence, Reasons, Rule};
pub use habit::{Guess, Habit};
pub use recent::{Recent, fingerprint};
pub use terminal::{Signs, Terminal};
pub use windows::{SPANS_S, Windows};

use std::collections::HashMap;

use crate::tx::{Decision, Tx};

/// Version of the rules. It stands in every line of the ledger; raise it when a rule changes.
pub const VERSION: u32 = 1;

/// Cards and terminals in one place: the detector without an engine.
///
/// ```
/// use tormenta_fraud::{Rules, Tx, Verdict};
///
/// let mut rules = Rules::default();
/// let bread = Tx {
///     id: "1".into(), card: 7, terminal: 3, cents: 250, time: 1_700_000_000,
///     place: None, pass: None,
/// };
/// assert_eq!(rules.observe(&bread).verdict, Verdict::Approve);
/// ```
#[derive(Clone, Debug)]
pub struct Rules {
    cards: HashMap<u64, Card>,
    terminals: HashMap<u64, Terminal>,
    /// No transaction is later than this, in seconds since 1970.
    time_max: i64,
}

impl Default for Rules {
    fn default() -> Self {
        Self::until(i64::MAX)
    }
}

impl Rules {
    /// Rules for which a time after `time_max`, in seconds since 1970, lies in the future.
    #[must_use]
    pub fn until(time_max: i64) -> Self {
        Self { cards: HashMap::new(), terminals: HashMap::new(), time_max }
    }

    /// Decides, and remembers. A transaction that comes twice in short order is decided the same
    /// way again and remembered once.
    pub fn observe(&mut self, tx: &Tx) -> Decision {
        let signs = self.terminals.entry(tx.terminal).or_default().observe(tx);
        self.cards.entry(tx.card).or_default().observe(tx, signs, self.time_max)
    }
}
