//! Sources of tuples.
//!
//! | spout | emits |
//! |---|---|
//! | [`Lines`] | the lines of files, directories, patterns and standard input, packed or not |
//! | [`Sequence`] | numbers, as fast as they are read or at a rate |
//! | [`generate`] | what a closure makes of each number |
//!
//! All of them know `tormenta-dsl` and no engine. They give their tuples no id and replay nothing
//! by themselves: declare them with `.replaying(Retry::default())` where a tuple must not be lost.

mod counting;
mod generator;
pub mod lines;
mod pace;
mod sequence;
#[cfg(test)]
mod testing;

pub use generator::{Generator, generate};
pub use lines::{Lines, Progress};
pub use sequence::Sequence;
pub use tormenta_dsl::text::{Line, Words, words};
