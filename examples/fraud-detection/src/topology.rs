//! All of it as one topology.

use std::time::Duration;

use tormenta::topology;

use crate::{
    bolts::{DecideCards, WatchTerminals},
    ledger::{Book, Books},
    source::{Halt, Input, Origin, Pace, Source},
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
    /// No transaction is later than this, in seconds since 1970.
    pub time_max: i64,
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
    /// use tormenta_fraud::{Books, Halt, Input, Job, Origin, Pace, declare};
    ///
    /// let books = Books::default();
    /// let mut t = Topology::new("fraud");
    /// declare(&mut t, Job {
    ///     origin: Origin::Generated { seed: 1 },
    ///     pace: Pace { limit: Some(1_000), ..Pace::default() },
    ///     tasks: 2,
    ///     time_max: i64::MAX,
    ///     books: books.clone(),
    ///     input: Input::default(),
    ///     halt: Halt::default(),
    /// });
    /// tormenta::run(t)?;
    /// assert_eq!(books.decided(), 1_000);
    /// # Ok::<(), tormenta::RunError>(())
    /// ```
    pub fn declare(job: Job) {
        let Job { origin, pace, tasks, time_max, books, input, halt } = job;
        spout swipes    = Source::new(origin, pace, halt.clone(), input), pending_max: PENDING_MAX;
        bolt  terminals = WatchTerminals::default(), tasks: tasks,
                          reads: swipes.by(|swiped| &swiped.tx.terminal);
        bolt  cards     = DecideCards::until(time_max), tasks: tasks,
                          reads: terminals.by(|checked| &checked.swiped.tx.card);
        bolt  book      = Book::new(books, halt), tick: TICK, reads: cards.global();
    }
}
