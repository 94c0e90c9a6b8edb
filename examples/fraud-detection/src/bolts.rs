//! The rules, dealt over tasks.
//!
//! ```text
//!   swipes ------by terminal--> WatchTerminals --by card--> DecideCards
//!   chargebacks --by terminal--^                             ^
//!        '--------------------------by card------------------'
//! ```
//!
//! Decisions depend on the order of what happens to a card, and behind several tasks of
//! [`WatchTerminals`] it may arrive in another order. So the source says of each transaction and
//! chargeback which one of the same card came before it, and [`DecideCards`] lets it wait for that
//! one. It holds a ticket meanwhile: should the one before it never come, nobody forgets the
//! others. A terminal needs no such care: what the source sends to one task keeps its order.

use std::collections::HashMap;

use bytes::Bytes;
use tormenta::{StateValue, prelude::*};

use crate::{
    lru::Lru,
    rules::{Card, Signs, Terminal},
    source::Limits,
    tx::{Chargeback, Decided, Entry, Swiped, Turn},
};

/// A transaction, and what its terminal tells about it.
#[derive(Tuple, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checked {
    /// The transaction.
    pub swiped: Swiped,
    /// What the terminal tells.
    pub signs: Signs,
}

/// What [`DecideCards`] reads.
#[derive(Streams, Clone, Debug, PartialEq)]
pub enum Happened {
    /// The card was used.
    Checked(Checked),
    /// An earlier use of it was reported.
    Chargeback(Chargeback),
}

impl Happened {
    fn turn(&self) -> Turn {
        match self {
            Self::Checked(checked) => checked.swiped.turn,
            Self::Chargeback(chargeback) => chargeback.turn,
        }
    }

    fn card(&self) -> u64 {
        match self {
            Self::Checked(checked) => checked.swiped.tx.card,
            Self::Chargeback(chargeback) => chargeback.card,
        }
    }
}

/// Something that is remembered, and the number of the last thing that happened to it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Known<T> {
    it: T,
    last: u64,
}

/// Remembers terminals, and adds what they tell.
pub struct WatchTerminals {
    terminals: Keyed<u64, Known<Terminal>>,
    /// Who was used when, once there are more than are remembered.
    used: Option<Lru>,
    limits: Limits,
}

impl WatchTerminals {
    /// Believes what lies within these limits.
    #[must_use]
    pub fn with(limits: Limits) -> Self {
        Self { terminals: Keyed::default(), used: None, limits }
    }

    fn terminal(&mut self, key: u64, turn: Turn) -> &mut Terminal {
        forget(&mut self.terminals, &mut self.used, turn.terminals_kept, (key, turn.seq));
        let known = self.terminals.entry(key, Known::default);
        known.take_turn(turn.terminal_back == 0, turn.seq);
        known.last = known.last.max(turn.seq);
        &mut known.it
    }
}

/// What is given to the topology is a prototype: each task works on a clone, and has terminals of
/// its own. So a clone is one that remembers nothing.
impl Clone for WatchTerminals {
    fn clone(&self) -> Self {
        Self::with(self.limits)
    }
}

impl Bolt for WatchTerminals {
    type Input = Entry;
    type Output = Checked;

    /// Called before anything else: what is registered here is kept by key.
    fn state<S: Stores>(&mut self, stores: &mut S) {
        stores.keyed("terminals", &mut self.terminals);
    }

    async fn execute(&mut self, entry: Entry, out: &Emitter<Checked>) -> Result {
        let limits = self.limits;
        match entry {
            Entry::Swipe(swiped) => {
                let terminal = self.terminal(swiped.tx.terminal, swiped.turn);
                let signs = terminal.observe(&swiped.tx, limits);
                out.emit(Checked { swiped, signs }).await
            }
            Entry::Chargeback(chargeback) => {
                self.terminal(chargeback.terminal, chargeback.turn).report(&chargeback);
                Ok(())
            }
        }
    }
}

/// Remembers cards, and decides.
pub struct DecideCards {
    cards: Keyed<u64, Known<Card>>,
    /// Who was used when, once there are more than are remembered.
    used: Option<Lru>,
    /// Those that came before their turn, by the number of the one they wait for.
    waiting: HashMap<u64, (Happened, Ticket<Decided>)>,
    limits: Limits,
}

impl DecideCards {
    /// Believes what lies within these limits.
    #[must_use]
    pub fn with(limits: Limits) -> Self {
        Self { cards: Keyed::default(), used: None, waiting: HashMap::new(), limits }
    }

    /// The card it happened to, and whether it is its turn.
    fn take_turn(&mut self, happened: &Happened) -> (&mut Known<Card>, bool) {
        let (card, turn) = (happened.card(), happened.turn());
        forget(&mut self.cards, &mut self.used, turn.cards_kept, (card, turn.seq));
        let known = self.cards.entry(card, Known::default);
        known.take_turn(turn.card_back == 0, turn.seq);
        let is_next = known.last >= turn.card_before();
        (known, is_next)
    }
}

/// A task has cards and tickets of its own.
impl Clone for DecideCards {
    fn clone(&self) -> Self {
        Self::with(self.limits)
    }
}

impl Bolt for DecideCards {
    type Input = Happened;
    type Output = Decided;

    fn state<S: Stores>(&mut self, stores: &mut S) {
        stores.keyed("cards", &mut self.cards);
    }

    async fn execute(&mut self, happened: Happened, out: &Emitter<Decided>) -> Result {
        let limits = self.limits;
        let (known, is_next) = self.take_turn(&happened);
        let turn = happened.turn();
        if !is_next {
            // Neither acked nor failed when this returns: the ticket keeps its tree open.
            self.waiting.insert(turn.card_before(), (happened, out.hold()));
            return Ok(());
        }
        let mut last = turn.seq;
        if let Some(decided) = known.hear(&happened, limits) {
            out.emit(decided).await?;
        }
        // What waited for this one, and what waits for that.
        while !self.waiting.is_empty()
            && let Some((next, ticket)) = self.waiting.remove(&last)
        {
            last = next.turn().seq;
            let (known, _) = self.take_turn(&next);
            // Emits what was decided, anchored to the one that waited, and acks that.
            ticket.finish(known.hear(&next, limits));
        }
        Ok(())
    }
}

impl<T: Default> Known<T> {
    /// Begins anew where the source has forgotten what is remembered here.
    fn take_turn(&mut self, is_first: bool, seq: u64) {
        if is_first && self.last > 0 && self.last < seq {
            // The source has forgotten it; this task would have, a little later.
            *self = Self::default();
        }
    }
}

impl Known<Card> {
    fn hear(&mut self, happened: &Happened, limits: Limits) -> Option<Decided> {
        self.last = self.last.max(happened.turn().seq);
        let Checked { swiped, signs } = match happened {
            Happened::Checked(checked) => checked,
            Happened::Chargeback(chargeback) => {
                self.it.report(chargeback);
                return None;
            }
        };
        let Swiped { turn, tx, size, truth, due_ns } = swiped;
        let decision = self.it.observe(tx, *size, *signs, limits);
        let id = Bytes::clone(&tx.id);
        Some(Decided { seq: turn.seq, id, decision, truth: *truth, due_ns: *due_ns })
    }
}

/// Lets go of what was used further back than this. The source says so only once everything up to
/// there is done, so nothing that is under way can miss it.
fn forget<T>(
    state: &mut Keyed<u64, Known<T>>,
    used: &mut Option<Lru>,
    kept: u32,
    (key, seq): (u64, u64),
) where
    Known<T>: StateValue,
{
    if kept == u32::MAX {
        return;
    }
    let from = seq.saturating_sub(u64::from(kept));
    let used = used.get_or_insert_with(|| {
        let mut used = Lru::default();
        state.iter().for_each(|(key, known)| {
            used.touch(*key, known.last);
        });
        used
    });
    used.touch(key, seq);
    while used.oldest() < from
        && let Some(key) = used.pop_oldest()
    {
        state.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use quickcheck::quickcheck;

    use super::*;
    use crate::order::Order;

    quickcheck! {
        /// A task keeps what the source remembers, and at most what is under way beside it.
        fn a_task_forgets_what_the_source_forgets(cards: Vec<u8>, lag: u8) -> bool {
            const REMEMBERED: usize = 8;
            let (mut order, mut state, mut used) =
                (Order::new(REMEMBERED), Keyed::<u64, Known<u64>>::default(), None);
            state.attach(Box::new(HashMap::new()));
            let lag = u64::from(lag % 16);
            let mut uses: Vec<u64> = Vec::new();
            cards.into_iter().map(|card| u64::from(card % 32)).all(|card| {
                let turn = order.turn(card, 0, order.len().saturating_sub(lag));
                forget(&mut state, &mut used, turn.cards_kept, (card, turn.seq));
                let known = state.entry(card, Known::default);
                known.take_turn(turn.card_back == 0, turn.seq);
                known.last = turn.seq;
                known.it += 1;
                // By looking at all that ever happened: who is remembered, and since when.
                uses.push(card);
                let mut live: Vec<u64> = Vec::new();
                uses.iter().rev().for_each(|card| if !live.contains(card) { live.push(*card) });
                live.truncate(REMEMBERED);
                live.iter().all(|card| state.get(card).is_some())
                    && state.len() <= REMEMBERED + 2 * (lag as usize + 1)
            })
        }
    }
}
