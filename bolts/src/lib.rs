//! Processors and sinks.
//!
//! | bolt | does |
//! |---|---|
//! | [`func`], [`map`], [`filter`], [`flat_map`] | what a closure does |
//! | [`Split`] | lines into words |
//! | [`Count`], [`Tally`] | counts words; says so at once, or once at the end |
//! | [`TopWords`] | the words that are counted most |
//! | [`TopN`], [`MergeTop`] | the keys that were seen most over the last minute |
//! | [`Dedup`] | each key once |
//! | [`RateLimit`], [`Sample`] | fewer tuples: at most so many a second, or some of them |
//! | [`Join`] | pairs from two streams: inner, left, full |
//! | [`window`] | results over windows of event time, sessions, or numbers of tuples |
//! | [`Print`] | writes tuples to standard output |
//! | [`LineFile`] | writes tuples to a file that is complete or not there |
//! | [`FileSink`] | writes tuples to files that grow: JSON lines, CSV, rotation, sync |
//! | [`HttpPost`] | sends tuples to a server, as JSON; feature `http` |
//!
//! All of them know `tormenta-dsl` and no engine.

// Pages name what may be switched off.
#![cfg_attr(not(feature = "http"), allow(rustdoc::broken_intra_doc_links))]

// The derives name `::tormenta`, the crate that users depend on. Inside the house that is the dsl.
extern crate tormenta_dsl as tormenta;

mod console;
mod count;
mod dedup;
mod file_sink;
mod filter;
mod flat_map;
mod format;
mod func;
#[cfg(feature = "http")]
mod http_post;
mod join;
mod line_file;
mod map;
mod print;
mod rate_limit;
mod sample;
mod split;
mod tally;
#[cfg(test)]
mod testing;
mod top_n;
mod top_words;
mod when;
pub mod window;

pub use count::{Count, WordCount};
pub use dedup::{DEDUP_KEYS_MAX, Dedup};
pub use file_sink::{FileSink, Fsync, rows::csv_field};
pub use filter::{Filter, filter};
pub use flat_map::{FlatMap, flat_map};
pub use func::{Func, func};
#[cfg(feature = "http")]
pub use http_post::HttpPost;
pub use join::{JOIN_PENDING_MAX, Join, JoinInput, JoinPorts, Joined};
pub use line_file::LineFile;
pub use map::{Map, map};
pub use print::Print;
pub use rate_limit::RateLimit;
pub use sample::Sample;
pub use split::Split;
pub use tally::Tally;
pub use top_n::{MergeTop, RankKey, Ranked, Ranking, TopN};
pub use top_words::TopWords;
pub use tormenta_dsl::text::{Line, Word, Words, words};
