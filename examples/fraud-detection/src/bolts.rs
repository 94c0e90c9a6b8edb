//! The rules, dealt over tasks.
//!
//! ```text
//!   swipes --by terminal--> WatchTerminals --by card--> DecideCards
//! ```
//!
//! Decisions depend on the order of a card's transactions, and behind several tasks of
//! [`WatchTerminals`] they may arrive in another order. So the source says of each transaction
//! which one of the same card came before it, and [`DecideCards`] lets it wait for that one. It
//! holds a ticket meanwhile: should the one before it never come, nobody forgets the others.

use std::collections::HashMap;

use bytes::Bytes;
use tormenta::prelude::*;

use crate::{
    rules::{Card, Signs, Terminal},
    tx::{Decided, Swiped},
};

/// A transaction, and what its terminal tells about it.
#[derive(Tuple, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checked {
    /// The transaction.
    pub swiped: Swiped,
    /// What the terminal tells.
    pub signs: Signs,
}

/// Remembers terminals, and adds what they tell.
#[derive(Clone, Default)]
pub struct WatchTerminals {
    terminals: Keyed<u64, Terminal>,
}

impl Bolt for WatchTerminals {
    type Input = Swiped;
    type Output = Checked;

    fn state<S: Stores>(&mut self, stores: &mut S) {
        stores.keyed("terminals", &mut self.terminals);
    }

    async fn execute(&mut self, swiped: Swiped, out: &Emitter<Checked>) -> Result {
        let terminal = self.terminals.entry(swiped.tx.terminal, Terminal::default);
        let signs = terminal.observe(&swiped.tx);
        out.emit(Checked { swiped, signs }).await
    }
}

/// Remembers cards, and decides.
pub struct DecideCards {
    cards: Keyed<u64, Owned>,
    /// Those that came before their turn, by the number of the one they wait for.
    waiting: HashMap<u64, (Checked, Ticket<Decided>)>,
    /// No transaction is later than this, in seconds since 1970.
    time_max: i64,
}

/// A card, and the number of its last transaction that was decided.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Owned {
    card: Card,
    last: u64,
}

impl DecideCards {
    /// Does not believe in times after `time_max`, in seconds since 1970.
    #[must_use]
    pub fn until(time_max: i64) -> Self {
        Self { cards: Keyed::default(), waiting: HashMap::new(), time_max }
    }
}

/// A task has cards and tickets of its own.
impl Clone for DecideCards {
    fn clone(&self) -> Self {
        Self::until(self.time_max)
    }
}

impl Bolt for DecideCards {
    type Input = Checked;
    type Output = Decided;

    fn state<S: Stores>(&mut self, stores: &mut S) {
        stores.keyed("cards", &mut self.cards);
    }

    async fn execute(&mut self, checked: Checked, out: &Emitter<Decided>) -> Result {
        let owned = self.cards.entry(checked.swiped.tx.card, Owned::default);
        if owned.last < checked.swiped.before {
            self.waiting.insert(checked.swiped.before, (checked, out.hold()));
            return Ok(());
        }
        let decided = owned.decide(&checked, self.time_max);
        let mut last = decided.seq;
        out.emit(decided).await?;
        // Whoever waited for this one, and whoever waits for those.
        while !self.waiting.is_empty()
            && let Some((next, ticket)) = self.waiting.remove(&last)
        {
            let owned = self.cards.entry(next.swiped.tx.card, Owned::default);
            let decided = owned.decide(&next, self.time_max);
            last = decided.seq;
            ticket.finish([decided]);
        }
        Ok(())
    }
}

impl Owned {
    fn decide(&mut self, checked: &Checked, time_max: i64) -> Decided {
        let Swiped { seq, tx, truth, due_ns, .. } = &checked.swiped;
        let decision = self.card.observe(tx, checked.signs, time_max);
        self.last = self.last.max(*seq);
        let id = Bytes::clone(&tx.id);
        Decided { seq: *seq, id, decision, truth: *truth, due_ns: *due_ns }
    }
}
