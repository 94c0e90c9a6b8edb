//! All of it as one topology.
//!
//! ```text
//!   source --swipe, by terminal--> terminals --by card--> cards --global--> book
//!      '---chargeback, by terminal---^                      ^
//!      '---chargeback, by card------------------------------'
//! ```
//!
//! - **`by`** sends all that has the same key to the same task: so each terminal and each card has
//!   one task that remembers it, and no memory is shared.
//! - **`global`** sends everything to one task: there is one ledger.
//! - **`to`** says as what a tuple arrives, where a bolt reads several streams.
//! - **Tasks** are the only number that has to do with how many processors there are. With one task
//!   each, all of this runs in one thread and no tuple is queued anywhere.
//! - **Acks** are not to be seen: every tuple that leaves `source` is a tree, and its source hears
//!   when `book` has written what came of it.

use std::time::Duration;

use tormenta::topology;

use crate::{
    bolts::{DecideCards, Happened, WatchTerminals},
    ledger::{Book, Books},
    source::{Halt, Input, Limits, Origin, Pace, Source},
    tx::Entry,
};

/// How often the ledger writes what is left over when transactions stop coming.
const TICK: Duration = Duration::from_millis(1);

/// Transactions that are under way at most. More would only make each of them wait longer.
const PENDING_MAX: usize = 16_384;

/// What there is to do.
#[derive(Clone)]
pub struct Job {
    /// Where transactions come from.
    pub origin: Origin,
    /// How fast, and how many.
    pub pace: Pace,
    /// Tasks that watch terminals, and tasks that decide.
    pub tasks: usize,
    /// What is believed of times, and how much is remembered.
    pub limits: Limits,
    /// Where decisions go.
    pub books: Books,
    /// How far the source is.
    pub input: Input,
    /// Why it was stopped, if it was.
    pub halt: Halt,
}

topology! {
    /// Declares the topology. It replays by itself, and has one source and one sink; in between
    /// it may have any number of tasks, and decides the same with any of them.
    ///
    /// ```
    /// use tormenta::prelude::*;
    /// use tormenta_fraud::{Books, Halt, Input, Job, Limits, Origin, Pace, declare};
    ///
    /// let books = Books::default();
    /// let mut t = Topology::new("fraud");
    /// declare(&mut t, Job {
    ///     origin: Origin::Generated { seed: 1 },
    ///     pace: Pace { limit: Some(1_000), ..Pace::default() },
    ///     tasks: 2,
    ///     limits: Limits::default(),
    ///     books: books.clone(),
    ///     input: Input::default(),
    ///     halt: Halt::default(),
    /// });
    /// tormenta::run(t)?;
    /// assert_eq!(books.decided(), 1_000);
    /// # Ok::<(), tormenta::RunError>(())
    /// ```
    pub fn declare(job: Job) {
        let Job { origin, pace, tasks, limits, books, input, halt } = job;
        let has_chargebacks = origin.has_chargebacks();
        let limits = Limits { hears_chargebacks: has_chargebacks, ..limits };
        let source = Source::new(origin, pace, limits, halt.clone(), input);
        spout source    = source, pending_max: PENDING_MAX;
        let mut at_terminals = vec![
            source.swipe.by(|swiped| &swiped.tx.terminal).to(Entry::Swipe),
        ];
        if has_chargebacks {
            // Without them there is one edge, which costs nothing: the bolts run where the spout
            // does. So it is there only if something will flow.
            let reported = source.chargeback.by(|chargeback| &chargeback.terminal);
            at_terminals.push(reported.to(Entry::Chargeback));
        }
        bolt  terminals = WatchTerminals::with(limits), tasks: tasks,
                          reads: at_terminals;
        let mut at_cards = vec![
            terminals.by(|checked| &checked.swiped.tx.card).to(Happened::Checked),
        ];
        if has_chargebacks {
            let reported = source.chargeback.by(|chargeback| &chargeback.card);
            at_cards.push(reported.to(Happened::Chargeback));
        }
        bolt  cards     = DecideCards::with(limits), tasks: tasks, reads: at_cards;
        bolt  book      = Book::new(books, halt), tick: TICK, reads: cards.global();
    }
}
