//! The words of real books, counted by the engine and counted naively.

use std::{
    collections::BTreeMap,
    io::Read,
    path::{Path, PathBuf},
};

use flate2::read::GzDecoder;
use tormenta::{
    Options, Topology,
    bolts::{Split, Tally, WordCount},
    prelude::*,
    spouts::Lines,
    testkit::Capture,
};

use crate::support::{of, wait};

/// Beside the repository, in the house where it is built; not part of it.
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/text");

/// Shipped with the command line.
const BOOK: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../cluster/cli/assets/war-and-peace.txt.gz");

fn gunzip(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    GzDecoder::new(file).read_to_end(&mut bytes).expect("a whole file");
    bytes
}

fn naive(text: &[u8]) -> BTreeMap<Vec<u8>, u64> {
    let mut counts = BTreeMap::new();
    for word in text.split(|byte| b"\t\n\x0c\r ".contains(byte)) {
        *counts.entry(word.to_vec()).or_insert(0) += 1;
    }
    counts.remove(&b""[..]);
    counts
}

/// Counts the words of files with the engine; also how many lines it acked.
fn counted(paths: Vec<PathBuf>, tasks: usize, unfused: bool) -> (BTreeMap<Vec<u8>, u64>, u64) {
    let capture = Capture::<WordCount>::new();
    let mut t = Topology::new("words");
    let lines = t.spout("lines", Lines::of(paths)).replaying(Retry::default());
    let split = t.bolt("split", Split, lines.shuffle()).tasks(tasks);
    let tally = t.bolt("tally", Tally::default(), split.by(|word| &word.word)).tasks(tasks);
    let _ = t.bolt("sink", capture.bolt(), tally.global());
    let mut options = Options::default();
    options.unfused = unfused;
    let summary = wait(tormenta::start(t, options).expect("a sound topology"));
    let c = of(&summary, "lines").clone();
    assert_eq!((c.acked, c.failed), (c.emitted, 0));
    assert!(summary.error.is_none(), "{:?}", summary.error);
    let counts = capture.taken().into_iter().map(|count| (count.word.to_vec(), count.count));
    (counts.collect(), c.acked)
}

#[test]
fn the_words_of_a_book_are_counted_exactly() {
    let book = PathBuf::from(BOOK);
    let text = gunzip(&book);
    let lines = text.iter().filter(|byte| **byte == b'\n').count() as u64;
    let lines = lines + u64::from(text.last() != Some(&b'\n'));
    let expected = naive(&text);
    for (tasks, unfused) in [(1, false), (2, true)] {
        let (counts, acked) = counted(vec![book.clone()], tasks, unfused);
        assert!(counts == expected, "{} words instead of {}", counts.len(), expected.len());
        assert_eq!(acked, lines);
    }
}

/// Where the house's own tables are: all books, two languages.
#[test]
fn the_words_of_all_books_equal_their_tables() {
    let data = Path::new(DATA);
    if !data.exists() {
        return;
    }
    for language in ["en", "pt"] {
        let table = gunzip(&data.join(format!("expected/words_{language}.tsv.gz")));
        let expected = table.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let expected: BTreeMap<Vec<u8>, u64> = expected
            .map(|line| {
                let tab = line.iter().rposition(|byte| *byte == b'\t').expect("a tab");
                let count = std::str::from_utf8(&line[tab + 1..]).expect("digits");
                (line[..tab].to_vec(), count.parse().expect("a number"))
            })
            .collect();
        let (counts, _) = counted(vec![data.join(language)], 2, false);
        assert!(counts == expected, "{language}: {} words, {}", counts.len(), expected.len());
    }
}
