//! Processors and sinks.
//!
//! | bolt | does |
//! |---|---|
//! | [`func`], [`map`], [`filter`], [`flat_map`] | what a closure does |
//! | [`Split`] | lines into words |
//! | [`Count`], [`Tally`] | counts words; says so at once, or once at the end |
//! | [`TopWords`] | the words that are counted most |
//! | [`Print`] | writes tuples to standard output |
//! | [`LineFile`] | writes tuples to a file that is complete or not there |
//!
//! All of them know `tormenta-dsl` and no engine.

// The derives name `::tormenta`, the crate that users depend on. Inside the house that is the dsl.
extern crate tormenta_dsl as tormenta;

mod console;
mod count;
mod filter;
mod flat_map;
mod format;
mod func;
mod line_file;
mod map;
mod print;
mod split;
mod tally;
#[cfg(test)]
mod testing;
mod top_words;

pub use count::{Count, WordCount};
pub use filter::{Filter, filter};
pub use flat_map::{FlatMap, flat_map};
pub use func::{Func, func};
pub use line_file::LineFile;
pub use map::{Map, map};
pub use print::Print;
pub use split::Split;
pub use tally::Tally;
pub use top_words::TopWords;
pub use tormenta_dsl::text::{Line, Word, Words, words};
