//! Card fraud, decided swipe by swipe.
//!
//! A merchant wants to know, while the customer waits: is this the owner of the card? This crate
//! answers with a topology, and is meant to be read from top to bottom:
//!
//! 1. [`tx`](Tx): what flows, and what the rules may see of it.
//! 2. [`rules`](Rules): what is remembered of cards and terminals, and how evidence becomes a
//!    decision. Plain Rust, no engine.
//! 3. [`generator`](Generator): a world of card owners and five kinds of people who cheat them.
//! 4. [`source`](Source): a spout that reads the generator or a file, merges it with
//!    [chargebacks](Chargeback), paces it and replays. [`Order`] deals the turns.
//! 5. [`bolts`](WatchTerminals): the rules, dealt over tasks.
//! 6. [`ledger`](Ledger): one decision for each transaction, whatever dies.
//! 7. [`declare`]: all of it as one topology.

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
pub use ledger::{Audit, Book, Books, Fsync, Glance, Ledger, LedgerError, Seen, audit};
pub use lru::{Lru, Mixed};
pub use order::Order;
pub use rules::{
    Card, Crowd, Days, Evidence, Guess, Habit, Reasons, Recent, Reported, Rule, Rules, SPANS_DAYS,
    SPANS_S, Signs, Terminal, Usual, VERSION, Windows, fingerprint,
};
pub use source::{
    Chargebacks, Format, Halt, Input, Limits, OpenError, Origin, Pace, RowError, Rows, Source,
    Transactions,
};
pub use tally::{Quality, Tally};
pub use topology::{Job, declare};
pub use tx::{Chargeback, Decided, Decision, Entry, Pass, Place, Swiped, Truth, Turn, Tx, Verdict};
