//! Counts the words of the files that it is given, and prints the ten most frequent.
//!
//! ```sh
//! cargo run --release --example word_count -- README.md
//! cargo run --release --example word_count -- describe --dot
//! ```

use std::ffi::OsString;

use tormenta::{
    Args,
    bolts::{Count, Split, TopWords},
    prelude::*,
    spouts::Lines,
    topology,
};

topology! {
    /// Lines into words, words into counts, counts into a table.
    fn word_count(paths: Vec<OsString>, tasks: usize) {
        spout lines = Lines::of(paths), replaying: Retry::default();
        bolt  split = Split,                    tasks: tasks, reads: lines.shuffle();
        bolt  count = Count::default(),         tasks: tasks, reads: split.by(word);
        bolt  top   = TopWords::new(10).print(),              reads: count.global();
    }
}

#[tormenta::main]
fn main(t: &mut Topology, args: Args) -> Result {
    word_count(t, args.into_iter().collect(), 2);
    Ok(())
}
