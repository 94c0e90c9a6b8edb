//! Components in other languages: real children in Python, in the real engine.
//!
//! Where there is no `python3` these tests say so and test nothing.

mod bolts;
mod direct;
mod kills;
mod orphans;
mod poison;
mod protocol;
mod rules;
mod spouts;
mod told;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
};

use tormenta::{
    Summary,
    bolts::{Word, func},
    multilang::ShellBolt,
    prelude::*,
    spouts::generate,
    testkit::Capture,
};

/// The command for one of the children beside this file; `None` without Python.
fn child(name: &str) -> Option<[String; 2]> {
    let python = Command::new("python3").arg("--version").output();
    if python.is_err() {
        #[expect(clippy::print_stderr, reason = "who reads the log should know")]
        {
            eprintln!("there is no python3: not tested");
        }
        return None;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/multilang/children");
    Some(["python3".to_owned(), folder.join(name).display().to_string()])
}

/// The words `a0`, `a1`, and those that ask for trouble in between.
fn words(count: u64, trouble: &'static [&'static str]) -> impl Spout<Output = Word> {
    generate(move |n| {
        let at = trouble.iter().enumerate().find(|(index, _)| n == 100 * (*index as u64 + 1));
        Word::new(at.map_or_else(|| format!("a{n}"), |(_, word)| (*word).to_owned()))
    })
    .limit(count)
}

/// Runs words through a bolt. Returns what arrived and what became of it.
fn run(spout: impl Spout<Output = Word>, bolt: ShellBolt<Word, Word>) -> (Vec<String>, Summary) {
    let arrived = Capture::new();
    let mut t = Topology::new("test");
    let words = t.spout("words", spout).replaying(Retry { attempts_max: 8, ..Retry::default() });
    let child = t.bolt("child", bolt, words.shuffle());
    t.bolt("arrived", arrived.bolt(), child.shuffle());
    let summary = tormenta::run(t).expect("the topology runs to its end");
    let text = |word: Word| String::from_utf8_lossy(&word.word).into_owned();
    (arrived.taken().into_iter().map(text).collect(), summary)
}

fn errors(summary: &Summary) -> String {
    summary.errors.iter().map(|error| error.error.clone() + "\n").collect()
}

fn acked(summary: &Summary, spout: &str) -> u64 {
    summary.metrics.component(spout).map_or(0, |spout| spout.acked)
}

/// Each of these has arrived, and nothing else.
#[track_caller]
fn assert_arrived(arrived: Vec<String>, count: u64, trouble: &'static [&'static str]) {
    let (arrived, expected) = (arrived.into_iter().collect(), expected(count, trouble));
    let missing: Vec<_> = expected.difference(&arrived).take(10).collect();
    let foreign: Vec<_> = arrived.difference(&expected).take(10).collect();
    assert!(missing.is_empty() && foreign.is_empty(), "missing {missing:?}, foreign {foreign:?}");
}

fn expected(count: u64, trouble: &'static [&'static str]) -> BTreeSet<String> {
    let plain = (0..count).map(|n| format!("a{n}"));
    let replaced: BTreeSet<String> =
        (1..=trouble.len()).map(|index| format!("a{}", 100 * index)).collect();
    let plain = plain.filter(|word| !replaced.contains(word));
    plain.chain(trouble.iter().map(|word| (*word).to_owned())).collect()
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_owned();
    (folder, path)
}

/// A sink that forgets.
fn nothing<I: Streams>() -> impl Bolt<Input = I, Output = ()> {
    func(async |_: I, _: &Emitter<()>| Ok(()))
}
