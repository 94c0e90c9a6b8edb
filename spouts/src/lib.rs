//! Sources of tuples.
//!
//! | spout | emits |
//! |---|---|
//! | [`Lines`] | the lines of files, directories, patterns and standard input, packed or not |
//! | [`JsonLines`] | the rows of JSON files as typed tuples |
//! | [`CsvRows`] | the same of CSV files; feature `csv` |
//! | `Tail` | the lines of a file as they are written, through rotations and crashes |
//! | [`TcpLines`], [`UdpLines`] | the lines that are sent to a port |
//! | [`HttpBodies`] | what is sent by POST, answered when its tree has ended; feature `http` |
//! | [`Timer`] | a number every so often |
//! | [`Replayed`] | the tuples of another spout, as fast as they happened |
//! | [`Sequence`] | numbers, as fast as they are read or at a rate |
//! | [`generate`] | what a closure makes of each number |
//!
//! All of them know `tormenta-dsl` and no engine. Except for `Tail` and [`HttpBodies`], whose pages
//! say what they do, they give their tuples no id and replay nothing by themselves: declare them
//! with `.replaying(Retry::default())` where a tuple must not be lost.

// Pages name what may be switched off.
#![cfg_attr(not(all(feature = "csv", feature = "http")), allow(rustdoc::broken_intra_doc_links))]

// `derive(Tuple)` names the facade.
#[cfg(test)]
extern crate tormenta_dsl as tormenta;

mod counting;
mod generator;
pub mod lines;
mod net;
mod pace;
mod replay;
mod rows;
mod sequence;
#[cfg(unix)]
mod tail;
#[cfg(test)]
mod testing;
mod timer;

pub use generator::{Generator, generate};
pub use lines::{Lines, Progress};
#[cfg(feature = "http")]
pub use net::{Asked, HttpBodies, Post};
pub use net::{Listening, TcpLines, UdpLines};
pub use replay::Replayed;
#[cfg(feature = "csv")]
pub use rows::CsvRows;
pub use rows::JsonLines;
pub use sequence::Sequence;
#[cfg(unix)]
pub use tail::Tail;
pub use timer::Timer;
pub use tormenta_dsl::text::{Line, Words, words};
