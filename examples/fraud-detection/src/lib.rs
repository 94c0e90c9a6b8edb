//! Card fraud, decided swipe by swipe.
//!
//! A merchant wants to know, while the customer waits: is this the owner of the card? This crate
//! answers with a topology. It is the largest program in this repository that only uses what any
//! user of Tormenta has, and is meant to be read from top to bottom:
//!
//! | read | it shows, of Tormenta |
//! |---|---|
//! | 1. [`tx`](Tx) | tuples, and an enum for two streams |
//! | 2. [`rules`](Rules) | nothing: they are plain Rust, so that a test can call them |
//! | 3. [`topology`](declare) | spouts, bolts, groupings, the macro `topology!` |
//! | 4. [`bolts`](WatchTerminals) | keyed state, tickets, a bolt with two inputs |
//! | 5. [`source`](Source) | a spout that keeps an order and a pace, and replays by itself |
//! | 6. [`ledger`](Ledger) | a sink that acks what is written, and survives a kill |
//! | 7. [`generator`](Generator) | nothing: a world of card owners and those who cheat them |
//!
//! What flows is in `tx`; what is remembered of cards and terminals, and how evidence becomes a
//! decision, in `rules`. The source merges transactions with [chargebacks](Chargeback), and
//! [`Order`] says whose turn it is.
//!
//! The tests are worth a look as well: `tests/topology.rs` runs the topology in virtual time, with
//! any number of tasks and with failures, and compares it with the rules alone.
//!
//! To try: change a number in `rules/worth.rs` and see what `cargo test -p tormenta-fraud --test
//! quality -- --nocapture` says to it.

mod bolts;
mod generator;
mod ledger;
mod lru;
mod order;
mod rules;
mod source;
mod tally;
mod topology;
mod tx;

pub use bolts::{Checked, DecideCards, Happened, WatchTerminals};
pub use generator::{Generator, Kind, QUIET};
pub use ledger::{Added, Audit, Book, Books, Fsync, Glance, Ledger, LedgerError, Seen, audit};
pub use lru::{Lru, Mixed};
pub use order::Order;
pub use rules::{
    Card, Crowd, Days, Evidence, Goods, Guess, Habit, Lately, Reasons, Recent, Reported, Rule,
    Rules, SPANS_DAYS, SPANS_S, Signs, Size, Terminal, Usual, VERSION, Windows, fingerprint,
};
pub use source::{
    Chargebacks, Format, Halt, Input, Limits, OpenError, Origin, Pace, RowError, Rows, Source,
    Transactions,
};
pub use tally::{Quality, Tally};
pub use topology::{Job, declare};
pub use tx::{Chargeback, Decided, Decision, Entry, Pass, Place, Swiped, Truth, Turn, Tx, Verdict};
