//! How many tuples a second go through one child in Python.
//!
//! ```sh
//! cargo run --release -p tormenta-tests --example multilang_rate
//! ```
//!
//! One spout task of words, one `ShellBolt` task, one sink task. `echo` emits every word again,
//! anchored; `count` emits nothing before the end. Both ack every word. A number sets how many
//! words there are, and a path after it names another script, which emits words as `echo` does.

#![expect(clippy::print_stdout, reason = "the figures are its output")]

use tormenta::{
    bolts::{Word, func},
    multilang::ShellBolt,
    prelude::*,
    spouts::generate,
};

const CHILDREN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/multilang/children/");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tuples = std::env::args().nth(1).map_or(Ok(1_000_000), |n| n.parse())?;
    let other = std::env::args().nth(2);
    let children = match &other {
        Some(script) => vec![script.clone()],
        None => ["echo", "count"].map(|child| format!("{CHILDREN}{child}.py")).to_vec(),
    };
    for script in children {
        let mut t = Topology::new("rate");
        let words = ["storm", "rain", "wind", "hail", "thunder"];
        let words = generate(move |n| Word::new(words[n as usize % words.len()])).limit(tuples);
        let words = t.spout("words", words);
        let bolt = ShellBolt::new(["python3", &script]);
        if !script.ends_with("count.py") {
            let echo = t.bolt("child", bolt.emits::<Word>(), words.shuffle());
            t.bolt("sink", func(async |_: Word, _: &Emitter<()>| Ok(())), echo.shuffle());
        } else {
            let count = bolt.output("default", ["word: String", "count: u64"]);
            let count = t.bolt("child", count, words.shuffle());
            t.bolt(
                "sink",
                func(async |_: tormenta::record::Record, _: &Emitter<()>| Ok(())),
                count.shuffle(),
            );
        }
        let summary = tormenta::run(t)?;
        let seconds = summary.seconds;
        let acked = summary.metrics.component("words").map_or(0, |spout| spout.acked);
        println!(
            "{script}: {acked} tuples in {seconds:.2} s, {:.0} a second",
            acked as f64 / seconds
        );
        for error in &summary.errors {
            println!("  {}", error.error);
        }
    }
    Ok(())
}
