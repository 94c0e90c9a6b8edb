//! Counts the words of the files that it is given. The lines are split by a bolt in Python.
//!
//! ```sh
//! cargo run --release -p tormenta --example python_words -- README.md
//! ```

use std::ffi::OsString;

use tormenta::{
    Args,
    bolts::{Count, TopWords, Word},
    multilang::ShellBolt,
    prelude::*,
    spouts::Lines,
};

/// The script beside this file.
const SPLIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/python_words.py");

#[tormenta::main]
fn main(t: &mut Topology, args: Args) -> Result {
    let paths: Vec<OsString> = args.into_iter().collect();
    let lines = t.spout("lines", Lines::of(paths)).replaying(Retry::default());
    let split = ShellBolt::new(["python3", SPLIT]).emits::<Word>();
    let split = t.bolt("split", split, lines.shuffle());
    let count = t.bolt("count", Count::default(), split.by(|w| &w.word)).tasks(2);
    t.bolt("top", TopWords::new(10).print(), count.global());
    Ok(())
}
